"""Generated melodies on disk: MIDI files, and a line each in generated.jsonl."""

import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from models.errors import EtudeError, UsageError
from models.files import write_text, write_whole
from models.generation import GeneratedMelody, GenerationOptions
from models.midi import melody_to_midi
from models.model import Model

GENERATED_FILE = "generated.jsonl"


def check_midi_settings(qpm: float | None, program: int) -> None:
    """Raises a UsageError if the tempo or the instrument cannot stand in a MIDI file."""
    if qpm is not None and not (math.isfinite(qpm) and 4 <= qpm <= 1000):
        raise UsageError(f"--qpm must be from 4 to 1000 quarter notes a minute, not {qpm}")
    if not 0 <= program <= 127:
        raise UsageError(f"--program must be from 0 to 127, not {program}")


def write_melodies(
    model: Model,
    melodies: Sequence[GeneratedMelody],
    options: GenerationOptions,
    folder: pathlib.Path,
    *,
    qpm: float,
    program: int = 0,
    exclude_primer: bool = False,
) -> list[dict[str, Any]]:
    """Writes melodies as MIDI files and adds them to the folder's generated.jsonl.

    A file's name tells configuration, search and seed, so that melodies of another call stay beside these, and the same
    call again replaces its own.

    Args:
      model: the model that they are from.
      melodies: what it generated.
      options: how.
      folder: where to; made if need be.
      qpm: quarter notes a minute.
      program: General MIDI instrument.
      exclude_primer: leave the primer out of the MIDI files.

    Returns:
      The lines of these melodies.
    """
    path = folder / GENERATED_FILE
    lines = {line["file"]: line for line in read_generated(path)}
    name = f"{model.configuration.config}-{options.search}"
    if options.search == "stochastic":
        name += f"-seed{options.seed}"
    digits = max(2, len(str(len(melodies))))
    written = []
    for number, melody in enumerate(melodies, start=1):
        file = f"{name}-{number:0{digits}}.mid"
        events = melody.sounding_events[melody.num_primer_events if exclude_primer else 0 :]
        midi = melody_to_midi(events, qpm=qpm, steps_per_quarter=model.configuration.steps_per_quarter, program=program)
        with write_whole(folder / file) as stream:
            stream.write(midi)
        lines.pop(file, None)
        lines[file] = _line(file, model, melody, options, qpm)
        written.append(lines[file])
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines.values()))
    return written


def read_generated(path: pathlib.Path) -> list[dict[str, Any]]:
    """The lines of a generated.jsonl; empty if there is none.

    Raises:
      EtudeError: if a line is damaged; the message names it.
    """
    lines = []
    if path.is_file():
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError as error:
                raise EtudeError(f"{path}, line {number} is damaged: {error}; mend or remove the file") from error
    return lines


def _line(file: str, model: Model, melody: GeneratedMelody, options: GenerationOptions, qpm: float) -> dict[str, Any]:
    return {
        "file": file,
        "config": model.configuration.config,
        "model": str(model.path),
        "step": model.step,
        "events": melody.events.tolist(),
        "transpose_amount": melody.transpose_amount,
        "num_primer_events": melody.num_primer_events,
        "log_likelihood": melody.log_likelihood,
        "primer_log_likelihood": melody.primer_log_likelihood,
        "event_log_likelihood": melody.event_log_likelihood,
        "primer_event_log_likelihood": melody.primer_event_log_likelihood,
        "path_log_likelihood": melody.path_log_likelihood,
        "seed": melody.seed,
        "search": options.search,
        "temperature": options.temperature,
        "beam_size": options.beam_size,
        "branch_factor": options.branch_factor,
        "steps_per_iteration": options.steps_per_iteration,
        "qpm": qpm,
    }
