"""Converts MIDI, ABC and MusicXML files to NoteSequences.

examples:
  etude convert tunes/ --output notes
  etude convert corpus:ryansMammoth --output notes --workers 2
  etude convert more.zip "old/*.mid" --output notes
  etude convert tunes/ --output notes -- --runner FlinkRunner --flink_master localhost:8081

A SOURCE is a file (.mid .midi .abc .xml .musicxml .mxl), a folder (searched through), a glob, a .zip or .tar archive,
corpus:NAME from the installed music21 package, or any of these at an address that Beam has a file system for, such as
gs://BUCKET/tunes. A file that cannot be read is set aside with its reason in manifest.jsonl;
it never stops the job. NOTES may be such an address, too. Killed at any moment, the same command starts again.
"""

import argparse

from etude.commands.common import add_shards, add_workers, command, num_workers, unused_folder
from etude.commands.output_folder import check_output
from etude.console import Console
from etude.models.melodies.pickups import PICKUPS, REST

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="files, folders, globs, archives or corpus:NAME")
    parser.add_argument(
        "--output", required=True, metavar="NOTES", help="folder for the NoteSequences; made if need be"
    )
    parser.add_argument(
        "--pickups",
        choices=PICKUPS,
        default=REST,
        help="where ABC or MusicXML begins within a bar: rest (the default) puts a rest of the missing part before it, so "
        "that bars stay where they are; as-written does not. MIDI has its bars as they are",
    )
    add_shards(parser)
    add_workers(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    """Converts."""
    from etude.pipelines.running.lean_beam import import_beam

    if not options.beam_options:
        import_beam()
    from etude.pipelines.convert import convert
    from etude.pipelines.reasons import describe_most_frequent

    check_output(options.output, "notes")
    with console.progress("converting") as progress:
        summary = convert(
            options.sources,
            options.output,
            pickups=options.pickups,
            shards=options.shards,
            workers=num_workers(options, console),
            beam_options=options.beam_options,
            overwrite=options.overwrite,
            progress=progress,
        )
    for note in summary.notes:
        console.say(f"note: {note}")
    if summary.was_complete:
        console.say(f"{options.output} was complete already; nothing was done")
    console.say(summary.describe())
    if summary.rejected:
        console.say(
            f"{sum(summary.rejected.values()):,} rejected, most frequent first (all in manifest.jsonl):\n"
            f"{describe_most_frequent(summary.rejected)}"
        )
    console.say(f"next: {command('dataset', options.output, '--output', unused_folder('dataset'))}")
