"""Sequences that grow in lockstep under a model."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, Mask
from etude.models.family import SequenceModel
from etude.models.networks.cells.arrays import Array
from etude.models.networks.network import log_softmax
from etude.models.search.steps import StepLength
from etude.models.sequences.batch import Attributes, Tokens
from etude.models.sequences.rules import Rules

Rows = npt.NDArray[np.int64]


class Paths(NamedTuple):
    """Sequences, and what the model expected at every step of them.

    Attributes:
      tokens: [sequences, steps]; after its end a sequence is padded with the last token of that.
      logits: after each token but the last, [sequences, steps - 1, num_labels].
      lengths: tokens of each sequence, its end included, [sequences].
    """

    tokens: Tokens
    logits: Array
    lengths: npt.NDArray[np.int64]


@dataclasses.dataclass
class _Step:
    """One step of all sequences: a token each, which sequence of the step before it follows (None: the same row)."""

    tokens: Tokens
    parents: Rows | None
    logits: Array | None = None


class Continuation:
    """A batch of sequences, what the model expects next of each, and what its aliases would mean.

    Sequences keep no copy of their past: a step remembers which rows of the step before it goes on from, and `paths`
    walks back. The network reads the last tokens only when something is asked of them, so that sequences which a search
    drops right away cost nothing.

    Attributes:
      steps: whole steps of each sequence, [sequences]; where its length is not counted in steps, 0.
      tokens_in_step: tokens of each sequence after its last whole step and its start, [sequences]; likewise.
    """

    def __init__(
        self,
        encoding: Encoding,
        network: SequenceModel,
        primer: Tokens,
        attributes: Attributes,
        length: StepLength | None = None,
        *,
        end: Sequence[int] = (),
        rules: Rules | None = None,
    ) -> None:
        """Starts with one sequence, the primer.

        Args:
          encoding: the model's.
          network: the model's.
          primer: [steps], at least one token.
          attributes: of the primer, as of a batch of one.
          length: when a sequence is over, where that is counted in steps of several tokens.
          end: the tokens with which sequences end, one after the other; none for the encoding's own, if it has one. The
            first of them stands there once.
          rules: what may follow; None for everything. They allow the primer.
        """
        self._encoding = encoding
        self._network = network
        self._label_tokens = encoding.label_tokens()
        self._length = length
        own = encoding.end_token if length is None else length.filler
        self._may_end = bool(end)
        self._end = tuple(end) or (() if own is None else (own,))
        self._rules = rules
        self._states = [] if rules is None else [rules.start]
        self._num_matched = np.zeros(1, np.int64)
        self.steps, self.tokens_in_step = np.zeros(1, np.int64), np.full(1, -1)
        self._stream = encoding.stream(1, attributes)
        self._state = network.initial_state(1)
        self._trail: list[_Step] = []
        for event in primer:
            self.extend(np.array([event]))

    @property
    def num_steps(self) -> int:
        """Tokens of every sequence so far."""
        return len(self._trail)

    @property
    def num_sequences(self) -> int:
        """Sequences at the last step."""
        return len(self._trail[-1].tokens)

    def extend(self, tokens: Tokens, parents: Rows | None = None) -> None:
        """Goes on with the sequences at `parents`, each with one token more.

        Args:
          tokens: [sequences].
          parents: rows of the sequences so far, which may repeat; None for all of them as they are.
        """
        if self._trail:
            self._read()
        if parents is not None:
            self._stream = self._stream.take(parents)
            self._state = self._state.take(parents)
            self._num_matched = self._num_matched[parents]
            self._states = [self._states[parent] for parent in parents.tolist()] if self._rules else []
            self.steps, self.tokens_in_step = self.steps[parents], self.tokens_in_step[parents]
        if self._length is not None:
            moved = self._length.lengths[tokens]
            self.steps = self.steps + moved
            self.tokens_in_step = np.where(moved > 0, 0, self.tokens_in_step + 1)
        if self._rules is not None:
            pairs = zip(self._states, tokens.tolist(), strict=True)
            self._states = [self._rules.after(state, token) for state, token in pairs]
        self._num_matched = _matched(self._num_matched, tokens, self._end)
        self._trail.append(_Step(tokens, parents))

    def logits(self) -> Array:
        """The network's for the next label: [sequences, num_labels]."""
        return self._read()

    def log_probabilities(self, temperature: float = 1.0) -> Array:
        """Log-probabilities of the next label: [sequences, num_labels]. Above temperature 1 they are more even.

        A sequence that is over goes on with its end for certain, so that neither its likelihood nor its rank changes.
        """
        logits = self._read()
        result = log_softmax(logits if temperature == 1.0 else logits / np.float32(temperature))
        ended = self.ended()
        if ended.any():
            result[ended] = -np.inf
            result[ended, self._encoding.token_labels(np.array(self._end[-1]))] = 0
        return result

    def ended(self) -> Mask:
        """Which sequences are over: [sequences]."""
        if self._length is None:
            return _is_over(self._num_matched, self._end)
        is_over: Mask = self.steps >= self._length.num_steps
        return is_over | _is_over(self._num_matched, self._end) if self._may_end else is_over

    def allowed(self, num_left: int) -> Mask:
        """The tokens that the rules allow next, in the order of their labels: [sequences, num_tokens].

        Args:
          num_left: how many tokens are still to come.
        """
        everything = np.ones(self._encoding.num_tokens, bool)
        if self._rules is None:
            return np.broadcast_to(everything, (self.num_sequences, len(everything)))
        pairs = zip(self._states, self.ended().tolist(), strict=True)
        return np.stack([everything if over else self._rules.allowed(state, num_left) for state, over in pairs])

    def aliases(self) -> Tokens:
        """The token that each alias stands for at the next step: [sequences, num_aliases]."""
        self._read()
        return self._stream.aliases()

    def decode(self, labels: npt.NDArray[np.int64], rows: Rows) -> Tokens:
        """The tokens that labels stand for at the next step of the sequences at `rows`: of the shape of both."""
        encoding = self._encoding
        if not encoding.num_aliases:
            return self._label_tokens[labels]
        meanings = np.empty((self.num_sequences, encoding.num_labels), np.int64)
        meanings[:, : encoding.num_tokens] = self._label_tokens
        meanings[:, encoding.num_tokens :] = self.aliases()
        return meanings[rows, labels]

    def last_notes(self) -> Tokens:
        """The pitch of the last note-on of every sequence, -1 where there was none: [sequences]."""
        notes = np.full(self.num_sequences, -1)
        rows = np.arange(self.num_sequences)
        for step in reversed(self._trail):
            notes = np.where(notes < 0, np.maximum(step.tokens[rows], -1), notes)
            if (notes >= 0).all():
                break
            if step.parents is not None:
                rows = step.parents[rows]
        return notes

    def paths(self, rows: Rows | None = None) -> Paths:
        """The sequences at `rows` (all of them if None) with their whole past."""
        rows = np.arange(self.num_sequences) if rows is None else rows
        tokens = np.empty((len(rows), len(self._trail)), np.int64)
        logits = np.empty((len(rows), len(self._trail) - 1, self._encoding.num_labels), np.float32)
        for index in range(len(self._trail) - 1, -1, -1):
            step = self._trail[index]
            if step.logits is not None and index < len(self._trail) - 1:
                logits[:, index] = step.logits[rows]
            tokens[:, index] = step.tokens[rows]
            if step.parents is not None:
                rows = step.parents[rows]
        return Paths(tokens, logits, self._lengths(tokens))

    def _lengths(self, tokens: Tokens) -> npt.NDArray[np.int64]:
        """Tokens up to the first end, [sequences]."""
        is_over = np.zeros((len(tokens), tokens.shape[1] + 1), bool)
        is_over[:, -1] = True
        if self._length is not None:
            is_over[:, :-1] = np.cumsum(self._length.lengths[tokens], axis=1) >= self._length.num_steps
        matched = np.zeros(len(tokens), np.int64)
        for step in range(tokens.shape[1] if self._length is None or self._may_end else 0):
            matched = _matched(matched, tokens[:, step], self._end)
            is_over[:, step] |= _is_over(matched, self._end)
        return np.minimum(is_over.argmax(axis=1) + 1, tokens.shape[1])

    def _read(self) -> Array:
        """Lets the network read the last tokens, unless it has: the logits after them."""
        step = self._trail[-1]
        if step.logits is None:
            inputs = self._stream.append(step.tokens)
            step.logits, self._state = self._network.step(inputs, self._state)
        return step.logits


def _matched(num_matched: Rows, tokens: Tokens, end: tuple[int, ...]) -> Rows:
    """How much of the end sequences have said, from how much they had before their last token: [sequences]."""
    if not end:
        return num_matched if len(num_matched) == len(tokens) else np.zeros(len(tokens), np.int64)
    awaited = np.array(end)[np.minimum(num_matched, len(end) - 1)]
    goes_on = np.where(tokens == awaited, num_matched + 1, tokens == end[0])
    return np.where(num_matched == len(end), num_matched, goes_on)


def _is_over(num_matched: Rows, end: tuple[int, ...]) -> Mask:
    is_over: Mask = (num_matched == len(end)) & bool(end)
    return is_over
