"""Options that several subcommands share."""

import argparse
import itertools
import math
import os
import pathlib
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etude.console import Console
    from etude.models.model import Model

MODEL_HELP = "run directory, pretrained:NAME, Magenta bundle (.mag) or checkpoint of Magenta's training"


WORKERS_PER_PROCESSOR = 4
"""More only take memory, even where most of them wait for a network."""


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """What reads an option's whole number in [lowest, highest]."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", text.strip()) or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"a whole number from {lowest} to {highest}, not {text!r}")
        return int(text)

    return read


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """What reads an option's number in [lowest, highest]; nan is none."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"a number from {lowest:g} to {highest:g}, not {text!r}")
        return value

    return read


def add_workers(parser: argparse.ArgumentParser) -> None:
    """`--workers` and `--overwrite`, and how to pass options on to Beam."""
    parser.add_argument(
        "--workers",
        type=whole(1, 1_000_000),
        default=1,
        metavar="N",
        help="processes (default 1); the result is the same for any number",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what the output folder holds of another job (else: an error)"
    )
    parser.usage = f"{parser.format_usage().removeprefix('usage: ').strip()} [-- BEAM_OPTION ...]"


def num_workers(options: argparse.Namespace, console: "Console") -> int:
    """The `--workers` of a command, at most a few a processor of this machine; says so where that is fewer."""
    processors = os.cpu_count() or 1
    most = WORKERS_PER_PROCESSOR * processors
    workers: int = min(options.workers, most)
    if workers < options.workers:
        console.say(f"--workers {options.workers}: this machine has {processors} processors, so {workers} are used")
    return workers


def add_shards(parser: argparse.ArgumentParser) -> None:
    """`--shards`."""
    parser.add_argument(
        "--shards", type=int, default=0, metavar="N", help="files to spread records over (default: one for every 64 MB)"
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Which weights of a run, and what a Magenta checkpoint does not know of itself."""
    group = parser.add_argument_group("which weights")
    group.add_argument(
        "--checkpoint",
        default="best",
        metavar="best|latest|STEP",
        help="of a run directory (default: best, those with the lowest event loss on the eval split)",
    )
    group.add_argument(
        "--config",
        default="",
        metavar="NAME",
        help="configuration of a checkpoint of Magenta's training (model.ckpt-N)",
    )
    group.add_argument(
        "--hparams", default="", metavar="NAME=VALUE,...", help="its hyperparameters, where not the defaults"
    )
    add_family(parser)


def add_family(parser: argparse.ArgumentParser) -> None:
    """`--family`."""
    parser.add_argument(
        "--family", action="append", default=[], metavar="MODULE:NAME",
        help="a family of another package, for runs of it: its module is imported; may be given several times",
    )  # fmt: skip


def add_backing_chords(parser: "argparse._ActionsContainer", meaning: str) -> None:
    """`--backing-chords` and `--steps-per-chord`."""
    parser.add_argument("--backing-chords", metavar="CHORDS", help=f"such as 'C G Am7 F': {meaning}")
    parser.add_argument(
        "--steps-per-chord", type=whole(1, 1 << 17), default=16, metavar="N", help="steps of each of them (default 16)"
    )


def load_model(path: str, options: argparse.Namespace) -> "Model":
    """The model that a MODEL argument and the options above name."""
    from etude.models.hyperparameters import parse_overrides
    from etude.models.model import load

    return load(path, options.checkpoint, options.config, parse_overrides(options.hparams))


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """`--dataset`."""
    parser.add_argument("--dataset", required=True, metavar="DATASET", help="folder that 'etude dataset' wrote")


def as_typed(program: str) -> str:
    """How to type a program of this environment: its name if the shell finds it, else its path."""
    beside = pathlib.Path(sys.executable).parent / program
    if shutil.which(program) or not beside.exists():
        return program
    path = str(beside)
    here = str(pathlib.Path.cwd()) + "/"
    return shlex.quote(path.removeprefix(here))


def command(*words: object) -> str:
    """An `etude` command that can be pasted into a shell."""
    return f"{as_typed('etude')} {shlex.join(map(str, words))}"


def unused_folder(name: str) -> str:
    """The name, or the first of name-2, name-3, ... that nothing has: what an advised command may write to."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in names if not os.path.lexists(candidate))
