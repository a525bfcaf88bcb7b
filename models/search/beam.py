"""Deterministic search for the most likely melodies, over events."""

import numpy as np
import numpy.typing as npt

from models.encoding import Encoding
from models.likelihood import event_probabilities
from models.melody import Events
from models.search.continuation import Continuation


def beam_search(
    encoding: Encoding, continuation: Continuation, num_steps: int, beam_size: int
) -> tuple[Events, npt.NDArray[np.float64]]:
    """The most likely melodies that a beam finds, best first and all different.

    The probability of an event is summed over all labels that stand for it. Of all one-step extensions of the beam, the
    `beam_size` most likely are kept; a beam of 1 is greedy search.

    Args:
      encoding: the model's.
      continuation: one copy of the primer.
      num_steps: steps to add.
      beam_size: melodies to keep.

    Returns:
      The melodies with their primer, [at most beam_size, steps], and the log-likelihood of the added events, in nats.
    """
    label_events = encoding.label_events()
    scores = np.zeros(1)
    for _ in range(num_steps):
        with np.errstate(divide="ignore"):
            steps = np.log(event_probabilities(encoding, continuation.log_probabilities(), continuation.repeats))
        extensions = (scores[:, None] + steps).ravel()
        best = np.argsort(-extensions, kind="stable")[:beam_size]
        scores = extensions[best]
        parents, labels = np.divmod(best, encoding.num_events)
        continuation = continuation.take(parents)
        continuation.append(label_events[labels])
    return continuation.events, scores
