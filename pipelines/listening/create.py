"""Makes a blind listening test: a page to listen with, and its key."""

import dataclasses
import pathlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from etude.models.errors import EtudeError, UsageError
from etude.models.progress import Progress, silent
from etude.models.storage.files import remove_partial_files, write_text
from etude.models.storage.lock import locked
from etude.pipelines.listening import sound
from etude.pipelines.listening.design import KINDS, SINGLE, Key, design
from etude.pipelines.listening.page import page
from etude.pipelines.listening.pieces import (
    LONGEST,
    SHORTEST,
    Piece,
    Say,
    Sources,
    candidates,
    generated_pieces,
    real_pieces,
)
from etude.pipelines.rendering.music import DEFAULT_QPM

PAGE_FILE = "listen.html"
KEY_FILE = "key.json"

MOST_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class TestOptions:
    """What a test is like.

    Attributes:
      kind: "single" (real or generated?) or "pair" (which of two is real?).
      num_clips: on the page, beside those of the catch trials; fewer where the models do not share them evenly.
      seconds: of each clip; 0 for as long as every source has enough pieces, at most 15.
      minimum_seconds: of each clip that must be heard before an answer counts; the whole clip where it is shorter.
      qpm: tempo, in quarter notes a minute.
      program: General MIDI instrument, 0 to 127.
      seed: of all that is drawn by lot; empty for one that nobody knows before.
    """

    __test__ = False  # pytest: this is no test class

    kind: str = SINGLE
    num_clips: int = 20
    seconds: float = 0.0
    minimum_seconds: float = 5.0
    qpm: float = DEFAULT_QPM
    program: int = 0
    seed: str = ""

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is out of range.
        """
        if self.kind not in KINDS:
            raise UsageError(f"--kind must be {' or '.join(KINDS)}, not {self.kind!r}")
        if self.num_clips < 2:
            raise UsageError(f"--clips must be at least 2, not {self.num_clips}")
        if self.seconds and not SHORTEST <= self.seconds <= MOST_SECONDS:
            raise UsageError(f"--seconds must be from {SHORTEST:g} to {MOST_SECONDS:g}, not {self.seconds:g}")
        if not 0 < self.minimum_seconds <= MOST_SECONDS:
            raise UsageError(f"--minimum must be above 0 and at most {MOST_SECONDS:g}, not {self.minimum_seconds:g}")
        if not 4 <= self.qpm <= 1000:
            raise UsageError(f"--qpm must be from 4 to 1000 quarter notes a minute, not {self.qpm:g}")
        if not 0 <= self.program <= 127:
            raise UsageError(f"--program must be from 0 to 127, not {self.program}")


def create_test(
    sources: Sources,
    output: pathlib.Path,
    options: TestOptions | None = None,
    *,
    or_fewer: bool = False,
    say: Say = lambda message: None,
    progress: Progress = silent,
) -> Key:
    """Writes listen.html, which tells nothing, and key.json, which tells all: whole or not at all.

    Args:
      sources: what models made, and real tunes.
      output: the folder; made if need be.
      options: what the test is like.
      or_fewer: take fewer clips where there are too few pieces.
      say: told of pieces that cannot be read.
      progress: called after every file of real music.

    Raises:
      EtudeError: if a source has too few pieces, something is damaged, or the folder cannot be written to.
      UsageError: if there are more models than pairs of clips.
    """
    options = options or TestOptions()
    seed = options.seed or secrets.token_hex(16)
    each = options.num_clips // (2 * len(sources.models))
    if not each:
        raise UsageError(
            f"--clips {options.num_clips} are too few for {len(sources.models)} models: each needs a clip and a real one "
            f"beside it; give --clips {2 * len(sources.models)} or more"
        )
    longest = options.seconds or LONGEST
    heard: dict[str, Any] = {"qpm": options.qpm, "program": options.program}
    found = {
        name: candidates(generated_pieces(folders, say), f"{seed} {name}", longest, **heard)
        for name, folders in sources.models.items()
    }
    if or_fewer:
        each = max(1, min(each, *map(len, found.values())))
    for name, pool in found.items():  # before the real tunes, which may take a while
        _choose(name, pool, each, options.seconds)
    real = candidates(real_pieces(sources, say, progress), seed, longest, **heard)
    if or_fewer:
        each = max(1, min(each, len(real) // len(found)))
    wanted = {**dict.fromkeys(found, each), "the real tunes": each * len(found)}
    pools = {**found, "the real tunes": real}
    _choose("the real tunes", real, wanted["the real tunes"], options.seconds)
    seconds = options.seconds or _common_length(pools, wanted)
    chosen = {name: _choose(name, pool, wanted[name], seconds) for name, pool in pools.items()}
    key, music = design(
        options.kind,
        seed,
        chosen.pop("the real tunes"),
        chosen,
        seconds,
        minimum_seconds=min(options.minimum_seconds, seconds),
        **heard,
    )
    sounds = sound.clips({f"{trial} {place}": one for (trial, place), one in music.items()}, seconds)
    by_trial = {trial.id: [sounds[f"{trial.id} {place}"] for place in range(len(trial.clips))] for trial in key.trials}
    text = page(key, by_trial)
    with locked(output):
        remove_partial_files(output)
        # A page beside the key of another would be worthless.
        (output / PAGE_FILE).unlink(missing_ok=True)
        write_text(output / KEY_FILE, key.to_json())
        write_text(output / PAGE_FILE, text)
    return key


def _common_length(pools: Mapping[str, Sequence[Piece]], wanted: Mapping[str, int]) -> float:
    """The longest whole number of seconds, up to 15, that every source has enough pieces of."""
    seconds = LONGEST
    for name, pool in pools.items():
        lengths = sorted((piece.seconds for piece in pool), reverse=True)
        seconds = min(seconds, lengths[wanted[name] - 1])
    return float(int(seconds))


def _choose(name: str, pool: Sequence[Piece], number: int, seconds: float) -> list[Piece]:
    """The first pieces that are long enough; of 0 seconds, any that are not all too short.

    Raises:
      EtudeError: if there are not so many.
    """
    long = [piece for piece in pool if piece.seconds >= seconds]
    if len(long) < number:
        raise EtudeError(
            f"{name}: {len(long)} pieces last {max(seconds, SHORTEST):g} seconds or longer, and {number} are needed; give "
            "fewer --clips, fewer --seconds, or more pieces"
        )
    return long[:number]
