"""What generated drums and polyphony start with."""

import ast
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.extraction import explain
from etude.models.melodies.notes import notes_of
from etude.models.model import Model
from etude.models.polyphony.domain import PolyphonyDomain
from etude.models.polyphony.extraction import tokens_of_notes
from etude.models.representations.drums import Drums
from etude.models.representations.piece import Piece
from etude.models.representations.registry import find_representation, make_representation
from etude.models.representations.representation import Representation
from etude.models.sequences.notes import Notes
from etude.pipelines.generation.primer import Primer, key_of, metre_of, pieces_of, split_name
from etude.pipelines.rendering.music import DEFAULT_QPM
from etude.pipelines.sequences.event_lists import parse_events


def default_notes_primer(model: Model) -> Primer:
    """What the model's sequences start with unless something else is given: a bass drum; of polyphony, nothing."""
    return Primer(model.domain.default_primer, model.configuration.steps_per_whole_note)


def typed_notes_primer(model: Model, option: str, text: str) -> Primer:
    """A primer as it is typed.

    Args:
      model: that is to continue it.
      option: `--primer-drums`, `--primer-pitches` or `--primer-melody`.
      text: a list of the pitches struck at each step, of pitches that sound together for a quarter note, or of a melody's
        events.

    Raises:
      UsageError: if it is no such list, or the model takes none.
    """
    wanted = (
        ("--primer-pitches", "--primer-melody") if isinstance(model.domain, PolyphonyDomain) else ("--primer-drums",)
    )
    if option not in wanted:
        raise UsageError(
            f"{model.path} makes {model.domain.plural}, which start with {' or '.join(wanted)}, not {option}"
        )
    quarter = model.configuration.steps_per_quarter
    try:
        if option == "--primer-melody":
            events = parse_events(text, option, quarter)
            tokens = tokens_of_notes(notes_of(events), len(events))
        elif option == "--primer-pitches":
            tokens = tokens_of_notes(_chord(_literal(text), quarter), quarter)
        else:
            tokens = model.domain.parse([step if isinstance(step, int) else tuple(step) for step in _literal(text)])
    except (ValueError, TypeError) as error:
        example = {"--primer-pitches": "[60, 64, 67]", "--primer-drums": "[(36, 42), (), (42,)]"}[option]
        raise UsageError(f"{option} takes a list such as '{example}', not {text!r}: {error}") from error
    if not len(tokens):
        raise UsageError(f"{option} holds nothing")
    return Primer(tokens, model.configuration.steps_per_whole_note)


def read_notes_primer(path: str, model: Model) -> Primer:
    """The first sequence of a piece, whole, of the model's representation; all notes count as drums where there are none.

    Args:
      path: a MIDI, ABC or MusicXML file, or a record file of NoteSequences; "#N" behind it chooses a tune.
      model: that is to continue it.

    Raises:
      EtudeError: if the file is missing, cannot be read, has no such tune, or holds no such sequence.
    """
    file, number = split_name(path)
    representation = _representation(model)
    others = [dataclasses.replace(representation, all_notes=True)] if isinstance(representation, Drums) else []
    reasons = []
    for sequence, reason in pieces_of(file, number):
        if sequence is None:
            reasons.append(reason)
            continue
        for chosen in (representation, *others):
            extracted = chosen.extract(Piece(sequence))
            if extracted.sequences:
                first = extracted.sequences[0]
                bar, quarter = first.attributes["steps_per_bar"], model.configuration.steps_per_quarter
                qpm = sequence.tempos[0].qpm if sequence.tempos else DEFAULT_QPM
                tokens = np.asarray(first.tokens, np.int64)
                return Primer(tokens, bar, qpm, metre_of(sequence, bar, quarter), key_of(sequence), path)
            reasons += map(explain, extracted.rejections)
    what = f"it has no tune {number}" if number and not reasons else "; ".join(reasons) or "it has no notes"
    raise EtudeError(f"the primer {path} holds no {model.domain.noun}: {what}")


def _representation(model: Model) -> Representation:
    configuration = model.configuration
    options = {"steps_per_quarter": str(configuration.steps_per_quarter), **configuration.representation_options}
    return make_representation(find_representation(configuration.representation), options).whole()


def _chord(pitches: Sequence[Any], num_steps: int) -> Notes:
    if not all(isinstance(pitch, int) and 0 <= pitch <= 127 for pitch in pitches):
        raise ValueError("pitches are whole numbers from 0 to 127")
    chord = np.array(list(pitches), np.int64)
    return Notes(np.zeros_like(chord), chord, np.full_like(chord, num_steps))


def _literal(text: str) -> Sequence[Any]:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("it cannot be read") from error
    if not isinstance(found, list | tuple):
        raise ValueError("it is no list")
    return found
