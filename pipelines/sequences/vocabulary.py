"""`FitVocabulary`: the symbols of the train split, counted and numbered."""

import collections
import dataclasses
from collections.abc import Iterator

import apache_beam as beam

from etude.models.representations.representation import Representation
from etude.models.representations.vocabulary import Vocabulary
from etude.pipelines.records.counts import Counts, SumCounts, group
from etude.pipelines.sequences.sequence_coder import SplitSequence
from etude.pipelines.sequences.split_rule import TRAIN


@dataclasses.dataclass
class FitVocabulary(beam.PTransform):  # type: ignore[misc]
    """Fits the vocabulary of a representation on the train split.

    In: `PCollection[tuple[str, Sequence]]`. Out: one element, the symbols in the order of their numbers; nothing if
    there are none.

    Attributes:
      representation: what the sequences are of.
    """

    representation: Representation

    def expand(self, sequences: beam.PCollection[SplitSequence]) -> beam.PCollection[list[str]]:
        """Counts symbols, and lets the representation number them."""
        return (
            sequences
            | "Symbols" >> beam.FlatMap(train_symbols)
            | "Count" >> beam.CombineGlobally(SumCounts()).without_defaults()
            | "Fit" >> beam.Map(fit, self.representation).with_output_types(list[str])
        )


def train_symbols(element: SplitSequence) -> Iterator[Counts]:
    """The symbols of a training sequence, counted; none if its tokens are numbers already."""
    split, sequence = element
    if split == TRAIN and isinstance(sequence.tokens, tuple):
        yield {("symbols", symbol): count for symbol, count in collections.Counter(sequence.tokens).items()}


def fit(counts: Counts, representation: Representation) -> list[str]:
    """The symbols of a vocabulary, in order."""
    vocabulary = representation.fit(dict(sorted(group(counts, "symbols").items())))
    return list(vocabulary.symbols) if vocabulary else []


def number(element: SplitSequence, symbols: list[str]) -> SplitSequence:
    """A sequence with its symbols numbered."""
    split, sequence = element
    if not isinstance(sequence.tokens, tuple):
        return element
    return split, dataclasses.replace(sequence, tokens=Vocabulary(tuple(symbols)).encode(sequence.tokens))
