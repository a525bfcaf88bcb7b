"""The `etude` command: finds the subcommand, runs it, and turns errors into one readable message."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etude.console import Console

COMMANDS = {
    "convert": "MIDI, ABC and MusicXML files to NoteSequences",
    "dataset": "NoteSequences to melodies, split into train and eval",
    "train": "train one configuration on a dataset; resumes",
    "evaluate": "exact figures of models on a dataset",
    "score": "log-likelihood of given music under a model",
    "generate": "melodies from a model, as MIDI, with their likelihoods",
    "compare": "compare models on a dataset, as a report",
    "study": "all of the above over configurations, seeds and overrides",
}

EPILOG = """\
from files to music:
  etude convert tunes/ --output notes
  etude dataset notes --output dataset
  etude train --config lookback --dataset dataset --run-dir runs/lookback
  etude generate runs/lookback --output melodies --num-outputs 10
  etude compare runs/* --dataset dataset --output comparison

etude COMMAND --help explains a command and its options.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status: 0, 1 on failure, 2 on wrong usage, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = next((word for word in words if not word.startswith("-")), None)
    parser = _parser(name if name in COMMANDS else None)
    # What follows a lone -- is for Beam.
    words, beam_options = _split(words)
    options = parser.parse_args(words)
    if options.command is None:
        parser.print_help()
        return 2
    options.beam_options = beam_options
    command = _command(options.command)
    if beam_options and not getattr(command, "TAKES_BEAM_OPTIONS", False):
        parser.error(f"etude {options.command} takes no options after --")
    return _run(command, options)


def _run(command: ModuleType, options: argparse.Namespace) -> int:
    from etude.console import Console
    from etude.models.errors import EtudeError, UsageError

    console = Console(options.debug)
    status = 1
    try:
        status = command.run(options, console) or 0
    except UsageError as error:
        status = 2
        _explain(console, options, error, f"'etude {options.command} --help' explains the options")
    except EtudeError as error:
        _explain(console, options, error)
    except KeyboardInterrupt:
        status = 130
        console.say("interrupted; nothing is broken: the same command goes on where this one stopped")
    except BrokenPipeError:
        status = 0
    except Exception as error:
        _explain(console, options, error, f"this is a fault of etude; --debug shows where. Log: {console.log}")
        console.close(keep_log=True)
        return 1
    console.close(keep_log=False)
    return status


def _explain(console: "Console", options: argparse.Namespace, error: Exception, hint: str = "") -> None:
    if options.debug:
        import traceback

        traceback.print_exc()
    message = str(error) or type(error).__name__
    console.say(f"etude {options.command}: {message}")
    if hint:
        console.say(hint)


def _parser(only: str | None) -> argparse.ArgumentParser:
    """The parser; only the named subcommand's module is imported, so that help stays instant."""
    parser = argparse.ArgumentParser(
        prog="etude",
        description="Study melody models: folders of MIDI, ABC and MusicXML to trained, compared and playable models.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"etude {metadata.version('etude')}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == only:
            command = _command(name)
            subparser.description, _, subparser.epilog = (command.__doc__ or "").partition("\n\n")
            command.add_arguments(subparser)
        subparser.add_argument("--debug", action="store_true", help="show tracebacks and what libraries print")
    return parser


def _command(name: str) -> ModuleType:
    return importlib.import_module(f"etude.commands.{name}")


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    if "--" not in words:
        return list(words), []
    position = list(words).index("--")
    return list(words[:position]), list(words[position + 1 :])
