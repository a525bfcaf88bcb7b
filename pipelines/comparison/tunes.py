"""What the notes of exact tunes cost models of any representation, on equal terms.

All are told the metre, the key and the pitch of the first note; all pay for its length, for every other note and rest, for
where bars begin, for the length of the last note and for the end. Texts say all of this. Of a melody's events a counted
model, fitted on train, says the pickup and the end (`etude.models.melodies.edges`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.errors import EtudeError, UsageError
from etude.models.evaluation.statistics import Sums
from etude.models.melodies.edges import Edges
from etude.models.melodies.melody_set import MelodySet
from etude.models.sequences.domain import TuneSpan
from etude.models.sequences.tune_span import END, NOTES, SPAN
from etude.pipelines.comparison.datasets import Dataset, Splits
from etude.pipelines.comparison.measurements import DomainMeasurement
from etude.pipelines.comparison.piece_costs import Costs, Values
from etude.pipelines.comparison.results.results import Coverage

NOT_IN_ALL, UNKNOWN = "not-in-all", "unknown-symbol"
"""Why a piece of the split is not compared."""


class Tunes:
    """The tunes of one domain: which piece each is, and what is paid for it.

    Attributes:
      spans: of each piece, where its notes lie; None where a model does not know one of its symbols.
    """

    def __init__(self, measurement: DomainMeasurement) -> None:
        """Looks at the tunes of a measurement, each the only one of its piece."""
        sequences = measurement.sequences
        self._sequences = sequences
        self._places = {source: index for index, source in enumerate(sequences.sources)}
        self.spans: dict[str, TuneSpan | None] = {}
        for source, index in self._places.items():
            attributes = {name: int(values[index]) for name, values in sequences.attributes.items()}
            self.spans[source] = measurement.domain.tune_span(sequences.tokens(index), attributes)
        self._edges = Edges.fitted(measurement.train) if isinstance(measurement.train, MelodySet) else None

    def costs(self, sums: Sums, pieces: Sequence[str]) -> Costs:
        """What is paid for pieces, from the sums over all tunes of the domain."""
        places = self.places(pieces)
        parts = sums.of(SPAN)["token_log_likelihood"][places]
        starts, ends = self.edges(pieces)
        notes = parts[:, NOTES] + starts
        # What stands in a melody after its last note is told by its end alone.
        return Costs(notes + (ends if self._edges else parts[:, END]), notes)

    def edges(self, pieces: Sequence[str]) -> tuple[Values, Values]:
        """Log-likelihoods of what a counted model says of melodies, [pieces] each: pickup, and end; 0 of texts."""
        sequences = self._sequences
        if self._edges is None or not isinstance(sequences, MelodySet):
            return np.zeros(len(pieces)), np.zeros(len(pieces))
        found = [
            self._edges.log_likelihood(sequences.events(place), int(sequences.steps_per_bar[place]))
            for place in self.places(pieces).tolist()
        ]
        starts, ends = np.array(found, np.float64).T
        return starts, ends

    def places(self, pieces: Sequence[str]) -> npt.NDArray[np.int64]:
        """Where the tunes of pieces stand among the sequences of the domain, [pieces]."""
        return np.array([self._places[piece] for piece in pieces], np.int64)


def common_tunes(tunes: Sequence[Tunes]) -> tuple[list[str], dict[str, int]]:
    """The pieces that all models know, in order, and how many are left out, by reason.

    Raises:
      EtudeError: if the representations do not agree in the number of notes: then they are not of the same tunes.
    """
    every = set.union(*(set(one.spans) for one in tunes))
    shared = set.intersection(*(set(one.spans) for one in tunes))
    known = sorted(piece for piece in shared if all(one.spans[piece] for one in tunes))
    for piece in known:
        numbers = {span.num_notes for one in tunes if (span := one.spans[piece])}
        if len(numbers) > 1:
            raise EtudeError(
                f"the representations of {piece} have {' and '.join(map(str, sorted(numbers)))} notes after the first: they "
                "are not of the same tune; write the datasets again with 'etude dataset --exact-tunes'"
            )
    if not known:
        raise EtudeError("the representations have no tune in common that all models know; give more music")
    left_out = {NOT_IN_ALL: len(every) - len(shared), UNKNOWN: len(shared) - len(known)}
    return known, {reason: count for reason, count in left_out.items() if count}


def num_notes(tunes: Tunes, pieces: Sequence[str]) -> Values:
    """Notes after the first, [pieces]."""
    return np.array([span.num_notes for piece in pieces if (span := tunes.spans[piece])], np.float64)


def coverage(datasets: Mapping[str, Dataset]) -> Coverage:
    """How many pieces became exact tunes, as the datasets say, all of the same pieces."""
    description = next(iter(datasets.values())).description
    left_out = dict(description.left_out)
    return Coverage(description.num_pieces + sum(left_out.values()), description.num_pieces, left_out, {})


def check_unchanged(measurements: Sequence[DomainMeasurement], data: Mapping[str, Splits]) -> None:
    """Checks that models read the tunes as they are.

    Raises:
      UsageError: if a model moves them into another key or range, so that what it predicts is another tune.
    """
    for one in measurements:
        if not np.array_equal(one.sequences.flat, data[one.representation].evaluated.flat):
            title = one.configurations[0].configuration.title
            raise UsageError(
                f"{title} moves tunes into its own key or range ({one.domain.name}), so that what it predicts is another "
                "tune: train it on the dataset of exact tunes, which are in C"
            )
