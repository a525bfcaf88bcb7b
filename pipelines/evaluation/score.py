"""The log-likelihoods of given music under a model."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from etude.models.configuration import Configuration
from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.extraction import MOST_BARS, explain, whole_track_options
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.registry import family
from etude.models.representations import piece as representations
from etude.models.representations.lead_sheet import LeadSheetRepresentation
from etude.models.representations.melody import MelodyRepresentation
from etude.models.representations.registry import find_representation, make_representation
from etude.models.representations.sequence import Sequence as TokenSequence
from etude.models.representations.sequence import pack
from etude.models.representations.vocabulary import Vocabulary
from etude.pipelines.readers.pieces import usable_pieces
from etude.pipelines.reasons import REMARKS


def read_melodies(
    sources: Sequence[str],
    steps_per_quarter: int,
    report: Callable[[str], None],
    progress: Progress = silent,
    *,
    with_chords: bool = False,
) -> list[Melody]:
    """Every track of every file as a melody, with the highest note of a chord.

    Args:
      sources: files, folders, globs, archives and `corpus:NAME`.
      steps_per_quarter: the model's.
      report: called with each piece that gave no melody, and why.
      progress: called after every file.
      with_chords: whether each step has the chord of its symbols, or of its notes where a piece has no symbols.

    Raises:
      EtudeError: if a source names nothing.
    """
    options = dataclasses.asdict(whole_track_options(steps_per_quarter, gap_bars=MOST_BARS))
    representation = (
        LeadSheetRepresentation(**options, require_chords=False) if with_chords else MelodyRepresentation(**options)
    )
    melodies = []
    for source, notes, _ in usable_pieces(sources, report, progress):
        extracted = representation.extract(representations.Piece(notes))
        for rejection in extracted.rejections:
            report(f"{source}: {explain(rejection)}")
        for name, count in extracted.remarks.items():
            report(f"{source}: {count} melodies {REMARKS[name]}")
        for one in extracted.sequences:
            place, bar = f"{source}:{one.id.partition(':')[0]}", one.attributes["steps_per_bar"]
            melodies.append(
                Melody(
                    np.asarray(one.tokens),
                    source=place,
                    steps_per_quarter=steps_per_quarter,
                    steps_per_bar=bar,
                    columns=one.columns,
                )
            )
    return melodies


def read_sequences(
    sources: Sequence[str],
    configuration: Configuration,
    report: Callable[[str], None],
    progress: Progress = silent,
) -> list[TokenSequence]:
    """Every piece of every file as sequences of the representation that a model reads.

    Args:
      sources: files, folders, globs, archives and `corpus:NAME`.
      configuration: the model's.
      report: called with each piece that gave none, and why.
      progress: called after every file.

    Raises:
      EtudeError: if a source names nothing.
      UsageError: if the representation is that of no family in use.
    """
    typed = family(configuration.config).representation or find_representation(configuration.representation)
    representation = make_representation(typed, configuration.representation_options).whole()
    vocabulary = Vocabulary(configuration.vocabulary)
    sequences = []
    for source, notes, text in usable_pieces(sources, report, progress):
        extracted = representation.extract(representations.Piece(notes, text))
        for rejection in extracted.rejections:
            report(f"{source}: {explain(rejection)}")
        for one in extracted.sequences:
            tokens = vocabulary.encode(one.tokens) if isinstance(one.tokens, tuple) else one.tokens
            sequences.append(dataclasses.replace(one, tokens=tokens, source=f"{source}:{one.id}"))
    return sequences


def read_list(model: Model, text: str) -> TokenSequence:
    """A sequence of drums or polyphony that is typed as a list in JSON.

    Raises:
      UsageError: if it is none of the model's sequences; the message says why.
    """
    try:
        tokens = model.domain.parse(json.loads(text))
    except (ValueError, TypeError) as error:
        raise UsageError(f"--events {text!r} is not a {model.domain.noun} of {model.path}: {error}") from error
    if not len(tokens):
        raise UsageError("--events holds no event")
    return TokenSequence(tokens, source=text)


def read_text(model: Model, source: str, text: str) -> TokenSequence:
    """A whole sequence that is written as text.

    Raises:
      EtudeError: if the text is none of the model's sequences; the message names it.
    """
    try:
        tokens = model.domain.parse_whole(text)
    except ValueError as error:
        raise EtudeError(f"{source} is not a {model.domain.noun} of {model.path}: {error}") from error
    if not len(tokens):
        raise EtudeError(f"{source} is empty, so it has no log-likelihood")
    return TokenSequence(tokens, source=source)


def score_sequences(model: Model, sequences: Sequence[TokenSequence]) -> list[dict[str, Any]]:
    """What `etude score` prints of each sequence that is no melody."""
    sums = model.evaluate(pack(sequences))
    return [
        {
            "source": sequence.source,
            "num_tokens": len(sequence),
            "log_likelihood": float(sums["log_likelihood"][index]),
            f"{model.encoding.unit}_log_likelihood": float(sums["token_log_likelihood"][index]),
        }
        for index, sequence in enumerate(sequences)
    ]


def score(
    model: Model, melodies: Sequence[Melody], squash: bool = True, report: Callable[[str], None] = lambda message: None
) -> list[dict[str, Any]]:
    """What `etude score` prints of each melody.

    Args:
      model: the model.
      melodies: at least one event each.
      squash: bring them into the model's key and range first.
      report: called with how many melodies that changed, if any.

    Raises:
      EtudeError: if, without `squash`, a pitch is outside the model's range.
    """
    if not melodies:
        return []
    scored, moved = list(melodies), [0] * len(melodies)
    if squash:
        squashed = [model.domain.enter(melody.events) for melody in melodies]
        moved = [semitones for _, semitones in squashed]
        scored = [
            dataclasses.replace(melody, events=events, columns=model.domain.enter_columns(melody.columns, semitones))
            for melody, (events, semitones) in zip(melodies, squashed, strict=True)
        ]
    changed = sum(
        not np.array_equal(before.events, after.events) for before, after in zip(melodies, scored, strict=True)
    )
    if changed:
        report(
            f"{changed} of {len(melodies)} melodies were brought into the model's key and range (transpose_amount, and notes "
            "outside it by octaves); --no-squash scores them as they are"
        )
    sums = model.evaluate(MelodySet.of(scored), squash=False)
    return [
        {
            "source": melody.source,
            "num_steps": len(melody.events),
            "transpose_amount": moved[index],
            "log_likelihood": float(sums["log_likelihood"][index]),
            f"{model.encoding.unit}_log_likelihood": float(sums["token_log_likelihood"][index]),
        }
        for index, melody in enumerate(melodies)
    ]
