"""The pieces that a listening test may draw from: what models made, and real tunes."""

import hashlib
import heapq
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from etude.models.dataset import DESCRIPTION_FILE, read_description, read_sequences, steps_per_quarter
from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.melody_set import MelodySet
from etude.models.progress import Progress, silent
from etude.models.representations.registry import make_representation
from etude.models.representations.vocabulary import Vocabulary
from etude.pipelines.generation.generate import GENERATED_FILE, distinct_names, read_generated
from etude.pipelines.listening.excerpts import STEPS_PER_QUARTER, excerpt, music_of, playing_time
from etude.pipelines.readers.abc.reader import read
from etude.pipelines.readers.pieces import usable_pieces
from etude.pipelines.rendering.music import Music, melody_music
from etude.pipelines.sequences.split_rule import EVAL

REAL = "real"
"""What is not of a model."""

SHORTEST, LONGEST = 3.0, 15.0
"""Seconds that a clip lasts, unless somebody says otherwise: as long as the pieces allow."""

_KEPT = 200
"""Pieces of each source to draw from; more are passed over by lot."""


class Piece(NamedTuple):
    """A piece.

    Attributes:
      name: what it is called in the key.
      music: its beginning, as it is played.
      seconds: how long the whole piece would be.
    """

    name: str
    music: Music
    seconds: float


Say = Callable[[str], None]


class Sources(NamedTuple):
    """What the arguments of the command line name.

    Attributes:
      models: folders of generated pieces, by the name of the model.
      datasets: folders of datasets, whose eval split is real.
      music: files, folders and corpora of real tunes.
    """

    models: Mapping[str, Sequence[pathlib.Path]]
    datasets: Sequence[pathlib.Path]
    music: Sequence[str]


def sort_sources(arguments: Sequence[str]) -> Sources:
    """Tells generated pieces, datasets and music apart, by what a folder holds.

    Raises:
      UsageError: if there is not one of each side, or a model is named twice.
    """
    generated: list[pathlib.Path] = []
    datasets: list[pathlib.Path] = []
    music: list[str] = []
    for argument in arguments:
        path = pathlib.Path(argument)
        inside = sorted(one.parent for one in path.glob(f"*/{GENERATED_FILE}")) if path.is_dir() else []
        if (path / GENERATED_FILE).is_file():
            generated.append(path)
        elif inside:
            generated += inside
        elif (path / DESCRIPTION_FILE).is_file():
            datasets.append(path)
        else:
            music.append(argument)
    if not generated:
        raise UsageError(f"there is nothing that a model made: name folders of 'etude generate' ({GENERATED_FILE})")
    if not (datasets or music):
        raise UsageError("there are no real tunes: name a dataset, music files or corpus:NAME too")
    names = distinct_names(generated)
    return Sources({name: [folder] for name, folder in zip(names, generated, strict=True)}, datasets, music)


def generated_pieces(folders: Sequence[pathlib.Path], say: Say) -> Iterator[tuple[str, Music]]:
    """Name and music of what 'etude generate' wrote, without primers of more than one note.

    Raises:
      EtudeError: if a folder has nothing, or is damaged.
    """
    for folder in folders:
        lines = {line["file"]: line for line in read_generated(folder / GENERATED_FILE)}
        if not lines:
            raise EtudeError(f"{folder} has nothing generated (no {GENERATED_FILE}); make some with 'etude generate'")
        for _, sequence, _ in usable_pieces([str(folder / file) for file in lines], say):
            file = pathlib.Path(sequence.filename).name
            yield f"{folder.name}/{file}", _without(music_of(sequence), _primer_quarters(lines.get(file, {})))


def real_pieces(sources: Sources, say: Say, progress: Progress = silent) -> Iterator[tuple[str, Music]]:
    """Name and music of real tunes.

    Raises:
      EtudeError: if an argument names nothing, or a dataset is damaged or has no eval split.
    """
    for folder in sources.datasets:
        yield from _held_out(folder)
    if sources.music:
        for name, sequence, _ in usable_pieces(sources.music, say, progress):
            yield name, music_of(sequence)


def candidates(
    pieces: Iterable[tuple[str, Music]], seed: str, longest: float, *, qpm: float, program: int
) -> list[Piece]:
    """Pieces that are not all too short, in an order by lot that depends on their names and the seed alone."""

    def place(piece: Piece) -> bytes:
        return hashlib.sha256(f"{seed} {piece.name}".encode("utf-8", "surrogateescape")).digest()

    found = (
        Piece(name, excerpt(music, longest, qpm=qpm, program=program), seconds)
        for name, music in pieces
        if (seconds := playing_time(music, qpm)) >= SHORTEST
    )
    return heapq.nsmallest(_KEPT, found, key=place)


def _held_out(folder: pathlib.Path) -> Iterator[tuple[str, Music]]:
    """The eval split of a dataset."""
    sequences, description = read_sequences(folder, EVAL), read_description(folder)
    if isinstance(sequences, MelodySet):
        quarter = steps_per_quarter(description)
        for index, source in enumerate(sequences.sources):
            bar = int(sequences.steps_per_bar[index])
            yield source, melody_music(sequences.events(index), steps_per_quarter=quarter, steps_per_bar=bar)
        return
    stored = description.representation
    representation = make_representation(stored.name, dict(stored.options))
    vocabulary = Vocabulary(tuple(stored.vocabulary))
    for index, source in enumerate(sequences.sources):
        text = representation.render(sequences.tokens(index), vocabulary)
        if not isinstance(text, str):
            raise EtudeError(
                f"{folder} holds sequences of {stored.name}, which are no ABC; name the music files instead"
            )
        for reading in read(text.encode(), source):
            if reading.sequence is not None:
                yield source, music_of(reading.sequence)


def _primer_quarters(line: Mapping[str, object]) -> float:
    """How much of a generated melody was given, in quarter notes; 0 where that was at most one note."""
    events, number, quarter = (line.get(name) for name in ("events", "num_primer_events", "steps_per_quarter"))
    if line.get("exclude_primer") or not (isinstance(events, list) and isinstance(number, int)):
        return 0.0
    given = sum(isinstance(event, int) and event >= 0 for event in events[:number])
    return number / quarter if given > 1 and isinstance(quarter, int) and quarter else 0.0


def _without(music: Music, quarters: float) -> Music:
    """Music without its beginning."""
    start = round(quarters * STEPS_PER_QUARTER)
    return Music(
        tuple(note for note in music.notes if note.onset >= start),
        music.num_steps,
        music.steps_per_quarter,
        music.steps_per_bar,
    )
