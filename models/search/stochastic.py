"""Sampling, and Magenta's stochastic beam search."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.search.choice import Choice
from etude.models.search.continuation import Continuation, Paths, Rows
from etude.models.search.randomness import keyed_uniform

_DRAWS_AT_ONCE = 128
"""Steps for which random numbers are made together."""


class Samples(NamedTuple):
    """What a stochastic search found.

    Attributes:
      paths: the melodies with their primer.
      scores: the log-probability of the labels that were sampled, at the temperature, whatever narrowed the choice:
        [melodies].
    """

    paths: Paths
    scores: npt.NDArray[np.float64]


def stochastic_search(
    continuation: Continuation,
    num_outputs: int,
    num_steps: int,
    *,
    seed: int,
    first_output: int = 0,
    temperature: float = 1.0,
    choice: Choice | None = None,
    beam_size: int = 1,
    branch_factor: int = 1,
    steps_per_iteration: int = 1,
) -> Samples:
    """Samples melodies, each the most likely of a beam of samples.

    Every beam starts with `beam_size` copies of the primer. In each iteration, every melody of a beam branches into
    `branch_factor` melodies, which are extended by `steps_per_iteration` samples; then the beam is cut to the
    `beam_size` melodies whose sampled labels were the most likely. Beam size and branch factor 1 is plain sampling.
    Source: `magenta/common/beam_search.py`.

    Args:
      continuation: the primer; afterwards, what was found.
      num_outputs: number of melodies.
      num_steps: steps to add.
      seed: of the samples. A melody depends on the seed and its number alone, not on `num_outputs`.
      first_output: number of the first melody.
      temperature: above 1 for more surprise, below for less.
      choice: narrows what may be sampled; None for everything.
      beam_size: melodies that survive an iteration.
      branch_factor: samples of each of them.
      steps_per_iteration: steps between two cuts.
    """
    # The whole beam is repeated, so that branch b of melody m stands at b x beam_size + m, as in Magenta.
    branches = np.tile(np.arange(beam_size), branch_factor)
    outputs = np.arange(num_outputs)
    numbers = outputs[:, None] + first_output, np.arange(len(branches))
    start = continuation.num_steps
    draws = np.zeros((0, 0, 0))
    # Which row of the continuation each melody of each beam is; equal melodies share a row.
    rows = np.zeros((num_outputs, beam_size), np.int64)
    scores = np.zeros(rows.shape)
    was_last = True
    for step in range(num_steps):
        if continuation.ended().all():
            break
        # The first iteration takes what is left over, as in Magenta.
        is_last = (num_steps - 1 - step) % steps_per_iteration == 0
        if was_last and len(branches) > 1:
            rows, scores = rows[:, branches], scores[:, branches]
        log_probabilities = continuation.log_probabilities(temperature)
        chosen = log_probabilities if choice is None else choice.narrow(continuation, log_probabilities, step)
        if step % _DRAWS_AT_ONCE == 0:
            steps = start + step + np.arange(min(_DRAWS_AT_ONCE, num_steps - step))[:, None, None]
            draws = keyed_uniform(seed, numbers[0], steps, numbers[1])
        labels = sample(chosen, rows, draws[step % _DRAWS_AT_ONCE])
        scores = scores + log_probabilities[rows, labels]
        events = continuation.decode(labels, rows)
        if is_last and len(branches) > 1:
            kept = np.argsort(-scores, axis=1, kind="stable")[:, : beam_size if step + 1 < num_steps else 1]
            rows, events = np.take_along_axis(rows, kept, axis=1), np.take_along_axis(events, kept, axis=1)
            scores = np.take_along_axis(scores, kept, axis=1)
        rows = _extend(continuation, rows, events)
        was_last = is_last
    # Where all sequences were over before the last cut, the best of each beam is still to be chosen.
    best = np.argmax(scores, axis=1)
    return Samples(continuation.paths(rows[outputs, best]), scores[outputs, best])


def sample(
    log_probabilities: npt.NDArray[np.float32], rows: Rows, draws: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Draws a label for each uniform number.

    Args:
      log_probabilities: [melodies, num_labels], not necessarily normalised; minus infinity is never drawn.
      rows: which melody to draw for, of any shape.
      draws: uniform numbers in [0, 1), of that shape.
    """
    cumulative = np.exp(log_probabilities, dtype=np.float64).cumsum(axis=1)[rows]
    # The first label whose cumulative probability is beyond the number.
    return (cumulative > draws[..., None] * cumulative[..., -1:]).argmax(axis=-1)


def _extend(continuation: Continuation, rows: Rows, events: npt.NDArray[np.int64]) -> Rows:
    """Extends the melodies at `rows` by `events`, [outputs, beam] each; returns which row each of them is now.

    Melodies of a beam that have become equal share a row. Those of different beams soon differ anyway.
    """
    flat = rows.ravel()
    if rows.shape[1] > 1:
        first, inverse = different(flat, events.ravel())
        continuation.extend(events.ravel()[first], flat[first])
        return inverse.reshape(rows.shape)
    places = np.arange(len(rows))
    is_same = len(rows) == continuation.num_sequences and bool((flat == places).all())
    continuation.extend(events[:, 0], None if is_same else flat)
    return places[:, None]


def different(rows: Rows, tokens: npt.NDArray[np.int64]) -> tuple[Rows, Rows]:
    """Which pairs of row and token there are, whatever numbers stand for the tokens.

    Args:
      rows: not negative, [n].
      tokens: [n].

    Returns:
      Where each different pair first stands, and the number of its pair for every place: [pairs], [n].
    """
    lowest = tokens.min(initial=0)
    keys = rows * (tokens.max(initial=0) - lowest + 1) + (tokens - lowest)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse
