"""Holds the published tokens of keyboard pieces against those that Classical-Piano-Composer's script gets from music21.

Example:
  python -m scripts.bench.keyboard_agreement --chorales 100 --midi piano-files

Chorales are written as MIDI files with all voices on one track. Since version 7, music21 cuts notes at bar lines, and each
part is a token there; what it cut is joined again before the comparison. Differences are printed; also whether every chorale
comes back from the tokens that lose nothing as it went in.
"""

import argparse
import pathlib
import tempfile
import time
from typing import Any

GRID = 4
METRE = (200, 4)
"""A bar that holds all."""


def main() -> None:
    """Prints how many files agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chorales", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--midi", type=pathlib.Path, metavar="FOLDER", help="MIDI files to compare, too")
    options = parser.parse_args()
    found = chorales()
    whole = sum(map(comes_back, found.values()))
    print(f"{whole} of {len(found)} chorales come back from the tokens that lose nothing as they went in")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, notes in list(found.items())[: options.chorales]:
            files.append(pathlib.Path(folder, f"{name}.mid"))
            files[-1].write_bytes(midi_of(notes))
        compare("chorales", files)
    if options.midi:
        compare("MIDI files", sorted(options.midi.rglob("*.mid")))


def compare(what: str, files: list[pathlib.Path]) -> None:
    """Prints how many files have the same tokens, and how long either takes to read them."""
    same, seconds = 0, {"ours": 0.0, "music21": 0.0}
    for file in files:
        start = time.perf_counter()
        own = ours(file)
        middle = time.perf_counter()
        theirs = music21s(file)
        seconds["ours"] += middle - start
        seconds["music21"] += time.perf_counter() - middle
        same += own == theirs
        if own != theirs:
            print(f"{file.name} differs: {len(own)} tokens, music21 {len(theirs)}")
    print(f"{same} of {len(files)} {what} agree; ours {seconds['ours']:.2f} s, music21 {seconds['music21']:.1f} s")


def chorales() -> dict[str, Any]:
    """The notes of every chorale that can be read, on a grid of sixteenths."""
    import numpy as np

    from etude.models.melodies.note_columns import note_columns
    from etude.models.melodies.tempo_map import steps_by_tempos
    from etude.models.notes_and_chords.keyboard import keyboard_notes
    from etude.pipelines.readers.pieces import read_pieces

    result = {}
    for piece in read_pieces(["corpus:bach"]):
        if piece.sequence is not None and len(piece.sequence.notes):
            columns = note_columns(piece.sequence)
            steps = steps_by_tempos(piece.sequence, np.stack([columns.start, columns.end]), GRID)
            starts, ends = np.floor(steps + 0.5).astype(np.int64)
            name = piece.name.replace("/", "-")
            result[name] = keyboard_notes(starts, columns.pitch, np.maximum(ends, starts + 1))
    return result


def comes_back(notes: Any) -> bool:
    """Whether notes are the same after they were tokens."""
    from etude.models.notes_and_chords import musical

    again = musical.notes_of(musical.words_of(notes, GRID))
    return all((one == other).all() for one, other in zip(notes[:3], again[:3], strict=True))


def midi_of(notes: Any) -> bytes:
    """The notes on one track."""
    from etude.pipelines.rendering.midi import to_midi
    from etude.pipelines.rendering.music import Grid

    num_steps = int((notes.onsets + notes.durations).max())
    return to_midi(Grid(GRID, METRE[0] * GRID * 4 // METRE[1], metre=METRE).music(notes, num_steps))


def ours(file: pathlib.Path) -> list[str]:
    """Our tokens of a file."""
    from etude.models.representations.notes_and_chords import NotesAndChordsAsPublished
    from etude.models.representations.piece import Piece
    from etude.pipelines.readers.midi.reader import read

    (sequence,) = NotesAndChordsAsPublished().extract(Piece(read(file.read_bytes())[0].sequence)).sequences
    return [str(word) for word in sequence.tokens[1:-1]]


def music21s(file: pathlib.Path) -> list[str]:
    """Those of the script."""
    from music21 import chord, converter, instrument, note

    read: Any = converter.parse(file, forceSource=True).stripTies()
    words = []
    for element in instrument.partitionByInstrument(read).parts[0].recurse():
        if isinstance(element, note.Note):
            words.append(str(element.pitch))
        elif isinstance(element, chord.Chord):
            words.append(".".join(map(str, element.normalOrder)))
    return words


if __name__ == "__main__":
    main()
