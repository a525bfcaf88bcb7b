"""Makes a blind listening test: listen.html to give to people, and key.json to keep.

examples:
  etude listen create melodies/ dataset --output test
  etude listen create study/generated study/dataset --output test --kind pair
  etude listen create runs-basic-made runs-lookback-made corpus:ryansMammoth --output test --clips 24

Sources are folders of 'etude generate' (or a folder of such folders), each a model, and real tunes: the eval split of a
dataset, music files, folders, corpus:NAME. From a dataset, real tunes have gone through what the models read, so that nothing
but the music differs; from files they are played as written. Every clip has the same instrument, tempo, key, register, length
and loudness (ITU-R BS.1770, by pyloudnorm). The page is one file that loads and sends nothing: listeners hand in a file or a
text. Two catch trials, a nursery tune and random notes, show who does not listen. Whoever sees key.json is no longer blind.
"""

import argparse
import pathlib

from etude.commands.common import command, number, whole
from etude.commands.output_folder import check_output, kind_of
from etude.console import Console

INTERRUPTED = "run the same command again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="folders of 'etude generate', and datasets, music or corpus:NAME"
    )
    parser.add_argument("--output", required=True, metavar="TEST", help="folder for listen.html and key.json")
    parser.add_argument(
        "--kind", default="single", metavar="single|pair",
        help="one piece at a time, real or generated (default); or two, of which one is real",
    )  # fmt: skip
    parser.add_argument(
        "--clips", type=whole(2, 1_000), default=20, metavar="N", help="pieces to hear, half of them real (default 20)"
    )
    parser.add_argument(
        "--seconds", type=number(3, 60), default=0, metavar="S",
        help="length of a clip (default: as long as there are enough pieces of, at most 15)",
    )  # fmt: skip
    parser.add_argument(
        "--minimum", type=number(0.5, 60), default=5, metavar="S", help="to hear before answering (default 5 seconds)"
    )
    parser.add_argument("--qpm", type=float, default=120, metavar="Q", help="tempo of all clips (default 120)")
    parser.add_argument(
        "--program", type=whole(0, 127), default=0, metavar="P", help="General MIDI instrument (default 0, piano)"
    )
    parser.add_argument(
        "--seed",
        default="",
        metavar="TEXT",
        help="draws the same pieces, order and ids again (default: drawn, in the key)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier test, whose answers then have no key (else: an error)",
    )


def run(options: argparse.Namespace, console: Console) -> None:
    """Makes the test."""
    from etude.models.errors import EtudeError
    from etude.pipelines.listening.create import KEY_FILE, PAGE_FILE, TestOptions, create_test
    from etude.pipelines.listening.pieces import sort_sources
    from etude.pipelines.listening.plan import planned
    from etude.pipelines.sources.corpora import licence_notes

    output = pathlib.Path(options.output)
    check_output(output, "listening")
    if kind_of(output) and not options.overwrite:
        raise EtudeError(
            f"{output} holds a listening test, whose answers would have no key; choose another, or --overwrite"
        )
    chosen = TestOptions(
        options.kind, options.clips, options.seconds, options.minimum, options.qpm, options.program, options.seed
    )
    for note in licence_notes(options.sources):
        console.say(note)
    with console.progress("reading real tunes") as progress:
        key = create_test(sort_sources(options.sources), output, chosen, say=console.say, progress=progress)
    for sentence in planned(key):
        console.say(sentence)
    console.say(
        f"give to listeners: {output / PAGE_FILE}; keep to yourself: {output / KEY_FILE}; then:\n"
        f"  {command('listen', 'analyse', output / KEY_FILE, 'answers/')}"
    )
