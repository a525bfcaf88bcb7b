"""Makes a dataset of NoteSequences: melodies, or another representation, split into train and eval (and test).

examples:
  etude dataset notes --output dataset
  etude dataset notes --output dataset --eval-ratio 0.2 --test-ratio 0.1 --polyphony highest
  etude dataset notes --output dense --format magenta --config attention
  etude dataset notes --output sheets --representation lead_sheet
  etude dataset notes --output texts --representation abc_tokens --exact-tunes

One dataset serves every configuration: it stores the events, and each model encodes them when it reads them. The split
goes by the content of pieces and --salt, never by order, and is the same for every representation: copies of a piece, in
whatever key, fall on the same side. What gave no melody is in rejected.jsonl with its reason. NOTES and DATASET may be
addresses that Beam has a file system for, such as gs://BUCKET/notes. Killed at any moment, the same command starts again.
"""

import argparse
import dataclasses
from typing import TYPE_CHECKING

from etude.commands.common import add_shards, add_workers, command, num_workers, unused_folder, whole
from etude.commands.output_folder import check_output
from etude.console import Console

if TYPE_CHECKING:
    from etude.models.storage.dataset_pb2 import DatasetDescription

TAKES_BEAM_OPTIONS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "notes", nargs="+", metavar="NOTES", help="folder of 'etude convert', or TFRecords of NoteSequences"
    )
    parser.add_argument("--output", required=True, metavar="DATASET", help="folder for the dataset; made if need be")
    parser.add_argument(
        "--representation",
        default="melody",
        metavar="NAME",
        help="what pieces become: melody (default), lead_sheet (melodies over chords), ..., or MODULE:CLASS",
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=JSON", help="an option of another representation"
    )
    split = parser.add_argument_group("split")
    split.add_argument("--eval-ratio", type=float, default=0.1, help="share of pieces to evaluate on (default 0.1)")
    split.add_argument("--test-ratio", type=float, default=0.0, help="share of pieces kept for a last test (default 0)")
    split.add_argument("--salt", default="", metavar="TEXT", help="another text gives another split")
    melodies = parser.add_argument_group("what makes a melody (the defaults are Magenta's)")
    melodies.add_argument("--min-bars", type=float, help="shorter melodies are rejected (default 7)")
    melodies.add_argument("--max-steps", type=int, help="longer ones are cut; 0 keeps them whole (default 512)")
    melodies.add_argument(
        "--min-unique-pitches",
        type=int,
        help="melodies with fewer pitch classes are rejected (default 5; lead_sheet: 3)",
    )
    melodies.add_argument("--gap-bars", type=float, help="bars of silence that end a melody (default 1)")
    melodies.add_argument(
        "--polyphony", metavar="reject|highest|skip-later",
        help="what to do where notes start together: drop the rest of the track (default), keep the highest, keep the first",
    )  # fmt: skip
    melodies.add_argument("--steps-per-quarter", type=int, help="steps in a quarter note (default 4)")
    parser.add_argument(
        "--transpose", type=whole(-127, 127), nargs="+", metavar="N",
        help="semitones by which copies of what is trained on are moved, such as -2 0 2 (default: 0; of lead_sheet into all "
        "12 keys, of polyphony -4 to 4)",
    )  # fmt: skip
    parser.add_argument(
        "--dedupe", action="store_true",
        help="drop pieces with the notes of another one, in whatever key; they are counted in any case",
    )  # fmt: skip
    parser.add_argument(
        "--exact-tunes", action="store_true",
        help="keep only tunes that ABC, its tokens and sixteenths carry exactly, whole and in C, to compare models across "
        "representations",
    )  # fmt: skip
    parser.add_argument("--format", default="etude", metavar="etude|magenta", help="magenta: dense records of --config")
    parser.add_argument("--config", default="", metavar="NAME", help="the configuration of --format magenta")
    add_shards(parser)
    add_workers(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    """Creates the dataset."""
    from etude.pipelines.running.lean_beam import import_beam

    if not options.beam_options:
        import_beam()
    from etude.models.errors import UsageError
    from etude.models.melodies.extraction import ExtractionOptions
    from etude.models.sequences.domain import MELODIC
    from etude.pipelines.dataset import create_dataset
    from etude.pipelines.reasons import REMARKS, describe_most_frequent

    flags = {
        field.name: value
        for field in dataclasses.fields(ExtractionOptions)
        if (value := getattr(options, field.name)) is not None
    }
    if options.exact_tunes and flags:
        raise UsageError(f"--exact-tunes keeps melodies whole: leave out --{next(iter(flags)).replace('_', '-')}")
    check_output(options.output, "dataset")
    with console.progress("extracting sequences") as progress:
        description = create_dataset(
            options.notes,
            options.output,
            representation=options.representation,
            options=dict(map(_name_and_value, options.option)),
            eval_ratio=options.eval_ratio,
            test_ratio=options.test_ratio,
            salt=options.salt,
            extraction=flags,
            transpositions=options.transpose,
            dedupe=options.dedupe,
            exact_tunes=options.exact_tunes,
            format=options.format,
            config=options.config,
            shards=options.shards,
            workers=num_workers(options, console),
            beam_options=options.beam_options,
            overwrite=options.overwrite,
            progress=progress,
        )
    is_melodies = description.representation.name in MELODIC
    things, units = ("melodies", "steps") if is_melodies else ("sequences", f"{description.representation.unit}s")
    if options.exact_tunes:
        kept, left_out = description.num_pieces, sum(description.left_out.values())
        console.say(f"{kept:,} of {kept + left_out:,} pieces are tunes that every representation carries exactly")
        if left_out:
            console.say(f"left out (all in rejected.jsonl):\n{describe_most_frequent(description.left_out)}")
    for split in description.splits:
        notes = f", {split.num_notes:,} notes" if split.num_notes else ""
        console.say(f"{split.name}: {split.num_melodies:,} {things}, {split.num_steps:,} {units}{notes}")
    for count, dropped in (
        (description.num_leaked_pieces_dropped, "pieces"),
        (description.num_leaked_melodies_dropped, things),
    ):
        if count:
            console.say(f"{count:,} held-out {dropped} dropped, since train holds their notes too")
    exact, transposed = description.num_duplicate_pieces, description.num_transposed_duplicate_pieces
    if exact or transposed:
        fate = "dropped" if description.duplicates_dropped else "kept; --dedupe drops them"
        console.say(f"{exact:,} pieces have the notes of another one and {transposed:,} in another key: {fate}")
    for name, count in sorted(description.remarks.items()):
        console.say(f"{count:,} {things} {REMARKS[name]}")
    if description.rejected:
        console.say(
            f"rejected, most frequent first (all in rejected.jsonl):\n{describe_most_frequent(description.rejected)}"
        )
    console.say(_advice(description, options))


def _advice(description: "DatasetDescription", options: argparse.Namespace) -> str:
    """What to do next, as a command that works on this dataset."""
    sizes = {split.name: split.num_melodies for split in description.splits}
    if not sizes.get("eval"):
        return (
            "there is no eval split, which 'etude train' needs to tell its best weights: "
            "to train on these melodies, write them again with --eval-ratio 0.1"
        )
    config = options.config or _reader(description, options.representation)
    run_dir = unused_folder(f"runs/{config}")
    return f"next: {command('train', '--config', config, '--dataset', options.output, '--run-dir', run_dir)}"


def _reader(description: "DatasetDescription", representation: str) -> str:
    """A configuration that reads such a dataset."""
    from etude.models.registry import families_of
    from etude.models.sequences.domain import MELODY

    if representation == MELODY:
        return "mono" if set(description.transpositions) - {0} else "lookback"
    return families_of(representation)[0]


def _name_and_value(option: str) -> tuple[str, str]:
    from etude.models.errors import UsageError

    name, equals, value = option.partition("=")
    if not equals:
        raise UsageError(f"--option takes NAME=JSON, not {option!r}")
    return name, value
