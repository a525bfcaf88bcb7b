"""Writes the NoteSequences of a folder as MIDI files, with note-seq: a corpus that is written as ABC, for other benches.

Usage: python -P scripts/bench/write_midi.py NOTES FOLDER

NOTES is a folder that `etude convert` wrote, such as that of corpus:ryansMammoth.
"""

import argparse
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2]))

from etude.pipelines.readers.note_files import expand_note_files
from etude.pipelines.readers.note_sequences import read_note_sequences


def main() -> None:
    """Writes one file for each NoteSequence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes", type=pathlib.Path, help="folder of etude convert")
    parser.add_argument("folder", type=pathlib.Path, help="where the MIDI files go; made if need be")
    options = parser.parse_args()
    from note_seq import midi_io

    options.folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for file in expand_note_files([options.notes]).files:
        for sequence in read_note_sequences(file.path):
            name = sequence.id.replace("/", "-").replace("#", "-")
            midi_io.sequence_proto_to_midi_file(sequence, str(options.folder / f"{name}.mid"))
            count += 1
    print(f"{count:,} files in {options.folder}")


if __name__ == "__main__":
    main()
