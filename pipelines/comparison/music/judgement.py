"""How the melodies that models made compare with real ones, as music."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.melodies.content import hash_runs, interval_numbers
from etude.models.melodies.melody import STEPS_PER_BAR, Events
from etude.models.melodies.melody_set import MelodySet
from etude.models.sequences.domain import Domain
from etude.models.sequences.notes import Notes
from etude.models.sequences.sequence_set import SequenceSet
from etude.pipelines.comparison.measurements import DomainMeasurement
from etude.pipelines.comparison.music.generated_sets import Example, GeneratedSet
from etude.pipelines.comparison.music.measures import (
    SCALARS,
    YANG_AND_LERCH,
    NoteTable,
    measure_melodies,
)
from etude.pipelines.comparison.music.polyphony import SCALARS as OF_PIECES
from etude.pipelines.comparison.music.polyphony import measure_piece, run_numbers
from etude.pipelines.comparison.results.results import MusicResult, MusicSetResult
from etude.pipelines.comparison.statistics.bootstrap import interval, resampled_sums
from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.comparison.statistics.set_distances import Similarity, similarity_of_counts, similarity_of_sets

COPIED_NOTES = (4, 8, 12)
"""Lengths of the runs of notes that are looked for in the training melodies."""

MAX_MELODIES = 100
"""Of a set in comparisons of all pairs; more are thinned out evenly."""

_MIN_LONG = 10

Counts = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class _Melodies:
    """Melodies of one set, all cut to one length and of the same steps."""

    events: list[Events]
    steps_per_bar: list[int]
    steps_per_quarter: int

    def thinned(self, most: int) -> "_Melodies":
        """At most so many, evenly taken."""
        if len(self.events) <= most:
            return self
        chosen = np.linspace(0, len(self.events) - 1, most).astype(int)
        return dataclasses.replace(
            self,
            events=[self.events[item] for item in chosen],
            steps_per_bar=[self.steps_per_bar[item] for item in chosen],
        )

    def measures(self) -> dict[str, npt.NDArray[np.float64]]:
        """All measures of every melody."""
        return measure_melodies(self.events, self.steps_per_bar, self.steps_per_quarter)


def judge_music(measurement: DomainMeasurement, generated: Sequence[GeneratedSet]) -> MusicResult | None:
    """Measures the generated melodies of a pitch range beside the evaluated split and the training split.

    Args:
      measurement: the pitch range, with its real melodies.
      generated: the melodies of all models; those of models of other pitch ranges are passed over.

    Returns:
      None if no model of the pitch range generated any.
    """
    sets = {}
    for configuration in (configuration.configuration.name for configuration in measurement.configurations):
        examples = [
            example
            for generated_set in generated
            if generated_set.configuration == configuration
            for example in generated_set.examples
        ]
        if examples:
            sets[configuration] = examples
    evaluated, train = measurement.sequences, measurement.train
    if (
        sets
        and measurement.domain.has_notes
        and not measurement.domain.are_drums
        and not isinstance(evaluated, MelodySet)
    ):
        return _judge_pieces(measurement, sets)
    if not sets or not isinstance(evaluated, MelodySet) or not isinstance(train, MelodySet):
        return None
    num_steps = max(len(example.events) for examples in sets.values() for example in examples)
    steps_per_quarter = measurement.configurations[0].configuration.configuration.steps_per_quarter
    real = _cut(evaluated, num_steps, steps_per_quarter)
    trained = _cut(train, num_steps, steps_per_quarter).thinned(MAX_MELODIES)
    known = {n: _ngrams([train.events(index) for index in range(len(train))], n) for n in COPIED_NOTES}
    results = [_judge("eval", real, None, known), _judge("train", trained, real, {})]
    for configuration, examples in sets.items():
        bars = [example.steps_per_bar for example in examples]
        melodies = _Melodies([example.events for example in examples], bars, steps_per_quarter)
        results.append(_judge(configuration, melodies, real, known, _likelihoods(examples)))
    return MusicResult(measurement.domain.name, num_steps, results)


def _judge_pieces(measurement: DomainMeasurement, sets: Mapping[str, Sequence[Example]]) -> MusicResult:
    """Measures generated pieces of several voices beside those of the splits, all cut to one length."""
    steps_per_quarter = measurement.configurations[0].configuration.configuration.steps_per_quarter
    num_steps = max(example.num_steps for examples in sets.values() for example in examples)
    train = _pieces(measurement.train, measurement.domain, len(measurement.train), steps_per_quarter)
    known = {n: np.unique(hash_runs([run_numbers(notes) for notes, _ in train], n)) for n in COPIED_NOTES}
    evaluated = _pieces(measurement.sequences, measurement.domain, MAX_MELODIES, steps_per_quarter)
    results = [
        _judge_set("eval", evaluated, num_steps, steps_per_quarter, known),
        _judge_set("train", train[:MAX_MELODIES], num_steps, steps_per_quarter, {}),
    ]
    for name, examples in sets.items():
        pieces = [(_notes(example), example.steps_per_bar) for example in examples]
        results.append(_judge_set(name, pieces, num_steps, steps_per_quarter, known, _likelihoods(examples)))
    return MusicResult(measurement.domain.name, num_steps, results)


_Piece = tuple[Notes, int]
"""Its notes, and the steps in a bar."""


def _pieces(sequences: SequenceSet, domain: Domain, most: int, steps_per_quarter: int) -> list[_Piece]:
    """Pieces of a split, evenly taken."""
    chosen = np.unique(np.linspace(0, len(sequences) - 1, min(most, len(sequences))).astype(int)).tolist()
    bars = sequences.attributes.get(STEPS_PER_BAR, np.full(len(sequences), 4 * steps_per_quarter))
    return [(_in_order(domain.notes(sequences.tokens(index))), int(bars[index])) for index in chosen]


def _notes(example: Example) -> Notes:
    return _in_order(example.domain.notes(example.events))


def _in_order(notes: Notes) -> Notes:
    order = np.lexsort((notes.pitches, notes.onsets))
    return Notes(notes.onsets[order], notes.pitches[order], notes.durations[order])


def _judge_set(
    name: str,
    pieces: Sequence[_Piece],
    num_steps: int,
    steps_per_quarter: int,
    known: Mapping[int, npt.NDArray[np.uint64]],
    likelihoods: Mapping[str, float] | None = None,
) -> MusicSetResult:
    measured = [
        measure_piece(notes, min(num_steps, max(_length(notes), 1)), bar, steps_per_quarter) for notes, bar in pieces
    ]
    runs = [run_numbers(notes.before(num_steps)) for notes, _ in pieces]
    return MusicSetResult(
        name=name,
        num_melodies=len(pieces),
        measures={key: _estimate(np.array([one[key] for one in measured])) for key in OF_PIECES},
        relative={},
        distributions={},
        copied={n: _share_known(hash_runs(runs, n), hashes) for n, hashes in known.items()},
        likelihoods=likelihoods or {},
    )


def _length(notes: Notes) -> int:
    return int((notes.onsets + notes.durations).max(initial=0))


def _likelihoods(examples: Sequence[Example]) -> dict[str, float]:
    """Means over examples, under the model that made each."""
    found = {
        "event_log_likelihood": float(np.mean([example.event_log_likelihood for example in examples])),
        "log_likelihood": float(np.mean([example.log_likelihood for example in examples])),
    }
    paths = [example.path_log_likelihood for example in examples if example.path_log_likelihood is not None]
    return {**found, **({"path_log_likelihood": float(np.mean(paths))} if paths else {})}


def _cut(melodies: MelodySet, num_steps: int, steps_per_quarter: int) -> _Melodies:
    """The first steps of the melodies that have so many; of all melodies, where hardly any has."""
    long = np.flatnonzero(melodies.lengths >= num_steps)
    chosen = long if len(long) >= _MIN_LONG else np.arange(len(melodies))
    return _Melodies(
        [melodies.events(int(index))[:num_steps] for index in chosen],
        [int(melodies.steps_per_bar[index]) for index in chosen],
        steps_per_quarter,
    )


def _judge(
    name: str,
    melodies: _Melodies,
    reference: _Melodies | None,
    known: Mapping[int, npt.NDArray[np.uint64]],
    likelihoods: Mapping[str, float] | None = None,
) -> MusicSetResult:
    measures = melodies.measures()
    relative: dict[str, Similarity] = {}
    distributions: dict[str, Similarity] = {}
    if reference is not None:
        few, real = melodies.thinned(MAX_MELODIES), reference.thinned(MAX_MELODIES)
        ours, theirs = few.measures(), real.measures()
        relative = {measure: similarity_of_sets(theirs[measure], ours[measure]) for measure in YANG_AND_LERCH}
        counted, expected = distribution_counts(melodies), distribution_counts(reference)
        distributions = {count: similarity_of_counts(expected[count], counted[count]) for count in counted}
    return MusicSetResult(
        name=name,
        num_melodies=len(melodies.events),
        measures={measure: _estimate(measures[measure]) for measure in SCALARS},
        relative=relative,
        distributions=distributions,
        copied={n: _copied(melodies.events, n, hashes) for n, hashes in known.items()},
        likelihoods=likelihoods or {},
    )


def distribution_counts(melodies: _Melodies) -> dict[str, Counts]:
    """Notes (and bars) of all melodies together, by pitch class, interval, duration, and notes in a bar."""
    notes = NoteTable.of(melodies.events, melodies.steps_per_bar)
    later = notes.follows
    longer = 4 * melodies.steps_per_quarter + 1  # than a whole note
    bar = notes.onset // notes.steps_per_bar[notes.melody]
    num_bars = -(-notes.num_steps // notes.steps_per_bar)
    first_bar = np.cumsum(num_bars) - num_bars
    in_bar = np.bincount(first_bar[notes.melody] + bar, minlength=int(num_bars.sum()))
    return {
        "pitch_class": np.bincount(notes.pitch % 12, minlength=12),
        "interval": np.bincount(np.clip(notes.pitch[later] - notes.pitch[later - 1], -13, 13) + 13, minlength=27),
        "duration": np.bincount(np.minimum(notes.duration, longer), minlength=longer + 1)[1:],
        "notes_per_bar": np.bincount(np.minimum(in_bar, 17), minlength=18),
    }


def _estimate(values: npt.NDArray[np.float64]) -> Estimate:
    """The mean over melodies with its interval."""
    resampled = resampled_sums(values[:, None])[:, 0] / len(values)
    return Estimate(float(values.mean()), interval(resampled))


def _ngrams(melodies: Sequence[Events], n: int) -> npt.NDArray[np.uint64]:
    return np.unique(hash_runs([interval_numbers(events) for events in melodies], n))


def _copied(melodies: Sequence[Events], n: int, known: npt.NDArray[np.uint64]) -> float | None:
    """The share of runs of `n` notes that are known; None where no melody has so many notes."""
    return _share_known(hash_runs([interval_numbers(events) for events in melodies], n), known)


def _share_known(found: npt.NDArray[np.uint64], known: npt.NDArray[np.uint64]) -> float | None:
    return float(np.isin(found, known).mean()) if found.size else None
