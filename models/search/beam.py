"""Deterministic search for the most likely melodies, over events."""

import numpy as np

from etude.models.encodings.encoding import Encoding
from etude.models.search.choice import Choice, token_log_probabilities
from etude.models.search.continuation import Continuation, Paths


def beam_search(
    encoding: Encoding, continuation: Continuation, num_steps: int, beam_size: int, choice: Choice | None = None
) -> Paths:
    """The most likely melodies that a beam finds, best first and all different.

    The probability of an event is summed over all labels that stand for it. Of all one-step extensions of the beam, the
    `beam_size` most likely are kept; a beam of 1 is greedy search.

    Args:
      encoding: the model's.
      continuation: the primer; afterwards, what was found.
      num_steps: steps to add.
      beam_size: melodies to keep; fewer are found where there are no more.
      choice: which events are allowed; None for all.

    Returns:
      The melodies with their primer.
    """
    label_tokens = encoding.label_tokens()
    scores = np.zeros(1)
    for step in range(num_steps):
        if continuation.ended().all():
            break
        extensions = scores[:, None] + token_log_probabilities(
            encoding, continuation.log_probabilities(), continuation.aliases()
        )
        # What follows an end is impossible, but for the end itself.
        possible = np.isfinite(extensions)
        if choice is not None:
            possible &= choice.events(continuation, step)
        candidates = np.flatnonzero(possible)
        best = candidates[np.argsort(-extensions.ravel()[candidates], kind="stable")[:beam_size]]
        scores = extensions.ravel()[best]
        parents, labels = np.divmod(best, encoding.num_tokens)
        continuation.extend(label_tokens[labels], parents)
    return continuation.paths()
