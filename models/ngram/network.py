"""What a counted model expects next."""

import dataclasses

import numpy as np
import numpy.typing as npt

from etude.models.ngram.counts import Integers, Level, histories

LAPLACE, WITTEN_BELL, KNESER_NEY = SMOOTHINGS = ("laplace", "witten-bell", "kneser-ney")

_USUAL_DISCOUNT = 0.5
"""Where counts are too few to estimate one."""

Probabilities = npt.NDArray[np.float64]
LogProbabilities = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class NgramState:
    """The last tokens of a batch of sequences, latest first, [batch, order - 1]."""

    before: Integers

    def take(self, indices: Integers) -> "NgramState":
        """A state that goes on from the sequences at `indices` (which may repeat)."""
        return NgramState(self.before[indices])


class NgramNetwork:
    """Probabilities of the next token from counts, in the place of a network.

    Laplace: (c + 1) / (N + V), where c is how often the token followed the context, N how often anything did, and V the
    size of the vocabulary. Witten and Bell (1991): (c + T p') / (N + T), where T is how many different tokens followed and
    p' the probability after the context without its oldest token. Kneser and Ney (1995), interpolated (Chen and Goodman
    1999): (c - D + D T p') / N, with D = n1 / (n1 + 2 n2) from the numbers of pairs that occur once and twice, and with
    continuation counts below the longest contexts. The shortest contexts are mixed with a uniform distribution.
    """

    def __init__(self, levels: list[Level], num_tokens: int, smoothing: str) -> None:
        """Takes the counts.

        Args:
          levels: by length of context; for Kneser-Ney those of `etude.models.ngram.counts.continuation_counts`.
          num_tokens: size of the vocabulary.
          smoothing: one of `SMOOTHINGS`.
        """
        self._num_tokens = num_tokens
        self._smoothing = smoothing
        self._levels = levels
        self._starts = [
            np.searchsorted(level.successors, np.arange(len(level.contexts) + 1) * num_tokens) for level in levels
        ]
        self._totals = [
            np.add.reduceat(level.counts, starts[:-1]) for level, starts in zip(levels, self._starts, strict=True)
        ]
        self._offsets = np.cumsum([0, *(len(level.contexts) for level in levels)])

    def initial_state(self, batch_size: int) -> NgramState:
        """The state before the first token."""
        return NgramState(np.full((batch_size, len(self._levels) - 1), self._num_tokens, np.int64))

    def step(self, inputs: Integers, state: NgramState) -> tuple[LogProbabilities, NgramState]:
        """Log-probabilities after the next tokens, [batch, num_tokens] from [batch], and the state after them."""
        before = np.concatenate([inputs[:, None], state.before], axis=1)[:, : len(self._levels) - 1]
        return self.log_probabilities(before), NgramState(before)

    def logits(self, inputs: Integers) -> LogProbabilities:
        """Log-probabilities after every step of whole sequences: [batch, steps, num_tokens] from [batch, steps]."""
        before = histories(inputs, len(self._levels) - 1, self._num_tokens)
        flat = before.reshape(inputs.size, len(self._levels) - 1)
        return self.log_probabilities(flat).reshape(*inputs.shape, self._num_tokens)

    def log_probabilities(self, before: Integers) -> LogProbabilities:
        """Log-probabilities of the next token: [n, num_tokens] from the tokens before it, latest first, [n, order - 1]."""
        contexts = self._contexts(before)
        lengths = (contexts >= 0).sum(axis=0) - 1
        # The longest known context tells all the shorter ones, so each different one is looked up once.
        longest = self._offsets[lengths] + contexts[lengths, np.arange(len(before))]
        _, first, inverse = np.unique(longest, return_index=True, return_inverse=True)
        table = self._probabilities(contexts[:, first])
        log_probabilities: LogProbabilities = np.log(table).astype(np.float32)[inverse]
        return log_probabilities

    def _contexts(self, before: Integers) -> Integers:
        """The number of each context of each length, -1 where it never occurred: [order, n]."""
        result = np.zeros((len(self._levels), len(before)), np.int64)
        for length in range(1, len(self._levels)):
            known, shorter = self._levels[length].contexts, result[length - 1]
            keys = shorter * (self._num_tokens + 1) + before[:, length - 1]
            place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            result[length] = np.where((shorter >= 0) & (known[place] == keys), place, -1)
        return result

    def _probabilities(self, contexts: Integers) -> Probabilities:
        """Probabilities of the next token after contexts [order, n]: [n, num_tokens]."""
        table = np.full((contexts.shape[1], self._num_tokens), 1 / self._num_tokens)
        lengths = range(len(self._levels))
        for length in lengths[-1:] if self._smoothing == LAPLACE else lengths:
            rows = np.flatnonzero(contexts[length] >= 0)
            self._mix(table, rows, length, contexts[length, rows])
        return table

    def _mix(self, table: Probabilities, rows: Integers, length: int, context: Integers) -> None:
        """Replaces the probabilities after shorter contexts, in the rows of a table, by those after `context`."""
        level, starts = self._levels[length], self._starts[length]
        totals, types = self._totals[length][context], np.diff(starts)[context]
        # Every pair of a row and a token that followed its context.
        row = np.repeat(np.arange(len(rows)), types)
        pair = np.arange(len(row)) + np.repeat(starts[context] - (np.cumsum(types) - types), types)
        counts, cells = level.counts[pair], (rows[row], level.successors[pair] % self._num_tokens)
        if self._smoothing == LAPLACE:
            denominators = totals + self._num_tokens
            table[rows] = 1 / denominators[:, None]
            table[cells] = (counts + 1) / denominators[row]
        elif self._smoothing == WITTEN_BELL:
            table[rows] *= (types / (totals + types))[:, None]
            table[cells] += counts / (totals + types)[row]
        else:
            discount = _discount(level)
            table[rows] *= (discount * types / totals)[:, None]
            table[cells] += (counts - discount) / totals[row]


def _discount(level: Level) -> float:
    """Ney, Essen and Kneser (1994)."""
    once, twice = int((level.counts == 1).sum()), int((level.counts == 2).sum())
    return once / (once + 2 * twice) if once else _USUAL_DISCOUNT
