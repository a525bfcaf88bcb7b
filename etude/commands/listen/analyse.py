"""Says what the answers to a listening test show.

examples:
  etude listen analyse test/key.json answers/
  etude listen analyse test answers-*.json mail.txt --output results

Answers are the files that listeners saved, or their text. Files that are damaged, unfinished, of another test or of the same
listener again are set aside with the reason. Listeners who got a catch trial wrong do not count; neither does a real tune,
with the generated piece that it is counted beside, where the listener knows one of them or did not hear the minimum. For each
model: the share of right answers with its interval over listeners and pieces, Wilson's interval, the exact binomial test, d',
and the smallest margin around chance for which equivalence could be claimed. 'etude methods' has the formulas.
"""

import argparse
import pathlib

from etude.console import Console

INTERRUPTED = "run the same command again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("key", metavar="KEY", help="key.json, or the folder that 'etude listen create' wrote")
    parser.add_argument(
        "answers", nargs="+", metavar="ANSWERS", help="files of answers (.json, .txt), or folders of them"
    )
    parser.add_argument("--output", metavar="DIR", help="folder for listening.json and listening.html (default: none)")


def run(options: argparse.Namespace, console: Console) -> None:
    """Analyses."""
    from etude.pipelines.listening.analyse import analyse, summary
    from etude.pipelines.listening.answers import find_answers, read_key, read_sheets
    from etude.pipelines.listening.results import write_results

    key = read_key(pathlib.Path(options.key))
    sheets, aside = read_sheets(find_answers([pathlib.Path(path) for path in options.answers]), key)
    found = analyse(sheets, aside, key)
    for line in summary(found):
        console.result(line)
    if options.output:
        report = write_results(found, pathlib.Path(options.output))
        console.say(f"report: {report}")
