"""Ways to divide the predicted steps of sequences into categories, to see where a model is good and where it is not."""

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.melodies.melody import NO_EVENT, STEPS_PER_BAR
from etude.models.melodies.melody_set import MelodySet
from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown
from etude.pipelines.comparison.words import MELODIES, Words

Indices = npt.NDArray[np.int64]

LENGTH_EDGES = (64, 128, 256, 384)
BAR_EDGES = (1, 2, 3, 4, 8, 16)
METRE_NAMES = {4: "4/4", 2: "2/4", 3: "3/4 or 6/8", 4.5: "9/8", 6: "6/4 or 12/8", 1.5: "3/8", 8: "4/2 or 8/4"}
"""The usual metres of bars of so many quarter notes. A melody does not keep more of its metre than that."""


def breakdowns(melodies: MelodySet, steps_per_quarter: int) -> list[Breakdown]:
    """All divisions; their categories are those that occur in `melodies`."""
    names = {steps: metre_name(steps, steps_per_quarter) for steps in sorted(set(melodies.steps_per_bar.tolist()))}
    positions = [_position(steps, name) for steps, name in names.items()]
    return [_metre(names), *positions, _bar(), _length(MELODIES), _event(), _repetition()]


def breakdowns_of_tokens(words: Words, encoding: Encoding) -> list[Breakdown]:
    """The divisions of sequences of which nothing is known but their tokens, and kinds of tokens that an encoding knows.

    Args:
      words: how they are called.
      encoding: of their models.
    """
    place = Breakdown(
        "place",
        f"Place in the {words.sequence}, in {words.steps}",
        _ranges(LENGTH_EDGES, first=0),
        lambda batch: _per_sequence(np.searchsorted(LENGTH_EDGES, _steps(batch)[0], side="right")[None], batch),
    )
    return [place, _length(words), *(_kind(words, name, encoding) for name in _kinds(encoding))]


def metre_name(steps_per_bar: int, steps_per_quarter: int) -> str:
    """What a bar of so many steps usually is."""
    usual = METRE_NAMES.get(steps_per_bar / steps_per_quarter)
    return f"{usual} ({steps_per_bar} steps a bar)" if usual else f"{steps_per_bar} steps a bar"


def bars_seen_before(events: Indices, steps_per_bar: int) -> npt.NDArray[np.bool_]:
    """For each step of a melody, [steps], whether its bar is the same as an earlier whole bar, event for event."""
    seen: set[bytes] = set()
    result = np.zeros(len(events), bool)
    for start in range(0, len(events), steps_per_bar):
        bar = events[start : start + steps_per_bar].tobytes()
        result[start : start + steps_per_bar] = bar in seen
        seen.add(bar)
    return result


def _metre(names: Mapping[int, str]) -> Breakdown:
    """The metres by their steps in a bar, ascending."""
    return Breakdown(
        "metre",
        "Metre",
        tuple(names.values()),
        lambda batch: _per_melody(np.searchsorted(list(names), batch.attributes[STEPS_PER_BAR]), batch),
    )


def _position(steps_per_bar: int, name: str) -> Breakdown:
    """Positions in bars of this length; steps of other melodies go to no category."""

    def index(batch: Batch) -> Indices:
        position = _steps(batch) % steps_per_bar
        return np.where(_per_melody(batch.attributes[STEPS_PER_BAR], batch) == steps_per_bar, position, -1)

    return Breakdown(
        f"position_in_bar_{steps_per_bar}",
        f"Position in the bar, {name}",
        tuple(str(position + 1) for position in range(steps_per_bar)),
        index,
    )


def _bar() -> Breakdown:
    def index(batch: Batch) -> Indices:
        bar = _steps(batch) // batch.attributes[STEPS_PER_BAR][:, None]
        return np.searchsorted(BAR_EDGES, bar, side="right")

    return Breakdown("bar", "Bar of the melody", _ranges(BAR_EDGES, first=1), index)


def _length(words: Words) -> Breakdown:
    return Breakdown(
        "length",
        f"Length of the {words.sequence}, in {words.steps}",
        _ranges(LENGTH_EDGES, first=0),
        lambda batch: _per_melody(np.searchsorted(LENGTH_EDGES, batch.lengths, side="right"), batch),
    )


def _event() -> Breakdown:
    return Breakdown(
        "event",
        "Kind of the true event",
        ("no event", "note-off", "note-on"),
        lambda batch: np.minimum(batch.tokens[:, 1:] - NO_EVENT, 2),
    )


def _repetition() -> Breakdown:
    def index(batch: Batch) -> Indices:
        result = np.zeros(batch.tokens.shape, np.int64)
        for row, (length, steps_per_bar) in enumerate(zip(batch.lengths, batch.attributes[STEPS_PER_BAR], strict=True)):
            result[row, :length] = bars_seen_before(batch.tokens[row, :length], int(steps_per_bar))
        return result[:, 1:]

    return Breakdown("repetition", "Bars new or repeated", ("new bar", "same as an earlier bar"), index)


def _kinds(encoding: Encoding) -> list[str]:
    return list(encoding.token_masks(encoding.label_tokens()[None]))


def _kind(words: Words, name: str, encoding: Encoding) -> Breakdown:
    return Breakdown(
        f"kind_{name}",
        f"Kind of the true {words.token}: {name}",
        ("other", name),
        lambda batch: encoding.token_masks(batch.tokens)[name][:, 1:].astype(np.int64),
    )


def _steps(batch: Batch) -> Indices:
    """The number of each predicted step, [1, steps - 1]."""
    return np.arange(1, batch.tokens.shape[1])[None]


def _per_melody(values: Indices, batch: Batch) -> Indices:
    return _per_sequence(values[:, None], batch)


def _per_sequence(values: Indices, batch: Batch) -> Indices:
    """Values [batch or 1, steps - 1 or 1] for every predicted step, [batch, steps - 1]."""
    return np.broadcast_to(values, (len(batch.tokens), batch.tokens.shape[1] - 1))


def _ranges(edges: tuple[int, ...], first: int) -> tuple[str, ...]:
    """Names of the categories between edges, counted from `first`."""
    starts = [first, *(edge + first for edge in edges)]
    names = [str(a) if a == b - 1 else f"{a} to {b - 1}" for a, b in itertools.pairwise(starts)]
    return (*names, f"{starts[-1]} or more")
