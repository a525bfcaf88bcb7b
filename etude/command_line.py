"""The `etude` command: finds the subcommand, runs it, and turns errors into one readable message."""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from etude.console import Console

COMMANDS = {
    "convert": "MIDI, ABC and MusicXML files to NoteSequences",
    "dataset": "NoteSequences to melodies, split into train and eval",
    "train": "train one configuration on a dataset; resumes",
    "evaluate": "exact figures of models on a dataset",
    "score": "log-likelihood of given music under a model",
    "generate": "melodies from a model, as MIDI, with their likelihoods",
    "rate": "how usual pieces of any origin are beside those of a dataset",
    "inspect": "what the units of a network do on pieces, and what they follow",
    "compare": "compare models on a dataset, as a report",
    "study": "all of the above over configurations, seeds and overrides",
    "listen": "a blind listening test as one page, and its statistics",
    "methods": "how all figures are defined, with formulas and BibTeX",
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

INTERRUPTED = "nothing is half-written: run the same command again"
"""What is said after Ctrl-C where a command has no words of its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status: 0, 1 on failure, 2 on wrong usage, 130 when interrupted."""
    try:
        return _main(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # before the command began, or after it ended
        return 130


def _main(arguments: Sequence[str]) -> int:
    # What follows a lone -- is for Beam.
    words, beam_options = _split(arguments)
    name, rest, command = _find(words)
    if command is None:
        return 2
    parser = _parser(name, command)
    options = parser.parse_words(rest)
    options.command, options.beam_options = name, beam_options
    if beam_options and not getattr(command, "TAKES_BEAM_OPTIONS", False):
        parser.error(f"etude {name} takes no options after --")
    return _run(command, options)


def _find(words: Sequence[str]) -> tuple[str, Sequence[str], ModuleType | None]:
    """The command that words name, by one word or, where commands are grouped, two; what follows; and its module."""
    found: list[str] = []
    module: ModuleType | None = None
    commands: Mapping[str, str] = COMMANDS
    overview = _overview()
    while commands:
        rest = words[len(found) :]
        if not rest or rest[0].startswith("-"):
            overview.parse_args(rest)
            overview.print_help()
            return "", (), None
        if rest[0] not in commands:
            from etude.models.errors import did_you_mean

            of = "".join(f" of etude {name}" for name in found)
            hint = did_you_mean(rest[0], commands) or f"; the commands{of} are: {', '.join(commands)}"
            overview.error(f"there is no command {' '.join([*found, rest[0]])!r}{hint}")
        found.append(rest[0])
        module = importlib.import_module(".".join(["etude.commands", *found]))
        commands = getattr(module, "COMMANDS", {})
        if commands:
            description, _, epilog = (module.__doc__ or "").partition("\n\n")
            overview = _group_overview(f"etude {rest[0]}", description, epilog, commands)
    return " ".join(found), words[len(found) :], module


def _run(command: ModuleType, options: argparse.Namespace) -> int:
    from etude.console import Console, ReaderGoneError
    from etude.models.errors import EtudeError, UsageError

    console = Console(options.debug)
    status, keep_log = 1, False
    try:
        _check_encoding(options)
        if getattr(options, "family", None):
            from etude.models.registry import use_families

            use_families(options.family)
        status = command.run(options, console) or 0
    except UsageError as error:
        status = 2
        _explain(console, options, error, f"'etude {options.command} --help' explains the options")
    except EtudeError as error:
        _explain(console, options, error)
    except KeyboardInterrupt:
        status = 130
        console.say(f"interrupted; {getattr(command, 'INTERRUPTED', INTERRUPTED)}")
    except ReaderGoneError:
        status = 0
    except MemoryError as error:
        _explain(console, options, error, "there is not enough memory; use less at once, or smaller numbers")
    except Exception as error:
        log = "" if console.log is None else f" Log: {console.log}"
        _explain(console, options, error, f"this is a fault of etude; --debug shows where.{log}")
        keep_log = True
    console.close(keep_log)
    return status


def _check_encoding(options: argparse.Namespace) -> None:
    """Refuses what cannot be written down in UTF-8, as paths are in what the commands store; music may have any name."""
    from etude.models.errors import UsageError

    for name, value in vars(options).items():
        for word in value if isinstance(value, list) else [value]:
            if name != "sources" and isinstance(word, str) and not _is_text(word):
                raise UsageError(f"{word!r} is not UTF-8; rename the file or folder")


def _is_text(word: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in word)


def _explain(console: "Console", options: argparse.Namespace, error: BaseException, hint: str = "") -> None:
    if options.debug:
        import traceback

        traceback.print_exc()
    message = str(error) or type(error).__name__
    console.say(f"etude {options.command}: {message}")
    if hint:
        console.say(hint)


class _Parser(argparse.ArgumentParser):
    """Takes arguments before, between and after options, and says what a mistyped option may have been."""

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """The options; exits with status 2 where the words are wrong."""
        options, unknown = self.parse_known_intermixed_args(list(words))
        if unknown:
            self._refuse(unknown[0])
        return options

    def _refuse(self, word: str) -> NoReturn:
        from etude.models.errors import did_you_mean

        name, _, _ = word.partition("=")
        known = [option for option in self._option_string_actions if option.startswith("--")]
        hint = did_you_mean(name, known) if name.startswith("-") else ""
        self.error(f"unrecognised {'option' if name.startswith('-') else 'argument'} {name!r}{hint}")


def _overview() -> argparse.ArgumentParser:
    """The parser of `etude` without a command, which lists the commands; none of their modules is imported."""
    parser = _group_overview(
        "etude",
        "Study melody models: folders of MIDI, ABC and MusicXML to trained, compared and playable models.",
        EPILOG,
        COMMANDS,
    )
    parser.add_argument("--version", action="version", version=f"etude {metadata.version('etude')}")
    return parser


def _group_overview(
    program: str, description: str, epilog: str, commands: Mapping[str, str]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    listed = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, summary in commands.items():
        listed.add_parser(name, help=summary)
    return parser


def _parser(name: str, command: ModuleType) -> _Parser:
    description, _, epilog = (command.__doc__ or "").partition("\n\n")
    parser = _Parser(
        prog=f"etude {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and what libraries print")
    return parser


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    if "--" not in words:
        return list(words), []
    position = list(words).index("--")
    return list(words[:position]), list(words[position + 1 :])
