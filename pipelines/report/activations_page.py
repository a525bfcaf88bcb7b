"""The page of `etude inspect`: pieces coloured by what a unit does."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from etude.models.encodings.melody import MelodyEncoding
from etude.models.inspection.activations import Part
from etude.models.inspection.following import QUANTILE, Follower
from etude.models.melodies.features import sounding_pitches
from etude.models.melodies.melody import MIN_PITCH
from etude.pipelines.evaluation.inspect import InspectedPiece, Inspection, unit_name
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.parts import POLICY, environment, inlined, number, paragraph, table, templates

LIKELIEST = 5
_STEPS = 127
"""Of the integers that stand for 0 to 1."""


def activations_page(inspection: Inspection, part: Part, unit: int) -> str:
    """The page as HTML, complete in itself.

    Args:
      inspection: what was seen.
      part: which part of the network it opens with.
      unit: which unit of it.
    """
    model = inspection.model
    title = f"What the units of {model.path.name} do"
    shown = {
        "symbols": [model.domain.symbol(int(token)) for token in model.encoding.label_tokens()],
        "parts": [
            {**part._asdict(), "units": values.shape[1]}
            for part, values in inspection.pieces[0].activations.values.items()
        ],
        "pieces": [_piece(inspection, piece) for piece in inspection.pieces],
        "start": [part.layer, part.kind, unit],
    }
    return (
        environment()
        .get_template("activations.html.j2")
        .render(
            parts=templates(),
            policy=POLICY,
            title=title,
            style=inlined("style.css") + inlined("activations.css"),
            script=inlined("tables.js") + inlined("activations.js"),
            basis=_basis(inspection),
            noun=model.domain.noun,
            unit=model.domain.unit,
            following=_following(inspection),
            shown=shown,
        )
    )


def pack(values: npt.NDArray[np.floating]) -> str:
    """Values from -1 to 1 as bytes, a signed one each, 127 for 1, row by row, in base64."""
    return base64.b64encode(np.rint(values * _STEPS).astype(np.int8).tobytes()).decode()


def _piece(inspection: Inspection, piece: InspectedPiece) -> dict[str, Any]:
    encoding = inspection.model.encoding
    shown: dict[str, Any] = {
        "name": piece.name if piece.is_whole else f"{piece.name} (its first {len(piece.tokens):,})",
        "tokens": encoding.token_labels(piece.tokens).tolist(),
        "likeliest": _likeliest(piece, encoding.end_token),
        "values": {f"{part.layer}/{part.kind}": pack(one) for part, one in piece.activations.bounded().items()},
    }
    if isinstance(encoding, MelodyEncoding):
        pitches = sounding_pitches(piece.tokens)
        sounding = pitches[pitches >= MIN_PITCH]
        shown["roll"] = {
            "pitches": pitches.tolist(),
            "onsets": (piece.tokens >= MIN_PITCH).astype(int).tolist(),
            "low": int(sounding.min(initial=128)),
            "high": int(sounding.max(initial=0)),
            "stepsPerBar": piece.steps_per_bar,
        }
    return shown


def _likeliest(piece: InspectedPiece, end_token: int | None) -> list[list[tuple[int, float]]]:
    """After each token, the likeliest next ones with their probabilities, and the one that comes; nothing after an end."""
    result = []
    for token, probabilities in zip(piece.tokens.tolist(), piece.activations.probabilities, strict=True):
        best = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
        found = [(int(label), round(float(probabilities[label]), 4)) for label in best]
        result.append([] if token == end_token else found)
    return result


def _basis(inspection: Inspection) -> str:
    model = inspection.model
    units = f"{inspection.num_tokens:,} {model.domain.unit}s"
    noun = model.domain.noun if inspection.num_pieces == 1 else model.domain.plural
    squashed = ", in the model's key and range" if isinstance(model.encoding, MelodyEncoding) else ""
    return (
        f"{model.configuration.config}, step {model.step:,}; the table is over {inspection.num_pieces:,} {noun}, {units}"
        f"{squashed}"
    )


def _following(inspection: Inspection) -> Markup:
    if not inspection.following:
        return paragraph("Nothing is known of these pieces that units could be held against.")
    most = max(len(one.followers) for one in inspection.following)
    rows = [
        [
            one.feature,
            number(one.chance, 2),
            *(_follower(found, one.chance) for found in one.followers),
            *[""] * (most - len(one.followers)),
        ]
        for one in inspection.following
    ]
    titles = ["Best unit", *(f"No. {place}" for place in range(2, most + 1))]
    return table(f"Correlation of units with what the music has; by chance: {QUANTILE}th percentile of the best unit "
                 f"over {inspection.shuffles} shuffles", ["", "By chance", *titles], rows)  # fmt: skip


def _follower(found: Follower, chance: float) -> Markup:
    """A unit to click on; pale where chance does as well."""
    return element(
        "button",
        number(found.correlation, 2),
        element("small", unit_name(found.part, found.unit)),
        type="button",
        class_="follower" if abs(found.correlation) > chance else "follower faint",
        data_unit=unit_name(found.part, found.unit),
    )
