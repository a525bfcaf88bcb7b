"""Who hears what: the trials of a test, and its key."""

import dataclasses
import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etude.models.errors import EtudeError
from etude.pipelines.listening.excerpts import nursery_tune, random_notes
from etude.pipelines.listening.pieces import REAL, Piece
from etude.pipelines.rendering.music import Music

FORMAT = "etude listening key"

SINGLE, PAIR = KINDS = ("single", "pair")
"""What is heard in a trial: one piece, real or generated; or two, of which one is real."""

GENERATED = "generated"
FIRST, SECOND = "first", "second"
CHOICES = {SINGLE: (REAL, GENERATED), PAIR: (FIRST, SECOND)}
"""What a listener chooses between; in a pair, the one that is real."""

NUM_CATCHES = 2
_CATCH_REAL, _CATCH_GENERATED = "nursery tune", "random notes"


@dataclasses.dataclass(frozen=True)
class Clip:
    """What is heard.

    Attributes:
      source: the model, "real", or "catch" for what shows whether somebody listens.
      name: of the piece.
    """

    source: str
    name: str


@dataclasses.dataclass(frozen=True)
class Trial:
    """What is answered at once.

    Attributes:
      id: on the page and in answers.
      answer: that is right.
      clips: one, or two in the order in which they stand.
      model: whose piece is in it, or beside whose piece this real tune is counted; empty for catch trials.
      match: the number of the match that it belongs to; -1 for catch trials.
    """

    id: str
    answer: str
    clips: tuple[Clip, ...]
    model: str = ""
    match: int = -1

    @property
    def is_catch(self) -> bool:
        """Whether only a listener who does not listen gets it wrong."""
        return self.match < 0


@dataclasses.dataclass(frozen=True)
class Key:
    """What only who made the test knows.

    Attributes:
      test: names the test in answers.
      kind: one of `KINDS`.
      seed: all that is drawn by lot follows from it.
      seconds: length of a clip.
      minimum_seconds: of each clip that must be heard before an answer counts.
      qpm: tempo, in quarter notes a minute.
      program: General MIDI instrument.
      models: their names.
      trials: in the order of their ids.
    """

    test: str
    kind: str
    seed: str
    seconds: float
    minimum_seconds: float
    qpm: float
    program: int
    models: tuple[str, ...]
    trials: tuple[Trial, ...]

    def answers_of_a_model(self) -> int:
        """Answers that one listener gives about one model, and the real tunes beside it."""
        return sum(not trial.is_catch for trial in self.trials) // len(self.models)

    def to_json(self) -> str:
        """The key as a file."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str) -> "Key":
        """The key that a file holds.

        Raises:
          EtudeError: if it is none.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("format") != FORMAT or values["kind"] not in KINDS:
                raise ValueError("it is of another kind")
            trials = tuple(
                Trial(**{**trial, "clips": tuple(Clip(**clip) for clip in trial["clips"])})
                for trial in values.pop("trials")
            )
            return cls(**{**values, "models": tuple(values["models"])}, trials=trials)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EtudeError(
                f"{name} is not the key of a listening test ({error}); name the key.json that 'etude listen create' wrote"
            ) from error


def design(
    kind: str, seed: str, real: Sequence[Piece], models: Mapping[str, Sequence[Piece]], seconds: float, **heard: Any
) -> tuple[Key, dict[tuple[str, int], Music]]:
    """The key of a test, and the music of each clip of each trial.

    Args:
      kind: one of `KINDS`.
      seed: of all that is drawn by lot.
      real: as many as all models have together.
      models: as many pieces of each.
      seconds: how long a clip is.
      heard: the other attributes of the key: `minimum_seconds`, `qpm` and `program`.
    """
    chooser = random.Random(seed)
    test = f"{chooser.getrandbits(64):016x}"
    names = _identifiers(chooser)
    drawn = list(real)
    chooser.shuffle(drawn)
    pieces = [(model, piece) for model, those in models.items() for piece in those]
    # As many pairs have the real tune first as second, or one more.
    firsts = [index % 2 == 0 for index in range(len(pieces) + NUM_CATCHES)]
    chooser.shuffle(firsts)
    trials: list[Trial] = []
    music: dict[tuple[str, int], Music] = {}

    def add(sides: Sequence[tuple[Clip, Music]], real_first: bool, model: str = "", match: int = -1) -> None:
        """The trials of a match: its real side, then its generated side."""
        placed: list[Sequence[tuple[Clip, Music]]]
        if kind == PAIR:
            placed = [sides if real_first else sides[::-1]]
            answers = [FIRST if real_first else SECOND]
        else:
            placed, answers = [[side] for side in sides], [REAL, GENERATED]
        for clips, answer in zip(placed, answers, strict=True):
            trial = Trial(next(names), answer, tuple(clip for clip, _ in clips), model, match)
            trials.append(trial)
            music.update({(trial.id, place): one for place, (_, one) in enumerate(clips)})

    for match, ((model, piece), tune) in enumerate(zip(pieces, drawn, strict=True)):
        sides = [(Clip(REAL, tune.name), tune.music), (Clip(model, piece.name), piece.music)]
        add(sides, firsts[match], model, match)
    for number, real_first in enumerate(firsts[len(pieces) :][: NUM_CATCHES if kind == PAIR else 1]):
        known, noise = (
            nursery_tune(seconds, number, qpm=heard["qpm"]),
            random_notes(seconds, chooser, qpm=heard["qpm"]),
        )
        add([(Clip("catch", _CATCH_REAL), known), (Clip("catch", _CATCH_GENERATED), noise)], real_first)
    trials.sort(key=lambda trial: trial.id)
    return Key(test, kind, seed, seconds, models=tuple(models), trials=tuple(trials), **heard), music


def _identifiers(chooser: random.Random) -> Iterator[str]:
    """Names that tell nothing, each once."""
    seen: set[str] = set()
    for _ in itertools.count():
        name = f"{chooser.getrandbits(32):08x}"
        if name not in seen:
            seen.add(name)
            yield name
