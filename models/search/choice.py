"""Narrows what a search may choose: constraints, top-k and nucleus."""

import numpy as np

from etude.models.encodings.encoding import Encoding
from etude.models.melodies.melody import Events
from etude.models.networks.cells.arrays import Array
from etude.models.search.constraints import Mask
from etude.models.search.continuation import Continuation
from etude.models.search.steps import Injection


class Choice:
    """Which events and labels a search may choose from at each step."""

    def __init__(
        self,
        encoding: Encoding,
        allowed: Mask,
        final_notes: Mask | None = None,
        final_from: int = 0,
        top_k: int = 0,
        top_p: float = 1.0,
        ruled_steps: int = 0,
        injection: Injection | None = None,
    ) -> None:
        """Sets what narrows the choice.

        Args:
          encoding: the model's.
          allowed: events that may follow at all, [num_tokens].
          final_notes: events that may be the last note, [num_tokens]; None for any.
          final_from: from this step on (0 is the first after the primer) a melody whose last note is none of those goes
            on with one of them, and one whose last note is keeps to them.
          top_k: sample from the k most likely events; 0 from all.
          top_p: sample from the most likely events that together have this probability (Holtzman et al. 2020); 1 from
            all.
          ruled_steps: how many steps there are, where the rules of the continuation hold; 0 where they do not.
          injection: what sequences are given.
        """
        self._encoding = encoding
        self._allowed = allowed
        self._final_notes = final_notes
        self._final_from = final_from
        self._top_k = top_k
        self._top_p = top_p
        self._ruled_steps = ruled_steps
        self._injection = injection

    def events(self, continuation: Continuation, step: int) -> Mask:
        """The events that constraints allow next, [melodies, num_tokens]."""
        allowed = np.broadcast_to(self._allowed, (continuation.num_sequences, len(self._allowed)))
        if self._ruled_steps:
            allowed = allowed & continuation.allowed(self._ruled_steps - step)
        if self._injection is not None:
            given = self._injection.next_tokens(continuation)[:, None]
            chosen = (given < 0) | continuation.ended()[:, None]
            allowed = np.where(chosen, allowed, self._encoding.label_tokens() == given)
        if self._final_notes is None or step < self._final_from:
            return allowed
        is_note = self._encoding.label_tokens() >= 0
        last = continuation.last_notes()
        ends_well = (last >= 0) & self._final_notes[self._encoding.token_labels(last)]
        return np.where(ends_well[:, None], allowed & (self._final_notes | ~is_note), self._final_notes)

    def narrow(self, continuation: Continuation, log_probabilities: Array, step: int) -> Array:
        """Log-probabilities with minus infinity for every label that may not be chosen; the best label has 0.

        Args:
          continuation: the melodies.
          log_probabilities: of the next label, [melodies, num_labels].
          step: 0 is the first after the primer.
        """
        aliases = continuation.aliases()
        events = self.events(continuation, step)
        if self._top_k or self._top_p < 1:
            likely = token_log_probabilities(self._encoding, log_probabilities, aliases)
            events = events & self._most_likely(np.where(events, likely, -np.inf))
        repeated = np.take_along_axis(events, self._encoding.token_labels(aliases), axis=1)
        chosen = np.where(np.concatenate([events, repeated], axis=1), log_probabilities, np.float32(-np.inf))
        return chosen - chosen.max(axis=1, keepdims=True)

    def _most_likely(self, log_probabilities: Array) -> Mask:
        order = np.argsort(-log_probabilities, axis=1, kind="stable")
        ordered = np.take_along_axis(log_probabilities, order, axis=1)
        kept = np.ones(order.shape, bool)
        if self._top_k:
            kept[:, self._top_k :] = False
        if self._top_p < 1:
            shares = np.exp(ordered - ordered[:, :1], dtype=np.float64)
            before = np.cumsum(shares, axis=1) - shares
            kept &= before < self._top_p * shares.sum(axis=1, keepdims=True)
        result = np.empty_like(kept)
        np.put_along_axis(result, order, kept, axis=1)
        return result


def token_log_probabilities(encoding: Encoding, log_probabilities: Array, aliases: Events) -> Array:
    """The log-probability of every event, over all labels that stand for it, in the order of the event labels.

    Args:
      encoding: the model's.
      log_probabilities: [melodies, num_labels].
      aliases: [melodies, num_aliases].

    Returns:
      [melodies, num_tokens].
    """
    result = log_probabilities[:, : encoding.num_tokens].copy()
    rows = np.arange(len(result))
    for index in range(encoding.num_aliases):
        labels = encoding.token_labels(aliases[:, index])
        through_alias = log_probabilities[:, encoding.num_tokens + index]
        result[rows, labels] = np.logaddexp(result[rows, labels], through_alias)
    return result
