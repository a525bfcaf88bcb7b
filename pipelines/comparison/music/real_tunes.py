"""Real melodies and texts, to hear and read beside what models made."""

from collections.abc import Sequence

import numpy as np

from etude.models.melodies.melody import STEPS_PER_BAR
from etude.models.sequences.domain import Domain
from etude.models.sequences.sequence_set import SequenceSet
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.rendering.music import Grid, Music

REAL_TUNES = 10


def real_texts(domain: Domain, sequences: SequenceSet) -> list[tuple[str, str]]:
    """Sequences of a split as text, with their sources, evenly taken; none where they have no text.

    Args:
      domain: theirs.
      sequences: of the split.
    """
    chosen = np.unique(np.linspace(0, len(sequences) - 1, min(REAL_TUNES, len(sequences))).astype(int))
    written = [(sequences.sources[index], domain.render(sequences.tokens(index))) for index in chosen.tolist()]
    return [(source, text) for source, text in written if text is not None]


def real_tunes(
    domain: Domain, sequences: SequenceSet, generated: Sequence[GeneratedSet], steps_per_quarter: int
) -> list[tuple[str, Music]]:
    """Pieces of a split with their sources, evenly taken, in their own keys, at the tempo of the generated ones.

    They are cut to whole bars of the length of the generated ones. Empty where nothing of their kind was generated.

    Args:
      domain: whose sequences they are, in whatever key.
      sequences: of the split; those without notes of their own give nothing.
      generated: what all models made.
      steps_per_quarter: of the sequences.
    """
    examples = [one for found in generated for one in found.examples if type(one.domain) is type(domain)]
    if not examples:
        return []
    longest, qpm = max(example.num_steps for example in examples), examples[0].qpm
    chosen = np.unique(np.linspace(0, len(sequences) - 1, min(REAL_TUNES, len(sequences))).astype(int))
    found = []
    for index in chosen.tolist():
        bar = int(sequences.attributes[STEPS_PER_BAR][index])
        tokens = domain.first_steps(sequences.tokens(index), max(longest // bar, 1) * bar)
        found.append((sequences.sources[index], Grid(steps_per_quarter, bar, qpm).sequence_music(domain, tokens)))
    return found
