"""Generated melodies on disk: MIDI and other files, and a line each in generated.jsonl."""

import contextlib
import dataclasses
import itertools
import json
import math
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from etude.models.errors import EtudeError, UsageError
from etude.models.generation import GeneratedSequence, GenerationOptions
from etude.models.melodies.pitch_range import PitchRange
from etude.models.melodies.scales import Key
from etude.models.model import Model
from etude.models.pretrained import PREFIX
from etude.models.progress import Progress, silent
from etude.models.sequences.domain import Domain
from etude.models.storage.files import remove_partial_files, write_text, write_whole
from etude.models.storage.lock import locked
from etude.pipelines.generation.ngram_overlap import TrainingNgrams
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import DEFAULT_QPM, Grid, with_chords

GENERATED_FILE = "generated.jsonl"

WRITING_SECONDS = 60.0
"""How long to wait for another process that writes melodies to the same folder: it only writes."""

FORMATS = ("abc", "svg", "wav")
"""What melodies can be written as besides MIDI: ABC notation, a picture of piano roll and score, sound."""


@dataclasses.dataclass(frozen=True)
class Rendering:
    """How melodies are written to files.

    Attributes:
      qpm: quarter notes a minute.
      program: General MIDI instrument, 0 to 127.
      exclude_primer: leave the primer out of the files.
      metre: numerator and denominator for the files; None where it is unknown.
      key: for the files; None where it is unknown.
      formats: besides MIDI: any of `FORMATS`.
      chords: at which step which chord begins, as a figure.
      render_chords: whether they sound in MIDI and WAV files.
    """

    qpm: float
    program: int = 0
    exclude_primer: bool = False
    metre: tuple[int, int] | None = None
    key: Key | None = None
    formats: frozenset[str] = frozenset()
    chords: tuple[tuple[int, str], ...] = ()
    render_chords: bool = False

    def __post_init__(self) -> None:
        """Checks tempo, instrument and formats.

        Raises:
          UsageError: if tempo or instrument cannot stand in a MIDI file, or a format is unknown.
        """
        if not (math.isfinite(self.qpm) and 4 <= self.qpm <= 1000):
            raise UsageError(f"--qpm must be from 4 to 1000 quarter notes a minute, not {self.qpm}")
        if not 0 <= self.program <= 127:
            raise UsageError(f"--program must be from 0 to 127, not {self.program}")
        if self.formats - set(FORMATS):
            raise UsageError(f"the formats are {', '.join(FORMATS)}, not {', '.join(sorted(self.formats))}")

    def files(
        self, title: str, sequence: GeneratedSequence, steps_per_bar: int, steps_per_quarter: int
    ) -> Iterator[tuple[str, bytes]]:
        """Suffix and content of every file of a melody, MIDI first.

        Args:
          title: of the melody.
          sequence: the melody.
          steps_per_bar: steps in a bar.
          steps_per_quarter: steps in a quarter note.
        """
        music = Grid(steps_per_quarter, steps_per_bar, self.qpm, self.metre, self.key).sequence_music(
            sequence.domain,
            sequence.sounding_events,
            sequence.num_primer_tokens,
            sequence.prelude,
            without_primer=self.exclude_primer,
            program=self.program,
            chords=self.chords,
        )
        played = with_chords(music) if self.render_chords else music
        yield "mid", to_midi(played)
        if "abc" in self.formats:
            from etude.pipelines.rendering.abc import to_abc

            yield "abc", to_abc(music, title=title).encode()
        if "svg" in self.formats:
            from etude.pipelines.rendering.pictures import to_svg

            yield "svg", to_svg(music, title=title).encode()
        if "wav" in self.formats:
            from etude.pipelines.rendering.audio import to_wav

            yield "wav", to_wav(played)


def write_melodies(
    model: Model,
    melodies: Sequence[GeneratedSequence],
    options: GenerationOptions,
    folder: pathlib.Path,
    *,
    qpm: float = DEFAULT_QPM,
    rendering: Rendering | None = None,
    known: TrainingNgrams | None = None,
    primer_source: str = "",
    progress: Progress = silent,
    say: Callable[[str], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Writes melodies, or other notes, as MIDI files and adds them to the folder's generated.jsonl: all of them or none.

    A file's name tells configuration, search and seed, so that melodies of another call stay beside these, and the same
    call again replaces its own. Where earlier, different melodies have these names, a number is added.

    Args:
      model: the model that they are from.
      melodies: what it generated.
      options: how.
      folder: where to; made if need be.
      qpm: quarter notes a minute, where `rendering` is not given.
      rendering: how they are written; None for MIDI files alone.
      known: what the model was trained on; None where that is unknown.
      primer_source: the file that the primer is from.
      progress: called after every melody.
      say: called if a number was added to the names.

    Returns:
      The lines of these melodies.

    Raises:
      EtudeError: if the folder cannot be written to, or another process is writing to it.
    """
    rendering = rendering or Rendering(qpm)
    name = file_name(model, options)
    settings = _settings(model, options, rendering, primer_source)
    contents = []
    for melody in melodies:
        overlap = None if known is None else known.overlap(melody.events[melody.num_primer_events :])
        contents.append({**figures_of(melody), "ngram_overlap": overlap, **settings})

    def files(melody: GeneratedSequence, title: str) -> Iterator[tuple[str, bytes]]:
        bar, quarter = options.bar_length(model.configuration), model.configuration.steps_per_quarter
        return rendering.files(title, melody, bar, quarter)

    return write_sequences(folder, name, model.domain, melodies, contents, files, progress, say)


def write_sequences(
    folder: pathlib.Path,
    name: str,
    domain: Domain,
    sequences: Sequence[GeneratedSequence],
    contents: Sequence[Mapping[str, Any]],
    files: Callable[[GeneratedSequence, str], Iterator[tuple[str, bytes]]],
    progress: Progress,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Writes the files of sequences, and adds their lines to generated.jsonl: all of them or none."""
    with locked(folder, WRITING_SECONDS), contextlib.ExitStack() as undo:
        remove_partial_files(folder)
        path = folder / GENERATED_FILE
        lines = {line["file"]: line for line in read_generated(path)}
        new = _named(name, domain.suffix, contents, lines)
        if (first := next(iter(new))) != next(iter(_named(name, domain.suffix, contents, {}))):
            say(f"{folder} has other {domain.plural} called {name}; the new ones are called {first} and so on")
        for number, (file, sequence) in enumerate(zip(new, sequences, strict=True), start=1):
            title = file.removesuffix(f".{domain.suffix}")
            for suffix, content in files(sequence, title):
                target = folder / f"{title}.{suffix}"
                if not target.exists():
                    undo.callback(target.unlink, missing_ok=True)
                with write_whole(target) as stream:
                    stream.write(content)
            progress(number, len(sequences))
        kept = {file: line for file, line in lines.items() if file not in new}
        write_text(path, "".join(json.dumps(line) + "\n" for line in (*kept.values(), *new.values())))
        undo.pop_all()
    return list(new.values())


def _named(
    name: str, suffix: str, contents: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The lines of melodies by the names of their files, none of which a different melody of `known` has."""
    digits = max(2, len(str(len(contents))))
    for version in itertools.count(1):
        stem = name if version == 1 else f"{name}-v{version}"
        files = [f"{stem}-{number:0{digits}}.{suffix}" for number in range(1, len(contents) + 1)]
        lines = {file: {"file": file, **content} for file, content in zip(files, contents, strict=True)}
        if all(file not in known or _identity(known[file]) == _identity(line) for file, line in lines.items()):
            return lines
    raise AssertionError("numbers do not end")


def _identity(line: Mapping[str, Any]) -> dict[str, Any]:
    """What makes two lines of the same melody: figures of it may differ in the last digit."""
    same = {name: value for name, value in line.items() if not name.endswith("likelihood") and name != "ngram_overlap"}
    return dict(json.loads(json.dumps(same)))


def distinct_names(paths: Sequence[pathlib.Path]) -> list[str]:
    """A short name for each model: of its folder or bundle, with folders above it where names are equal."""
    # Without "..", which as a name would lead out of the output folder.
    # Windows has no colons in names, and `pretrained:NAME` has one.
    whole = [pathlib.Path(os.path.abspath(str(path).replace(PREFIX, "pretrained-"))) for path in paths]
    parts = [path.with_suffix("").parts[1:] if path.suffix == ".mag" else path.parts[1:] for path in whole]
    names = ["-".join(own[-1:]) or "model" for own in parts]
    for length in range(2, max(map(len, parts), default=0) + 1):
        twice = {name for name in names if names.count(name) > 1}
        names = ["-".join(own[-length:]) if name in twice else name for own, name in zip(parts, names, strict=True)]
    if len(set(names)) < len(names):
        raise UsageError(f"a model is named twice: {', '.join(map(str, paths))}")
    return names


def read_generated(path: pathlib.Path) -> list[dict[str, Any]]:
    """The lines of a generated.jsonl; empty if there is none.

    Raises:
      EtudeError: if a line is damaged; the message names it.
    """
    lines = []
    if path.is_file():
        for number, text in enumerate(_text(path).splitlines(), start=1):
            try:
                line = json.loads(text)
                if not isinstance(line["file"], str):
                    raise TypeError("its file has no name")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise EtudeError(f"{path}, line {number} is damaged: {error!r}; mend or remove the file") from error
            lines.append(line)
    return lines


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EtudeError(f"{path} cannot be read: {error}; mend or remove the file") from error


def file_name(model: Model, options: GenerationOptions) -> str:
    """What the files of a call are called."""
    seed = f"-seed{options.seed}" if options.search == "stochastic" else ""
    return f"{model.configuration.config}-{options.search}{seed}"


def figures_of(sequence: GeneratedSequence) -> dict[str, Any]:
    """What a line says of any sequence."""
    is_melody = isinstance(sequence.domain, PitchRange)
    unit = "event" if is_melody else "token"
    return {
        f"{unit}s": sequence.tokens.tolist(),
        **({} if sequence.domain.has_notes else {"text": sequence.text}),
        **({} if sequence.prelude is None else {"prelude": sequence.prelude.tolist()}),
        "transpose_amount": sequence.transpose_amount,
        f"num_primer_{unit}s": sequence.num_primer_tokens,
        "log_likelihood": sequence.log_likelihood,
        "primer_log_likelihood": sequence.primer_log_likelihood,
        f"{unit}_log_likelihood": sequence.token_log_likelihood,
        f"primer_{unit}_log_likelihood": sequence.primer_token_log_likelihood,
        "path_log_likelihood": sequence.path_log_likelihood,
        "seed": sequence.seed,
    }


def search_settings(model: Model, options: GenerationOptions) -> dict[str, Any]:
    """What a line says of how any sequence was found."""
    return {
        "config": model.configuration.config,
        "model": str(model.path),
        "step": model.step,
        "search": options.search,
        "temperature": options.temperature,
        "top_k": options.top_k,
        "top_p": options.top_p,
        "beam_size": options.beam_size,
        "branch_factor": options.branch_factor,
        "steps_per_iteration": options.steps_per_iteration,
    }


def _settings(model: Model, options: GenerationOptions, rendering: Rendering, primer_source: str) -> dict[str, Any]:
    constraints = options.constraints
    return {
        **search_settings(model, options),
        "primer": primer_source or None,
        "constraints": dataclasses.asdict(constraints) if constraints.restrict else None,
        **(_primer_settings(options) if model.domain.restarts else {}),
        "steps_per_bar": options.bar_length(model.configuration),
        "steps_per_quarter": model.configuration.steps_per_quarter,
        "metre": None if rendering.metre is None else "/".join(map(str, rendering.metre)),
        "key": None if rendering.key is None else rendering.key.name,
        "qpm": rendering.qpm,
        "program": rendering.program,
        "chords": [list(change) for change in rendering.chords] or None,
        "exclude_primer": rendering.exclude_primer,
    }


def _primer_settings(options: GenerationOptions) -> dict[str, Any]:
    return {"condition_on_primer": options.condition_on_primer, "inject_primer": options.inject_primer}
