"""One pass of a model over melodies: the sums of every melody, whole and by category."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.evaluation.evaluation import LogProbabilityFunction, MelodySums, batch_sums, batches_by_length, join
from etude.models.evaluation.likelihood import LogProbabilities, event_log_likelihoods, event_probabilities
from etude.models.melodies.melody_set import Batch, MelodySet
from etude.models.progress import Progress, silent
from etude.pipelines.comparison.baselines import Baseline
from etude.pipelines.comparison.breakdowns import Breakdown

Sums = npt.NDArray[np.float64]

NUM_COLUMNS = 3
"""Steps, event log-likelihood, and steps whose most probable event is the true one."""


@dataclasses.dataclass(frozen=True)
class DetailedSums:
    """Sums of every melody; those of parts of a set can be added in any order.

    Attributes:
      melodies: over all steps.
      categories: by name of the breakdown, [melodies, categories, `NUM_COLUMNS`].
    """

    melodies: MelodySums
    categories: Mapping[str, Sums]

    def __add__(self, other: "DetailedSums") -> "DetailedSums":
        """The sums of both sets of melodies."""
        return DetailedSums(
            self.melodies + other.melodies,
            {name: np.concatenate([mine, other.categories[name]]) for name, mine in self.categories.items()},
        )

    def take(self, indices: npt.NDArray[np.int64]) -> "DetailedSums":
        """The sums of the melodies at `indices`."""
        return DetailedSums(
            self.melodies.take(indices), {name: sums[indices] for name, sums in self.categories.items()}
        )


def evaluate_model(
    encoding: Encoding,
    melodies: MelodySet,
    function: LogProbabilityFunction,
    breakdowns: Sequence[Breakdown],
    progress: Progress = silent,
) -> DetailedSums:
    """The sums of a model on melodies in its key and range, in their order."""
    parts = []
    indices = list(batches_by_length(melodies))
    done = 0
    for chosen in indices:
        batch = melodies.batch(chosen, encoding.padding)
        inputs = encoding.inputs(batch.events[:, :-1], batch.steps_per_bar)
        parts.append(detailed_sums(encoding, batch, function(inputs, batch.num_predicted), breakdowns))
        done += len(chosen)
        progress(done, len(melodies))
    return _in_order(parts, indices)


def evaluate_baseline(
    encoding: Encoding, melodies: MelodySet, baseline: Baseline, breakdowns: Sequence[Breakdown]
) -> DetailedSums:
    """The sums of a baseline on melodies in the encoding's range, in their order."""
    indices = list(batches_by_length(melodies))
    batches = [melodies.batch(chosen) for chosen in indices]
    parts = [detailed_sums(encoding, batch, baseline.predict(batch), breakdowns) for batch in batches]
    return _in_order(parts, indices)


def detailed_sums(
    encoding: Encoding, batch: Batch, log_probabilities: LogProbabilities, breakdowns: Sequence[Breakdown]
) -> DetailedSums:
    """The sums of a batch from the log-probabilities of steps 2 to n, [batch, steps - 1, num_labels]."""
    events = batch.events[:, 1:]
    repeats = encoding.repeats(batch.events, batch.steps_per_bar)[:, 1:]
    likelihood = event_log_likelihoods(encoding, log_probabilities, events, repeats)
    best_event = event_probabilities(encoding, log_probabilities, repeats).argmax(axis=-1)
    is_real = np.arange(events.shape[1]) < batch.num_predicted[:, None]
    columns = (is_real, likelihood, best_event == encoding.event_labels(events))
    categories = {
        breakdown.name: _by_category(breakdown.index(batch), len(breakdown.categories), is_real, columns)
        for breakdown in breakdowns
    }
    return DetailedSums(batch_sums(encoding, batch, log_probabilities), categories)


def _by_category(
    index: npt.NDArray[np.int64],
    num_categories: int,
    is_real: npt.NDArray[np.bool_],
    columns: Sequence[npt.NDArray[np.generic]],
) -> Sums:
    """Sums of values [batch, steps] by category: [batch, num_categories, columns]. Category -1 is left out."""
    kept = is_real & (index >= 0)
    cells = (np.arange(len(index))[:, None] * num_categories + index)[kept]
    sums = np.empty((len(index) * num_categories, len(columns)))
    for column, values in enumerate(columns):
        sums[:, column] = np.bincount(cells, weights=values[kept].astype(np.float64), minlength=len(sums))
    return sums.reshape(len(index), num_categories, len(columns))


def _in_order(parts: Sequence[DetailedSums], indices: Sequence[npt.NDArray[np.int64]]) -> DetailedSums:
    categories = {name: np.concatenate([part.categories[name] for part in parts]) for name in parts[0].categories}
    joined = DetailedSums(join([part.melodies for part in parts]), categories)
    return joined.take(np.argsort(np.concatenate(indices)))
