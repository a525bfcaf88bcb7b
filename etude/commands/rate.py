"""Rates pieces of any origin: how usual they are beside the pieces of a dataset.

examples:
  etude rate melodies/ --against dataset
  etude rate tunes.abc corpus:airdsAirs --against dataset > ratings.jsonl

What a piece becomes is what the dataset holds: melodies, characters of ABC, or tokens. One JSON line a melody or text goes
to standard output, a table to standard error. log_likelihood is the sum of the logarithms, in nats, that a bigram model
with Laplace smoothing (c + 1) / (N + V), counted on the train split, gives all symbols but the first;
log_likelihood_per_symbol is their mean, as the sum rates length, too. divergence is the Kullback-Leibler divergence
D(piece || average), in nats and never negative, of the piece's shares of symbols from the average of the train pieces'
shares and of one piece more that uses every symbol equally often. percentile says how many percent of the real pieces that
the dataset holds out have a lower value: around 50 is usual.
"""

import argparse
import json
from typing import TYPE_CHECKING

from etude.console import Console

if TYPE_CHECKING:
    from etude.models.ngram.rating import Rating
    from etude.pipelines.evaluation.rate import Reference

INTERRUPTED = "run the same command again"
LONGEST_NAME = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("music", nargs="+", metavar="MUSIC", help="files, folders, archives or corpus:NAME")
    parser.add_argument("--against", required=True, metavar="DATASET", help="folder that 'etude dataset' wrote")


def run(options: argparse.Namespace, console: Console) -> None:
    """Rates."""
    from etude.models.errors import EtudeError
    from etude.pipelines.evaluation.rate import line, rate, read_reference

    reference = read_reference(options.against)
    ratings = []
    with console.progress("rating") as progress:
        for source, rating in rate(options.music, reference, console.say, progress):
            ratings.append((source, rating))
            console.result(json.dumps(line(source, rating, reference.scale), ensure_ascii=False))
    if not ratings:
        raise EtudeError(f"nothing to rate: there is no piece in {' '.join(options.music)}")
    for row in table(ratings, reference):
        console.say(row)


def table(ratings: "list[tuple[str, Rating]]", reference: "Reference") -> list[str]:
    """The ratings for people, a row each, and what they are measured on."""
    unit = reference.representation.unit
    width = min(LONGEST_NAME, max(len(source) for source, _ in ratings))
    titles = (f"{unit}s", "nats", f"nats a {unit}", "percentile", "divergence", "percentile")
    rows = [" ".join([" " * width, *(f"{title:>{max(len(title), 10)}}" for title in titles)])]
    for source, rating in ratings:
        percentiles = reference.scale.percentiles(rating) if reference.scale else {}
        cells = (
            f"{rating.num_symbols:,}",
            f"{rating.log_likelihood:.1f}",
            f"{rating.log_likelihood_per_symbol:.3f}",
            f"{percentiles['log_likelihood_per_symbol']:.0f}" if percentiles else "",
            f"{rating.divergence:.3f}",
            f"{percentiles['divergence']:.0f}" if percentiles else "",
        )
        name = source if len(source) <= width else f"...{source[3 - width :]}"
        shown = (f"{cell:>{max(len(title), 10)}}" for cell, title in zip(cells, titles, strict=True))
        rows.append(" ".join([name.ljust(width), *shown]))
    if reference.scale is None:
        rows.append("no percentiles: the dataset holds no pieces out; write it with --eval-ratio 0.1")
    else:
        rows.append(f"percentiles among {reference.num_held_out:,} real pieces that were held out")
    return rows
