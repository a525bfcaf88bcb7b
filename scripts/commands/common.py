"""Options that several subcommands share."""

import argparse


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


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """`--checkpoint`."""
    parser.add_argument(
        "--checkpoint",
        default="best",
        metavar="best|latest|STEP",
        help="which weights of a run to use (default: best, those with the lowest event loss on the eval split)",
    )


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """`--dataset`."""
    parser.add_argument("--dataset", required=True, metavar="DATASET", help="folder that 'etude dataset' wrote")
