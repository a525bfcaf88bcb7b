"""Prints how all figures are defined, as Markdown with formulas, and BibTeX of what they come from.

examples:
  etude methods > methods.md
  etude methods --tokens              in the words for texts, whose unit is a token
  etude methods --bibtex > figures.bib

For the methods section of a paper: x are the events or tokens of a sequence, T its length, M the number of sequences, L the
labels that stand for one event. Citations are written as pandoc reads them.
"""

import argparse

from etude.console import Console

INTERRUPTED = "run the same command again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--tokens", action="store_true", help="speak of tokens and sequences, not of events and melodies"
    )
    parser.add_argument("--bibtex", action="store_true", help="print the BibTeX alone")


def run(options: argparse.Namespace, console: Console) -> None:
    """Prints."""
    from etude.pipelines.comparison.definitions import PIECES, RATING, TUNES, as_markdown, definitions, references
    from etude.pipelines.comparison.words import MELODIES, Words
    from etude.pipelines.listening.definitions import definitions as listening

    words = Words("token", "token", "token", "sequence", "sequences") if options.tokens else MELODIES
    sections = {
        "Comparison of models": definitions(words),
        "Comparison of representations": PIECES,
        "Rating of pieces": RATING,
        "One table for all: bits a note of tunes": TUNES,
        "Listening tests": listening(),
    }
    cited = {source for section in sections.values() for one in section for source in one.sources}
    bibliography = references(cited)
    if not options.bibtex:
        console.result("# How the figures are defined\n")
        for title, defined in sections.items():
            console.result(as_markdown(title, defined) + "\n")
        bibliography = f"## References\n\n```bibtex\n{bibliography}\n```"
    console.result(bibliography)
