"""Sampling, and Magenta's stochastic beam search."""

import numpy as np
import numpy.typing as npt

from models.melody import Events
from models.search.continuation import Continuation
from models.search.randomness import keyed_uniform


def stochastic_search(
    continuation: Continuation,
    num_outputs: int,
    num_steps: int,
    *,
    seed: int,
    first_output: int = 0,
    temperature: float = 1.0,
    beam_size: int = 1,
    branch_factor: int = 1,
    steps_per_iteration: int = 1,
) -> tuple[Events, npt.NDArray[np.float64]]:
    """Samples melodies, each the most likely of a beam of samples.

    Every beam starts with `beam_size` copies of the primer. In each iteration, every melody of a beam branches into
    `branch_factor` melodies, which are extended by `steps_per_iteration` samples; then the beam is cut to the
    `beam_size` melodies whose sampled labels were the most likely. Beam size and branch factor 1 is plain sampling.
    Source: `magenta/common/beam_search.py`.

    Args:
      continuation: `num_outputs` copies of the primer.
      num_outputs: number of melodies.
      num_steps: steps to add.
      seed: of the samples. A melody depends on the seed and its number alone, not on `num_outputs`.
      first_output: number of the first melody.
      temperature: above 1 for more surprise, below for less.
      beam_size: melodies that survive an iteration.
      branch_factor: samples of each of them.
      steps_per_iteration: steps between two cuts.

    Returns:
      The melodies with their primer, [num_outputs, steps], and the log-probability of the labels that were sampled, at
      the temperature, [num_outputs].
    """
    outputs = np.arange(num_outputs)
    beam = continuation.take(np.repeat(outputs, beam_size))
    scores = np.zeros((num_outputs, beam_size))
    # The first iteration takes what is left over, as in Magenta.
    iteration = (num_steps - 1) % steps_per_iteration + 1
    remaining = num_steps
    while remaining:
        # The whole beam is repeated, so that branch b of melody m stands at b x beam_size + m, as in Magenta.
        branches = np.tile(np.arange(beam_size), branch_factor)
        beam = beam.take((outputs[:, None] * beam_size + branches).ravel())
        scores = scores[:, branches]
        keys = (outputs[:, None] + first_output, np.arange(len(branches)))
        for _ in range(iteration):
            log_probabilities = beam.log_probabilities(temperature)
            draws = keyed_uniform(seed, keys[0], beam.events.shape[1], keys[1])
            labels = sample(log_probabilities, draws.ravel())
            scores = scores + np.take_along_axis(log_probabilities, labels[:, None], axis=1).reshape(scores.shape)
            beam.append(beam.decode(labels))
        remaining -= iteration
        iteration = steps_per_iteration
        kept = np.argsort(-scores, axis=1, kind="stable")[:, : beam_size if remaining else 1]
        scores = np.take_along_axis(scores, kept, axis=1)
        beam = beam.take((outputs[:, None] * len(branches) + kept).ravel())
    return beam.events, scores[:, 0]


def sample(log_probabilities: npt.NDArray[np.float32], draws: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Labels [batch] from log-probabilities [batch, num_labels] and uniform numbers [batch]."""
    cumulative = np.cumsum(np.exp(log_probabilities, dtype=np.float64), axis=1)
    return (cumulative <= draws[:, None] * cumulative[:, -1:]).sum(axis=1)
