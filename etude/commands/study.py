"""Runs a whole study: converts the music, makes the dataset, trains every configuration, generates and compares.

examples:
  etude study --output demo                     the built-in study, on tunes of the installed music21
  etude study published --output published      the published comparison, with its figures beside ours
  etude study abc-cells --output cells          LSTM, GRU and simple cells on the characters of ABC
  etude study folk-rnn --output folk --large --source tunes/
  etude study my-study.toml --output results --parallel 2

A study file names the sources, configurations, seeds and hyperparameters; pipelines/studies/demo.toml is an example. The
output folder holds notes/, dataset/, runs/, generated/, listening/ (a blind listening test), report.html, results.json,
results.csv, and tensorboard/ for `tensorboard --logdir DIR`. Killed at any moment, the same command goes on where it stopped.
"""

import argparse
import pathlib
import shlex

from etude.commands.common import add_family, as_typed, command, num_workers, unused_folder, whole
from etude.commands.output_folder import check_output
from etude.console import Console

INTERRUPTED = "what is finished stays: the same command goes on where this one stopped"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "study", nargs="?", default="demo", metavar="STUDY",
        help="a .toml file, or demo (default), published, bars, magenta-all, abc-cells, abc-sweeps, abc-sampling, folk-rnn, "
        "chorales or piano",
    )  # fmt: skip
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for everything; made if need be")
    parser.add_argument(
        "--source", nargs="+", default=[], metavar="SOURCE",
        help="music to take in place of the study's, as 'etude convert' takes it: a folder of your own, say",
    )  # fmt: skip
    parser.add_argument("--large", action="store_true", help="the large version of the study, where it has one")
    parser.add_argument(
        "--workers", type=whole(1, 1_000_000), default=1, metavar="N", help="processes that read music (default 1)"
    )
    parser.add_argument(
        "--parallel",
        type=whole(1, 1_000),
        default=1,
        metavar="N",
        help="training runs at once, each in a process of its own that takes its memory (default 1); same results",
    )
    add_family(parser)


def _typed(options: argparse.Namespace) -> list[str]:
    """The command line that does the same again."""
    large = ["--large"] if options.large else []
    source = ["--source", *options.source] if options.source else []
    return ["etude", "study", options.study, "--output", options.output, *large, *source]


def run(options: argparse.Namespace, console: Console) -> None:
    """Runs the study."""
    from etude.models.sequences.domain import MELODIC
    from etude.pipelines.compare import RESULTS_FILE
    from etude.pipelines.studies.file import find_study, read_study
    from etude.pipelines.studies.listening import LISTENING
    from etude.pipelines.studies.study import RUNS, run_study
    from etude.results_table import format_results, read_results

    study = read_study(find_study(options.study), sources=options.source, is_large=options.large)
    output = pathlib.Path(options.output)
    check_output(output, "study")
    names = list(study.runs())
    console.say(f"{study.title}: {', '.join(names)}")
    if study.expected_minutes:
        music = "; with other music it is more or less as there is more or less of it" if options.source else ""
        console.say(f"this takes about {study.expected_minutes:.0f} minutes on two cores{music}")
    with console.progress("study", as_percentage=True) as progress:
        report = run_study(
            study,
            output,
            command=shlex.join(_typed(options)),
            workers=num_workers(options, console),
            parallel=options.parallel,
            progress=progress,
            say=console.say,
        )
    console.result(format_results(read_results(output / RESULTS_FILE)))
    run_dir = output / RUNS / names[-1]
    if study.runs()[names[-1]][0].representation in MELODIC:
        folder, primer = "melodies", ["--primer-melody", "D4 F#4 A4"]
        score = ["score", run_dir, "--events", "[62,-2,66,-2,69,-2,74,-2]"]
    else:
        folder, primer, score = "texts", [], ["score", run_dir, "--text", "FILE"]
    test = output / LISTENING
    listening = f"  {command('listen', 'analyse', test, 'answers/')}   after listening to {test}/listen.html\n"
    generate = ["generate", run_dir, "--output", unused_folder(folder), *primer]
    console.say(
        f"\nreport: {report}\n\nnext:\n"
        f"  {as_typed('tensorboard')} --logdir {shlex.quote(str(output))}\n"
        f"  {command(*generate, '--temperature', 0.9)}\n"
        f"  {command(*score)}\n"
        f"{listening if test.is_dir() else ''}"
    )
