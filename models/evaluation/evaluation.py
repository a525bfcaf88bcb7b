"""The figures of a model on a set of melodies: sums for every melody, and what follows from them.

Sums are kept for each melody, so that figures can be added up in any order, resampled and compared pairwise.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, Inputs
from etude.models.evaluation.likelihood import (
    LogProbabilities,
    event_log_likelihoods,
    event_probabilities,
    label_log_likelihoods,
)
from etude.models.melodies.melody_set import Batch, MelodySet
from etude.models.progress import Progress, silent
from etude.models.storage import evaluation_pb2

Sums = npt.NDArray[np.float64]

LogProbabilityFunction = Callable[[Inputs, npt.NDArray[np.int64]], LogProbabilities]
"""From inputs [batch, steps, input_size] and lengths [batch] to log-probabilities [batch, steps, num_labels]."""

PADDED_STEPS_PER_BATCH = 1 << 15
"""Bounds the memory of evaluation: 2^15 steps of 40 labels take 5 MB."""


@dataclasses.dataclass(frozen=True)
class MelodySums:
    """Sums over the predicted steps of each melody, all [melodies].

    Attributes:
      num_steps: predicted steps: every event but the first.
      num_notes: note-ons among them.
      log_likelihood: of the canonical labels, in nats.
      inverse_probability: one over the probability of the canonical label.
      correct: steps whose most probable label is the canonical one.
      event_steps: steps whose canonical label is not the no-event label.
      event_correct: those of them that are correct.
      event_log_likelihood: of the events, over all labels that stand for them, in nats.
      most_probable_event_correct: steps whose most probable event is the true one.
    """

    num_steps: Sums
    num_notes: Sums
    log_likelihood: Sums
    inverse_probability: Sums
    correct: Sums
    event_steps: Sums
    event_correct: Sums
    event_log_likelihood: Sums
    most_probable_event_correct: Sums

    def __add__(self, other: "MelodySums") -> "MelodySums":
        """The sums of both sets of melodies."""
        return join([self, other])

    def take(self, indices: npt.NDArray[np.int64]) -> "MelodySums":
        """The sums of the melodies at `indices`."""
        return MelodySums(*(getattr(self, field.name)[indices] for field in dataclasses.fields(self)))

    def total(self) -> dict[str, float]:
        """The sums of all melodies together, by name, and `num_melodies`; those of two sets add up."""
        sums = {field.name: float(getattr(self, field.name).sum()) for field in dataclasses.fields(self)}
        return {"num_melodies": float(len(self.num_steps)), **sums}

    @classmethod
    def of_total(cls, total: Mapping[str, float]) -> "MelodySums":
        """A total as the sums of one melody."""
        return cls(*(np.array([total[field.name]]) for field in dataclasses.fields(cls)))


def join(parts: Sequence[MelodySums]) -> MelodySums:
    """The sums of several sets of melodies as of one set; of none, those of no melodies."""
    names = [field.name for field in dataclasses.fields(MelodySums)]
    return MelodySums(*(np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)]) for name in names))


def batch_sums(encoding: Encoding, batch: Batch, log_probabilities: LogProbabilities) -> MelodySums:
    """The sums of a batch of melodies.

    Args:
      encoding: the model's.
      batch: melodies in the model's key and range.
      log_probabilities: [batch, steps - 1, num_labels], after each event but the last.
    """
    events = batch.events[:, 1:]
    repeats = encoding.repeats(batch.events, batch.steps_per_bar)[:, 1:]
    labels = encoding.canonical_labels(events, repeats)
    is_real = np.arange(events.shape[1]) < batch.num_predicted[:, None]

    label_likelihood = label_log_likelihoods(log_probabilities, labels)
    event_likelihood = event_log_likelihoods(encoding, log_probabilities, events, repeats)
    best_event = event_probabilities(encoding, log_probabilities, repeats).argmax(axis=-1)
    correct = log_probabilities.argmax(axis=-1) == labels
    is_event = labels != encoding.no_event_label

    with np.errstate(over="ignore"):
        inverse_probability = np.exp(-label_likelihood.astype(np.float64))

    def total(values: npt.NDArray[np.generic]) -> Sums:
        return np.where(is_real, values, 0).sum(axis=1, dtype=np.float64)

    return MelodySums(
        num_steps=total(is_real),
        num_notes=total(events >= 0),
        log_likelihood=total(label_likelihood),
        inverse_probability=total(inverse_probability),
        correct=total(correct),
        event_steps=total(is_event),
        event_correct=total(correct & is_event),
        event_log_likelihood=total(event_likelihood),
        most_probable_event_correct=total(best_event == encoding.event_labels(events)),
    )


def evaluate(
    encoding: Encoding, melodies: MelodySet, function: LogProbabilityFunction, progress: Progress = silent
) -> MelodySums:
    """The sums of every melody of a set, in its order; each is evaluated once, without dropout.

    Args:
      encoding: the model's.
      melodies: in the model's key and range.
      function: the model.
      progress: told after every batch.
    """
    parts, order = [], []
    done = 0
    for indices in batches_by_length(melodies):
        batch = melodies.batch(indices)
        inputs = encoding.inputs(batch.events[:, :-1], batch.steps_per_bar)
        parts.append(batch_sums(encoding, batch, function(inputs, batch.num_predicted)))
        order.append(indices)
        done += len(indices)
        progress(done, len(melodies))
    return join(parts).take(np.argsort(np.concatenate([np.zeros(0, np.int64), *order])))


def batches_by_length(melodies: MelodySet) -> Iterator[npt.NDArray[np.int64]]:
    """Indices of melodies of similar length, in batches of about `PADDED_STEPS_PER_BATCH` padded steps."""
    order = np.argsort(melodies.lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and melodies.lengths[order[stop]] * (stop + 1 - start) <= PADDED_STEPS_PER_BATCH:
            stop += 1
        yield order[start:stop]
        start = stop


def label_figures(sums: MelodySums) -> evaluation_pb2.LabelFigures:
    """Loss, perplexity and accuracies over labels, weighted by step, as Magenta defines them.

    An accuracy over no steps is 0, as in Magenta.
    """
    steps, events = sums.num_steps.sum(), sums.event_steps.sum()
    loss = -sums.log_likelihood.sum() / steps
    return evaluation_pb2.LabelFigures(
        loss=loss,
        perplexity=perplexity(loss),
        accuracy=sums.correct.sum() / steps,
        event_accuracy=_ratio(sums.event_correct.sum(), events),
        no_event_accuracy=_ratio(sums.correct.sum() - sums.event_correct.sum(), steps - events),
        mean_inverse_probability=sums.inverse_probability.sum() / steps,
    )


def event_figures(sums: MelodySums, num_melodies: int | None = None) -> evaluation_pb2.EventFigures:
    """Loss, perplexity, accuracy, log-likelihood and bits per note over events: comparable between encodings.

    Args:
      sums: of each melody, or of all together.
      num_melodies: how many these are, if the sums are of all together.
    """
    steps = sums.num_steps.sum()
    nats = -sums.event_log_likelihood.sum()
    return evaluation_pb2.EventFigures(
        loss=nats / steps,
        perplexity=perplexity(nats / steps),
        accuracy=sums.most_probable_event_correct.sum() / steps,
        log_likelihood=-nats / (num_melodies or len(sums.num_steps)),
        bits_per_note=_ratio(nats / np.log(2), sums.num_notes.sum()),
    )


def report(sums: MelodySums, num_melodies: int | None = None) -> evaluation_pb2.EvaluationReport:
    """All figures of a set of melodies; the caller adds which model and which melodies they are of.

    Args:
      sums: of each melody, or of all together.
      num_melodies: how many these are, if the sums are of all together.
    """
    number = num_melodies or len(sums.num_steps)
    return evaluation_pb2.EvaluationReport(
        num_melodies=number,
        num_steps=int(sums.num_steps.sum()),
        num_notes=int(sums.num_notes.sum()),
        log_likelihood=sums.log_likelihood.sum() / number,
        label=label_figures(sums),
        event=event_figures(sums, number),
    )


def perplexity(loss: float) -> float:
    """exp(loss), infinite where that is too large for a number."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
