"""Generates melodies from a primer, each with its likelihoods."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from models.errors import UsageError
from models.evaluation import MelodySums
from models.melody import DEFAULT_STEPS_PER_BAR, Events, Melody, as_events, squash, transpose
from models.melody_set import MelodySet
from models.model import Model
from models.search.beam import beam_search
from models.search.continuation import Continuation
from models.search.stochastic import stochastic_search

SEARCHES = ("stochastic", "beam", "greedy")


@dataclasses.dataclass(frozen=True)
class GenerationOptions:
    """What to generate.

    Attributes:
      num_outputs: number of melodies.
      num_steps: their length in steps, primer included.
      temperature: above 1 for more surprise, below for less; for stochastic search.
      seed: of the samples; for stochastic search.
      search: "stochastic" (Magenta's), "beam" (the most likely melodies) or "greedy".
      beam_size: melodies kept in a beam.
      branch_factor: samples of each melody of a beam; for stochastic search.
      steps_per_iteration: steps between two cuts of a beam; for stochastic search.
      steps_per_bar: of the primer's metre.
    """

    num_outputs: int = 10
    num_steps: int = 128
    temperature: float = 1.0
    seed: int = 0
    search: str = "stochastic"
    beam_size: int = 1
    branch_factor: int = 1
    steps_per_iteration: int = 1
    steps_per_bar: int = DEFAULT_STEPS_PER_BAR

    def __post_init__(self) -> None:
        """Checks every option.

        Raises:
          UsageError: naming the option, its value and what it may be.
        """
        for name in ("num_outputs", "num_steps", "beam_size", "branch_factor", "steps_per_iteration", "steps_per_bar"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.seed < 1 << 63:
            raise UsageError(f"--seed must be from 0 to 2^63 - 1, not {self.seed}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise UsageError(f"--temperature must be above 0, not {self.temperature}")
        if self.search not in SEARCHES:
            raise UsageError(f"--search must be one of {', '.join(SEARCHES)}, not {self.search!r}")
        if self.search == "greedy" and self.num_outputs > 1:
            raise UsageError(f"greedy search finds one melody; use --num-outputs 1 instead of {self.num_outputs}")
        if self.search == "beam" and self.num_outputs > self.beam_size:
            raise UsageError(
                f"a beam of {self.beam_size} holds at most {self.beam_size} melodies; "
                f"use --beam-size {self.num_outputs} or more"
            )


@dataclasses.dataclass(frozen=True)
class GeneratedMelody:
    """A melody and its likelihoods, all in nats and given its first event.

    Attributes:
      events: the melody with its primer, in the model's key and range, [num_steps].
      transpose_amount: semitones from the primer's key to the model's.
      num_primer_events: how many of the events are the primer.
      log_likelihood: of the canonical labels, at temperature 1.
      event_log_likelihood: of the events, over all labels that stand for them, at temperature 1.
      primer_log_likelihood: the primer's share of `log_likelihood`.
      primer_event_log_likelihood: the primer's share of `event_log_likelihood`.
      path_log_likelihood: of the labels that were sampled after the primer, at the temperature; None where none were.
      seed: of the samples; None where there were none.
    """

    events: Events
    transpose_amount: int
    num_primer_events: int
    log_likelihood: float
    event_log_likelihood: float
    primer_log_likelihood: float
    primer_event_log_likelihood: float
    path_log_likelihood: float | None = None
    seed: int | None = None

    @property
    def sounding_events(self) -> Events:
        """The events in the primer's key."""
        return transpose(self.events, -self.transpose_amount)


def generate(model: Model, primer: npt.ArrayLike, options: GenerationOptions) -> list[GeneratedMelody]:
    """Continues a primer.

    The primer is brought into the model's key and range first, as Magenta does. Generation starts right after its last
    event.

    Args:
      model: the model.
      primer: events, in [-2, 127], at least one.
      options: what to generate.

    Returns:
      The melodies; those of a beam search are all different, the most likely first.

    Raises:
      UsageError: if the primer is empty, invalid, or not shorter than the melodies.
    """
    try:
        primer_events = as_events(primer)
    except ValueError as error:
        raise UsageError(f"the primer is not a melody: {error}") from error
    if not len(primer_events):
        raise UsageError("the primer is empty; give at least one event, such as --primer-melody '[60]'")
    if len(primer_events) >= options.num_steps:
        raise UsageError(
            f"the primer has {len(primer_events)} steps and the melodies are to have {options.num_steps}, primer included; "
            f"use --num-steps {len(primer_events) + options.num_steps} or a shorter primer"
        )
    configuration = model.configuration
    squashed, transposed = squash(
        primer_events, configuration.min_note, configuration.max_note, configuration.transpose_to_key
    )
    melodies, paths = _search(model, squashed, options)
    whole = _score(model, melodies, options)
    share = _score(model, melodies[:, : len(squashed)], options)
    return [
        GeneratedMelody(
            events=events,
            transpose_amount=transposed,
            num_primer_events=len(squashed),
            log_likelihood=float(whole.log_likelihood[index]),
            event_log_likelihood=float(whole.event_log_likelihood[index]),
            primer_log_likelihood=float(share.log_likelihood[index]),
            primer_event_log_likelihood=float(share.event_log_likelihood[index]),
            path_log_likelihood=None if paths is None else float(paths[index]),
            seed=None if paths is None else options.seed,
        )
        for index, events in enumerate(melodies)
    ]


def _search(model: Model, primer: Events, options: GenerationOptions) -> tuple[Events, npt.NDArray[np.float64] | None]:
    """Melodies, and the log-likelihoods of sampled paths where there are any.

    After a primer without a note a search may add note-offs; `as_events` drops them, as wherever melodies are read.
    """
    new_steps = options.num_steps - len(primer)
    if options.search == "stochastic":
        start = Continuation(model.encoding, model.network, primer, options.num_outputs, options.steps_per_bar)
        melodies, paths = stochastic_search(
            start,
            options.num_outputs,
            new_steps,
            seed=options.seed,
            temperature=options.temperature,
            beam_size=options.beam_size,
            branch_factor=options.branch_factor,
            steps_per_iteration=options.steps_per_iteration,
        )
        return np.stack([as_events(events) for events in melodies]), paths
    start = Continuation(model.encoding, model.network, primer, 1, options.steps_per_bar)
    beam_size = 1 if options.search == "greedy" else options.beam_size
    melodies, _ = beam_search(model.encoding, start, new_steps, beam_size)
    different = dict.fromkeys(tuple(as_events(events).tolist()) for events in melodies)
    return np.array(list(different)[: options.num_outputs]), None


def _score(model: Model, melodies: Events, options: GenerationOptions) -> MelodySums:
    return model.evaluate(
        MelodySet.of(Melody(events, steps_per_bar=options.steps_per_bar) for events in melodies), squash=False
    )
