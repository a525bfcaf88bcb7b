"""Pieces that one representation predicts far better than another."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.melodies.melody import STEPS_PER_BAR
from etude.pipelines.comparison.measurements import DomainMeasurement
from etude.pipelines.comparison.piece_costs import Costs, Values
from etude.pipelines.comparison.results.results import ApartPiece
from etude.pipelines.rendering.music import Grid, Music
from etude.pipelines.rendering.tunes import tune_music

PIECES_OF_A_PAIR = 2
_STEPS_PER_QUARTER = 4


def pieces_apart(
    representations: Mapping[str, str],
    costs: Sequence[tuple[str, list[Costs]]],
    pieces: Sequence[str],
    notes: Values,
) -> list[ApartPiece]:
    """For the best configuration of each two representations, the pieces that the first predicts better by most.

    Args:
      representations: of each configuration, by its name.
      costs: by configuration and seed.
      pieces: in the order of the costs.
      notes: after the first, [pieces].
    """
    bits = {name: -np.mean([one.whole for one in by_seed], axis=0) / np.log(2) / notes for name, by_seed in costs}
    best: dict[str, str] = {}
    for name in sorted(bits, key=lambda name: float((bits[name] * notes).sum())):
        best.setdefault(representations[name], name)
    found = []
    for better, worse in itertools.permutations(best.values(), 2):
        gains = bits[worse] - bits[better]
        for place in np.argsort(-gains, kind="stable")[:PIECES_OF_A_PAIR].tolist():
            if gains[place] > 0:
                figures = float(bits[better][place]), float(bits[worse][place])
                found.append(ApartPiece(pieces[place], better, worse, *figures))
    return found


def music_of(piece: str, measurements: Sequence[DomainMeasurement]) -> Music:
    """A tune as its text plays it, or, where no representation is text, as its events do."""
    for one in measurements:
        tokens = one.sequences.tokens(one.sequences.sources.index(piece))
        text = one.domain.render(tokens)
        if text is not None:
            try:
                return tune_music(read_text(text))
            except AbcError:
                continue
    (one, *_) = measurements
    place = one.sequences.sources.index(piece)
    bar = int(one.sequences.attributes[STEPS_PER_BAR][place])
    return Grid(_STEPS_PER_QUARTER, bar).sequence_music(one.domain, one.sequences.tokens(place))
