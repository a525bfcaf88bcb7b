"""Generates melodies from a primer, each with its likelihoods."""

import concurrent.futures
import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding
from etude.models.encodings.melody import MelodyEncoding
from etude.models.errors import EtudeError, UsageError, check_ranges, did_you_mean
from etude.models.evaluation.statistics import Prediction
from etude.models.family import SequenceModel
from etude.models.melodies.melody import metres
from etude.models.networks.network import log_softmax
from etude.models.progress import Progress, silent
from etude.models.search.beam import beam_search
from etude.models.search.choice import Choice
from etude.models.search.constraints import Constraints
from etude.models.search.continuation import Continuation, Paths
from etude.models.search.steps import Injection, StepLength
from etude.models.search.stochastic import stochastic_search
from etude.models.sequences.batch import Attributes, Batch, Tokens
from etude.models.sequences.domain import Columns, Domain, parse_given
from etude.models.sequences.rules import Rules

SEARCHES = ("stochastic", "beam", "greedy")

MELODIES_AT_ONCE = (48, 256)
"""Melodies of all beams together that grow in one batch: fewer waste its fixed cost, more overflow the cache."""

STEPS_AT_ONCE = 1 << 17
"""Bounds the memory of a batch of long melodies, and a melody: 2^17 steps, 8192 bars of 16 steps, of 40 labels take 20 MB."""


MOST_TOKENS_A_STEP = 64
"""On average of a sequence whose steps have several tokens; real ones have about five."""

_FEW_TOKENS = 1 << 12
"""So many more are allowed, since a model that has learnt little may take long over one step."""

_USUAL_TOKENS_A_STEP = 5

STEPS_IN_ALL = 1 << 24
"""Bounds the memory of all melodies together, and of a beam."""

RANGES: Mapping[str, tuple[float, float]] = {
    "num_outputs": (1, 1_000_000),
    "num_steps": (1, STEPS_AT_ONCE),
    "num_tokens": (0, STEPS_AT_ONCE),
    # Beyond these, samples are the likeliest events or mere noise.
    "temperature": (0.01, 10),
    "seed": (0, (1 << 63) - 1),
    "beam_size": (1, 100_000),
    "branch_factor": (1, 100_000),
    "steps_per_iteration": (1, STEPS_AT_ONCE),
    "steps_per_bar": (1, STEPS_AT_ONCE),
    "top_k": (0, 1_000_000),
    "top_p": (0.0, 1.0),
}
"""What options may be, both ends included."""


class Predictor(Protocol):
    """What generation needs of a model."""

    @property
    def configuration(self) -> Configuration:
        """What it is."""

    @property
    def encoding(self) -> Encoding:
        """The configuration's encoding."""

    @property
    def domain(self) -> Domain:
        """The sequences that it knows."""

    @property
    def network(self) -> SequenceModel:
        """The network with its weights."""


@dataclasses.dataclass(frozen=True)
class GenerationOptions:
    """What to generate.

    Attributes:
      num_outputs: number of melodies.
      num_steps: their length in steps, primer included; at most `STEPS_AT_ONCE`.
      temperature: above 1 for more surprise, below for less; for stochastic search.
      seed: of the samples; for stochastic search.
      search: "stochastic" (Magenta's), "beam" (the most likely melodies) or "greedy".
      beam_size: melodies kept in a beam.
      branch_factor: samples of each melody of a beam; for stochastic search.
      steps_per_iteration: steps between two cuts of a beam; for stochastic search.
      steps_per_bar: of the primer's metre; None for those of 4/4, in the model's steps.
      top_k: sample from the k most likely events only; 0 for all; for stochastic search.
      top_p: sample from the most likely events that together have this probability only; for stochastic search.
      constraints: what the notes after the primer may be, for every search.
      columns: what is known of each step, from the primer's first on, by name, such as the chord under it, in its key.
      valid_bars: whether only that may follow after which every bar can still be completed, and is in the end; for every
        search, of models of tunes as text.
      condition_on_primer: of polyphony, whether the model goes on from the primer; else it begins anew after it. Others
        always go on.
      num_tokens: of keyboard pieces, which have several tokens a step, their length at most in tokens, primer included; 0 for
        as many as the steps need.
      inject_primer: of polyphony, whether what is made after the primer is given the primer's notes once more, step by
        step, so that the model sets other voices to them.
    """

    num_outputs: int = 10
    num_steps: int = 128
    temperature: float = 1.0
    seed: int = 0
    search: str = "stochastic"
    beam_size: int = 1
    branch_factor: int = 1
    steps_per_iteration: int = 1
    steps_per_bar: int | None = None
    top_k: int = 0
    top_p: float = 1.0
    constraints: Constraints = dataclasses.field(default_factory=Constraints)
    columns: Columns = dataclasses.field(default_factory=dict)
    valid_bars: bool = False
    condition_on_primer: bool = False
    inject_primer: bool = True
    num_tokens: int = 0

    def __post_init__(self) -> None:
        """Checks every option.

        Raises:
          UsageError: naming the option, its value and what it may be.
        """
        ranges = dict(RANGES)
        if self.steps_per_bar is None:
            del ranges["steps_per_bar"]
        check_ranges(self, ranges)
        length = "num_tokens" if self.num_tokens else "num_steps"
        for factors in (("num_outputs", length), ("beam_size", "branch_factor", length)):
            product = math.prod(getattr(self, name) for name in factors)
            if product > STEPS_IN_ALL:
                flags = " times ".join(f"--{name.replace('_', '-')}" for name in factors)
                raise UsageError(f"{flags} must be at most {STEPS_IN_ALL:,}, not {product:,}: it would fill the memory")
        if self.search not in SEARCHES:
            raise UsageError(f"--search must be one of {', '.join(SEARCHES)}, not {self.search!r}")
        if not isinstance(self.constraints, Constraints):
            raise UsageError(f"constraints must be Constraints, not {self.constraints!r}")
        if not self.top_p:
            raise UsageError(f"--top-p must be above 0, not {self.top_p}")
        if self.search != "stochastic" and (self.top_k or self.top_p < 1):
            raise UsageError(f"--top-k and --top-p narrow what is sampled, and {self.search} search does not sample")
        if self.search == "greedy" and self.num_outputs > 1:
            raise UsageError(f"greedy search finds one melody; use --num-outputs 1 instead of {self.num_outputs}")
        if self.search == "beam" and self.num_outputs > self.beam_size:
            raise UsageError(
                f"a beam of {self.beam_size} holds at most {self.beam_size} melodies; "
                f"use --beam-size {self.num_outputs} or more"
            )

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "GenerationOptions":
        """The options by their names.

        Raises:
          UsageError: if there is no option of a name, or one is out of range.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in options:
            if name not in names:
                hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
                raise UsageError(f"there is no option {name!r}{hint}")
        return cls(**options)

    def bar_length(self, configuration: Configuration) -> int:
        """Steps in a bar of a model's melodies."""
        return configuration.steps_per_whole_note if self.steps_per_bar is None else self.steps_per_bar


@dataclasses.dataclass(frozen=True)
class GeneratedSequence:
    """A sequence and its likelihoods, all in nats and given its first token.

    Attributes:
      tokens: the sequence with its primer, and with its end if it has one, as the model knows it, [num_tokens].
      domain: of the model.
      transpose_amount: semitones from the primer's key to the model's; 0 where there are no keys.
      num_primer_tokens: how many of the tokens are the primer.
      log_likelihood: of the canonical labels, at temperature 1.
      token_log_likelihood: of the tokens, over all labels that stand for them, at temperature 1.
      primer_log_likelihood: the primer's share of `log_likelihood`.
      primer_token_log_likelihood: the primer's share of `token_log_likelihood`.
      path_log_likelihood: of the labels that were sampled after the primer, at the temperature; None where none were.
      seed: of the samples; None where there were none.
      allowed_log_probability: of what `valid_bars` allowed, at temperature 1, summed over the steps after the primer: what
        it cost. `log_likelihood` less this is the sequence's under the model that is held to valid bars. None without.
      prelude: a primer that sounds before the sequence and is not among its tokens; None where there is none.
    """

    tokens: Tokens
    domain: Domain
    transpose_amount: int
    num_primer_tokens: int
    log_likelihood: float
    token_log_likelihood: float
    primer_log_likelihood: float
    primer_token_log_likelihood: float
    path_log_likelihood: float | None = None
    seed: int | None = None
    prelude: Tokens | None = None
    allowed_log_probability: float | None = None

    @property
    def events(self) -> Tokens:
        """The tokens, as those of melodies are called."""
        return self.tokens

    @property
    def num_primer_events(self) -> int:
        """The same as `num_primer_tokens`."""
        return self.num_primer_tokens

    @property
    def event_log_likelihood(self) -> float:
        """The same as `token_log_likelihood`."""
        return self.token_log_likelihood

    @property
    def primer_event_log_likelihood(self) -> float:
        """The same as `primer_token_log_likelihood`."""
        return self.primer_token_log_likelihood

    @property
    def sounding_events(self) -> Tokens:
        """The tokens in the primer's key."""
        return self.domain.leave(self.tokens, self.transpose_amount)

    @property
    def text(self) -> str | None:
        """The sequence as text, where it has one."""
        return self.domain.render(self.tokens)


def generate(
    model: Predictor, primer: Any, options: GenerationOptions, progress: Progress = silent, *, or_fewer: bool = False
) -> list[GeneratedSequence]:
    """Continues a primer.

    The primer is brought into the model's key and range first, as Magenta does. Generation starts right after its last
    event. Melodies are made in batches, on all processors; neither changes them. (NumPy's matrix products are faster on
    one thread here: set OPENBLAS_NUM_THREADS=1 before NumPy is imported, as the command line does.)

    Args:
      model: the model.
      primer: what `Domain.parse` takes: a list of events, in [-2, 127]; of tokens, a text. At least one; None for the
        domain's own.
      options: what to generate.
      progress: called after every batch.
      or_fewer: whether fewer melodies will do, where a beam search finds no more.

    Returns:
      The melodies; those of a beam search are all different, the most likely first.

    Raises:
      UsageError: if the primer is empty, invalid, or not shorter than the melodies; or if the constraints leave no note,
        or fewer melodies than are asked for.
      EtudeError: if the model's likelihoods are no numbers.
    """
    start = _start(model, primer, options)
    if options.search != "stochastic":
        melodies = start.sequences(start.likeliest())
        if len(melodies) < (1 if or_fewer else options.num_outputs):
            raise UsageError(
                f"there are only {len(melodies)} different melodies of {options.num_steps} steps after this primer; "
                f"use --num-outputs {len(melodies)} or a larger --num-steps"
            )
        return melodies
    fewest, most = MELODIES_AT_ONCE
    for_all = -(-options.num_outputs * options.beam_size // (os.cpu_count() or 1))
    tokens = options.num_tokens or options.num_steps * (
        1 if model.domain.step_lengths is None else _USUAL_TOKENS_A_STEP
    )
    at_once = max(1, min(max(for_all, fewest), most, STEPS_AT_ONCE // tokens) // options.beam_size)
    firsts = range(0, options.num_outputs, at_once)
    result: list[GeneratedSequence] = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # As many batches are in the making as there are processors; of a finished one only the melodies are kept.
        for part in pool.map(lambda first: start.sample(first, min(at_once, options.num_outputs - first)), firsts):
            result += part
            progress(len(result), options.num_outputs)
    return result


def num_folded_notes(primer: Tokens, sequence: GeneratedSequence) -> int:
    """How many notes of a primer are not only in another key, but by octaves elsewhere, since the model's range is narrow."""
    stored = sequence.tokens[: len(primer)]
    return int(((primer >= 0) & (stored != primer + sequence.transpose_amount)).sum())


@dataclasses.dataclass(frozen=True)
class _Start:
    """A primer in a model's key and range, and how to go on from it.

    Attributes:
      model: the model.
      primer: [primer steps].
      transpose_amount: semitones by which it was moved.
      columns: what is known of each step of the sequences, by name, as the model knows it, [num_steps] each.
      options: what to generate.
      choice: what may be chosen at each step; None for everything.
      rules: that hold besides; None for none.
      prelude: a primer that sounds before and that the model does not see; None where there is none.
    """

    model: Predictor
    primer: Tokens
    transpose_amount: int
    columns: Columns
    options: GenerationOptions
    choice: Choice | None
    rules: Rules | None = None
    prelude: Tokens | None = None

    @property
    def domain(self) -> Domain:
        """The sequences that the model knows."""
        return self.model.domain

    @property
    def steps_per_bar(self) -> int:
        """Steps in a bar."""
        return self.options.bar_length(self.model.configuration)

    @property
    def num_new_steps(self) -> int:
        """Tokens to add, at most."""
        missing = self.num_steps - self.domain.num_given_steps(self.primer)
        if self.domain.step_lengths is None:
            return missing
        if self.options.num_tokens:
            return self.options.num_tokens - len(self.primer)
        return min(_FEW_TOKENS + missing * MOST_TOKENS_A_STEP, STEPS_AT_ONCE)

    @property
    def num_steps(self) -> int:
        """Steps of the sequences, without a prelude."""
        return self.options.num_steps - (0 if self.prelude is None else self.domain.num_steps(self.prelude))

    def sample(self, first: int, number: int) -> list[GeneratedSequence]:
        """The melodies from `first` on by stochastic search."""
        found = stochastic_search(
            self._continuation(),
            number,
            self.num_new_steps,
            first_output=first,
            seed=self.options.seed,
            temperature=self.options.temperature,
            choice=self.choice,
            beam_size=self.options.beam_size,
            branch_factor=self.options.branch_factor,
            steps_per_iteration=self.options.steps_per_iteration,
        )
        return self.sequences(found.paths, found.scores)

    def likeliest(self) -> Paths:
        """The likeliest sequences, as many as are asked for if there are so many."""
        encoding, num_outputs = self.model.encoding, self.options.num_outputs
        beam_size = 1 if self.options.search == "greedy" else self.options.beam_size
        paths = beam_search(encoding, self._continuation(), self.num_new_steps, beam_size, self.choice)
        stored = [tuple(self.domain.canonical(tokens).tolist()) for tokens in paths.tokens]
        different = [stored.index(tokens) for tokens in dict.fromkeys(stored)][:num_outputs]
        return Paths(paths.tokens[different], paths.logits[different], paths.lengths[different])

    def sequences(self, paths: Paths, scores: npt.NDArray[np.float64] | None = None) -> list[GeneratedSequence]:
        """Sequences with their likelihoods, from what a search found and the log-likelihoods of sampled labels."""
        self._check_whole(paths)
        paths = self._as_stored(paths)
        labels, tokens = _log_likelihoods(self.model.encoding, paths, self._attributes(len(paths.tokens)))
        if not np.isfinite(labels).all():
            raise EtudeError(
                "the model gives likelihoods that are no numbers: its weights are too large; train it again"
            )
        share = len(self.primer) - 1
        allowed = _allowed_log_probabilities(self.rules, paths, len(self.primer), self.options.num_steps)
        return [
            GeneratedSequence(
                tokens=paths.tokens[index, : paths.lengths[index]],
                domain=self.domain,
                transpose_amount=self.transpose_amount,
                num_primer_tokens=len(self.primer),
                log_likelihood=float(labels[index].sum()),
                token_log_likelihood=float(tokens[index].sum()),
                primer_log_likelihood=float(labels[index, :share].sum()),
                primer_token_log_likelihood=float(tokens[index, :share].sum()),
                path_log_likelihood=None if scores is None else float(scores[index]),
                seed=None if scores is None else self.options.seed,
                allowed_log_probability=None if allowed is None else float(allowed[index]),
                prelude=self.prelude,
            )
            for index in range(len(paths.tokens))
        ]

    def _continuation(self) -> Continuation:
        lengths = self.domain.step_lengths
        length = None if lengths is None else StepLength(lengths, self.num_steps, self.domain.filler)
        end = self.domain.end_tokens
        return Continuation(
            self.model.encoding, self.model.network, self.primer, self._attributes(1), length, end=end, rules=self.rules
        )

    def _attributes(self, num_sequences: int) -> Attributes:
        """What is known of so many sequences."""
        columns = {name: np.tile(values, (num_sequences, 1)) for name, values in self.columns.items()}
        return {**metres(np.full(num_sequences, self.steps_per_bar)), **columns}

    def _check_whole(self, paths: Paths) -> None:
        """Raises an EtudeError if a sequence has fewer steps than it should."""
        lengths = self.domain.step_lengths
        if lengths is None or self.options.num_tokens:
            return
        is_short = lengths[paths.tokens].sum(axis=1) < self.num_steps
        if self.domain.end_tokens:
            is_short &= paths.lengths == len(self.primer) + self.num_new_steps
        if is_short.any():
            raise EtudeError(
                f"the model puts more than {MOST_TOKENS_A_STEP} notes into a step, so that {self.num_steps} steps do not "
                "come to an end: train it longer, or give a lower --temperature or a smaller --num-steps"
            )

    def _as_stored(self, paths: Paths) -> Paths:
        """In the form that sequences are stored in. What the model expects then changes too."""
        stored = np.stack([self.domain.canonical(tokens) for tokens in paths.tokens])
        if np.array_equal(stored, paths.tokens):
            return paths
        inputs = self.model.encoding.inputs(stored[:, :-1], self._attributes(len(stored)))
        return Paths(stored, self.model.network.logits(inputs), paths.lengths)


def _start(model: Predictor, primer: Any, options: GenerationOptions) -> _Start:
    domain, encoding = model.domain, model.encoding
    tokens = domain.default_primer if primer is None else parse_given(domain, primer, "the primer")
    if not len(tokens):
        raise UsageError("the primer is empty; give at least one event, such as --primer-melody '[60]'")
    if _holds(tokens, domain.end_tokens or ([] if encoding.end_token is None else [encoding.end_token])):
        raise UsageError("the primer holds an end, after which nothing follows; leave it out")
    tokens = domain.continued_form(tokens)
    if options.num_tokens:
        _check_num_tokens(domain, tokens, options)
    num_steps = domain.num_given_steps(tokens)
    if num_steps >= options.num_steps:
        raise UsageError(
            f"the primer has {num_steps} steps and the {domain.plural} are to have {options.num_steps}, primer included; "
            f"use --num-steps {num_steps + options.num_steps} or a shorter primer (--primer-bars)"
        )
    rules = _rules(domain, tokens) if options.valid_bars else None
    if domain.restarts:
        return _start_of_steps(model, tokens, options)
    tokens, moved = domain.enter(tokens)
    try:
        columns = domain.complete_columns(options.columns, options.num_steps)
    except ValueError as error:
        raise UsageError(str(error)) from error
    columns = domain.enter_columns(columns, moved)
    choice = _choice(model, moved, len(tokens), options)
    return _Start(model, tokens, moved, columns, options, choice, rules)


def _check_num_tokens(domain: Domain, primer: Tokens, options: GenerationOptions) -> None:
    if domain.step_lengths is None or domain.restarts:
        raise UsageError(f"--num-tokens is for keyboard pieces, not for {domain.plural}; give --num-steps")
    if len(primer) >= options.num_tokens:
        raise UsageError(
            f"the primer has {len(primer)} tokens and the {domain.plural} are to have {options.num_tokens}, primer included; "
            f"use --num-tokens {len(primer) + options.num_tokens} or a shorter primer (--primer-bars)"
        )


def _holds(tokens: Tokens, run: Sequence[int]) -> bool:
    """Whether a run of tokens stands somewhere in a sequence."""
    size = len(run)
    return bool(size) and any(
        tokens[start : start + size].tolist() == list(run) for start in range(len(tokens) - size + 1)
    )


def _rules(domain: Domain, primer: Tokens) -> Rules:
    """The rules of bars, which the primer keeps.

    Raises:
      UsageError: if there are none, or the primer breaks them.
    """
    rules = domain.bar_rules
    if rules is None:
        raise UsageError("--valid-bars is for models of tunes as text (abc-characters, abc-tokens)")
    state = rules.start
    for place, token in enumerate(primer.tolist()):
        if not rules.allowed(state, STEPS_IN_ALL)[token]:
            read = (domain.render(primer[: place + 1]) or "").strip()
            raise UsageError(
                f"--valid-bars cannot go on from this primer: the last sign of {read[-30:]!r} breaks them; they take whole "
                "bars and plain signs, as canonical text has them"
            )
        state = rules.after(state, token)
    return rules


def _start_of_steps(model: Predictor, primer: Tokens, options: GenerationOptions) -> _Start:
    """Where steps have several tokens. Source: Magenta's `PolyphonyRnnSequenceGenerator`."""
    domain, goes_on = model.domain, options.condition_on_primer
    num_steps = domain.num_steps(primer)
    choice = _choice(model, 0, len(primer), options)
    if options.inject_primer and num_steps:
        injection = Injection(domain.notes_by_step(primer), num_steps if goes_on else 0)
        everything = np.ones(model.encoding.num_tokens, bool)
        choice = Choice(model.encoding, everything, top_k=options.top_k, top_p=options.top_p, injection=injection)
    tokens = primer if goes_on else domain.default_primer
    prelude = None if goes_on or not num_steps else primer
    return _Start(model, tokens, 0, {}, options, choice, prelude=prelude)


def _choice(model: Predictor, moved: int, num_primer_tokens: int, options: GenerationOptions) -> Choice | None:
    """What narrows a search; None if nothing does."""
    constraints, encoding = options.constraints, model.encoding
    narrows = bool(options.top_k) or options.top_p < 1 or options.valid_bars
    ruled_steps = options.num_steps - num_primer_tokens if options.valid_bars else 0
    if not constraints.restrict:
        everything = np.ones(encoding.num_tokens, bool)
        narrowed = Choice(encoding, everything, top_k=options.top_k, top_p=options.top_p, ruled_steps=ruled_steps)
        return narrowed if narrows else None
    if not isinstance(encoding, MelodyEncoding):
        raise UsageError("pitch range, scale and ending are for melodies, which this model does not make")
    return Choice(
        encoding,
        constraints.allowed_events(encoding, moved),
        constraints.final_notes(encoding, moved),
        # The last quarter note.
        max(0, options.num_steps - num_primer_tokens - model.configuration.steps_per_quarter),
        options.top_k,
        options.top_p,
    )


def _allowed_log_probabilities(
    rules: Rules | None, paths: Paths, num_primer_tokens: int, num_steps: int
) -> npt.NDArray[np.float64] | None:
    """The log-probability of all that the rules allowed at every step after the primer, [sequences]; None without rules."""
    if rules is None:
        return None
    result = np.zeros(len(paths.tokens))
    for index, tokens in enumerate(paths.tokens.tolist()):
        state = rules.start
        for step in range(paths.lengths[index]):
            if step >= num_primer_tokens:
                given = log_softmax(paths.logits[index, step - 1]).astype(np.float64)
                result[index] += np.log(np.exp(given[rules.allowed(state, num_steps - step)]).sum())
            state = rules.after(state, tokens[step])
    return result


def _log_likelihoods(
    encoding: Encoding, paths: Paths, attributes: Attributes
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of the canonical label and of the token of every step but the first, 0 after the end, [sequences, steps - 1]."""
    batch = Batch(paths.tokens, paths.lengths, attributes)
    found = Prediction(encoding, batch, log_softmax(paths.logits))
    labels, tokens = (
        np.where(batch.is_predicted, one, 0.0).astype(np.float64)
        for one in (found.log_likelihood, found.token_log_likelihood)
    )
    return labels, tokens
