"""Times the MIDI reader beside note-seq's on the same files, and compares every NoteSequence.

Usage: python -P scripts/bench/convert_midi.py FOLDER [--most 1000]
"""

import argparse
import pathlib
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

sys.path.append(str(pathlib.Path(__file__).parents[2]))

from etude.pipelines.readers.midi import reader as midi
from etude.pipelines.readers.note_sequences import NoteSequence

BATCH = 50
"""Files that one reader reads before the other has its turn, so that a busy machine slows both."""


def main() -> None:
    """Reads the files and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--most", type=int, default=1000, metavar="N", help="files to read at most (default 1000)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    # It takes seconds to import, and warns.
    from note_seq import midi_io

    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    files = [path.read_bytes() for path in paths[: options.most]]
    seconds = {"etude": 0.0, "note-seq": 0.0}
    for data in files[:1]:  # what a reader does once is no part of its speed
        midi.read(data)
        midi_io.midi_to_note_sequence(data)
    num_notes = num_equal = num_only_etude = num_only_note_seq = num_neither = 0
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        ours = _timed("etude", lambda data: midi.read(data)[0].sequence, batch, seconds)
        theirs = _timed("note-seq", midi_io.midi_to_note_sequence, batch, seconds)
        for path, our, their in zip(paths[start:], ours, theirs, strict=False):
            num_notes += len(NoteSequence.FromString(our).notes) if our else 0
            num_equal += our is not None and our == their
            num_only_etude += our is not None and their is None
            num_only_note_seq += our is None and their is not None
            num_neither += our is None and their is None
            if our is not None and their is not None and our != their:
                print(f"{path} differs")
    num_different = len(files) - num_equal - num_only_etude - num_only_note_seq - num_neither
    print(f"{len(files):,} files, {num_notes / max(len(files), 1):,.0f} notes a file")
    print(f"equal {num_equal:,}, different {num_different:,}, read by neither {num_neither:,},", end=" ")
    print(f"only by Etude {num_only_etude:,}, only by note-seq {num_only_note_seq:,}")
    for name, total in seconds.items():
        print(f"{name:10} {total / max(len(files), 1) * 1e3:8.3f} ms a file")
    print(f"ratio {seconds['note-seq'] / seconds['etude']:.1f} (processor time)")


def _timed(
    name: str, read: Callable[[bytes], Any], files: list[bytes], seconds: dict[str, float]
) -> list[bytes | None]:
    """Reads files; returns each serialised, or None, so that no more than one NoteSequence takes memory, as in use."""
    found: list[bytes | None] = []
    for data in files:
        started = time.process_time()
        try:
            sequence = read(data)
        except Exception:  # what note-seq raises is not of one kind
            sequence = None
        seconds[name] += time.process_time() - started
        found.append(None if sequence is None else sequence.SerializeToString(deterministic=True))
    return found


if __name__ == "__main__":
    main()
