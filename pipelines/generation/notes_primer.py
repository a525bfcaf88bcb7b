"""What generated drums, polyphony and keyboard pieces start with."""

import ast
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from etude.models.dataset import AnyFolder, read_for_model
from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.extraction import explain
from etude.models.melodies.notes import notes_of
from etude.models.model import Model
from etude.models.representations.drums import Drums
from etude.models.representations.piece import Piece
from etude.models.representations.registry import find_representation, make_representation
from etude.models.representations.representation import Representation
from etude.models.representations.vocabulary import Vocabulary
from etude.models.sequences.batch import Tokens
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
    wanted = ("--primer-drums",) if model.domain.are_drums else ("--primer-pitches", "--primer-melody")
    if option not in wanted:
        raise UsageError(
            f"{model.path} makes {model.domain.plural}, which start with {' or '.join(wanted)}, not {option}"
        )
    quarter = model.configuration.steps_per_quarter
    try:
        if option == "--primer-melody":
            events = parse_events(text, option, quarter)
            tokens = model.domain.tokens_of(notes_of(events), len(events))
        elif option == "--primer-pitches":
            tokens = model.domain.tokens_of(_chord(_literal(text), quarter), quarter)
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
                tokens = _numbered(first.tokens, model, path)
                return Primer(tokens, bar, qpm, metre_of(sequence, bar, quarter), key_of(sequence), path)
            reasons += map(explain, extracted.rejections)
    what = f"it has no tune {number}" if number and not reasons else "; ".join(reasons) or "it has no notes"
    raise EtudeError(f"the primer {path} holds no {model.domain.noun}: {what}")


def random_note_primer(model: Model, seed: int) -> Primer:
    """One note, drawn from those that the model's words have: what some start generation with.

    Raises:
      UsageError: if a keyboard piece is not what the model makes.
    """
    if model.domain.are_drums or model.domain.restarts or model.domain.step_lengths is None:
        raise UsageError(
            f"--primer-note is for models of keyboard pieces, and {model.path} makes {model.domain.plural}"
        )
    start = model.domain.default_primer
    lone = [
        token
        for token in range(model.encoding.num_tokens)
        if len(model.domain.notes(np.append(start, token)).onsets) == 1
    ]
    quarter = model.configuration.steps_per_quarter
    random = np.random.default_rng(seed)
    if lone:
        tokens = np.append(start, random.choice(lone))
    else:
        # A word for the pitch, others for the rest.
        tokens = model.domain.tokens_of(_chord([int(random.integers(48, 84))], quarter), quarter)
    return Primer(tokens, model.configuration.steps_per_whole_note)


def dataset_primer(model: Model, folder: AnyFolder, num_tokens: int, seed: int) -> Primer:
    """A random place of the eval split: so many tokens from somewhere in a sequence of it.

    Raises:
      EtudeError: if the dataset does not go with the model, or no sequence is longer.
    """
    if model.domain.step_lengths is None or model.domain.restarts:
        raise UsageError(
            f"--primer-dataset is for models of keyboard pieces, and {model.path} makes {model.domain.plural}"
        )
    held_out = read_for_model(folder, "eval", model.configuration)
    long_enough = np.flatnonzero(held_out.lengths > num_tokens)
    if not len(long_enough):
        raise EtudeError(
            f"no sequence of the eval split of {folder} has more than {num_tokens} tokens; give fewer --primer-tokens"
        )
    random = np.random.default_rng(seed)
    index = int(random.choice(long_enough))
    first = int(random.integers(0, held_out.lengths[index] - num_tokens))
    tokens = model.domain.continued_form(held_out.tokens(index)[first : first + num_tokens])
    bar = held_out.attributes.get("steps_per_bar")
    steps = model.configuration.steps_per_whole_note if bar is None else int(bar[index])
    return Primer(tokens, steps, source=f"{held_out.ids[index]} from token {first}")


def _numbered(found: Any, model: Model, path: str) -> Tokens:
    """The tokens of a sequence in the model's vocabulary, without an end.

    Raises:
      EtudeError: if the vocabulary has no unknown, and not all of them.
    """
    if not isinstance(found, tuple):
        return np.asarray(found, np.int64)
    try:
        tokens = Vocabulary(model.configuration.vocabulary).encode(found)
    except ValueError as error:
        raise EtudeError(f"the primer {path} holds what the model does not know: {error}") from error
    return model.domain.continued_form(tokens)


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
