"""Options that several subcommands share."""

import argparse
import pathlib
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etude.models.model import Model

MODEL_HELP = "run directory, Magenta bundle (.mag) or checkpoint of Magenta's training"


def add_workers(parser: argparse.ArgumentParser) -> None:
    """`--workers` and `--overwrite`, and how to pass options on to Beam."""
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes (default 1); the result is the same for any number",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what the output folder holds of another job (else: an error)"
    )
    parser.usage = f"{parser.format_usage().removeprefix('usage: ').strip()} [-- BEAM_OPTION ...]"


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
