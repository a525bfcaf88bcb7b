"""Real melodies and texts, to hear and read beside what models made."""

from collections.abc import Sequence

import numpy as np

from etude.models.melodies.melody_set import MelodySet
from etude.models.sequences.domain import Domain
from etude.models.sequences.sequence_set import SequenceSet
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.rendering.music import Music, melody_music

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
    melodies: MelodySet, generated: Sequence[GeneratedSet], steps_per_quarter: int
) -> list[tuple[str, Music]]:
    """Melodies of a split with their sources, evenly taken, in their own keys, at the tempo of the generated ones.

    They are cut to whole bars of the length of the generated ones. Empty where nothing was generated.
    """
    examples = [example for found in generated for example in found.examples]
    if not examples:
        return []
    longest, qpm = max(len(example.events) for example in examples), examples[0].qpm
    chosen = np.unique(np.linspace(0, len(melodies) - 1, min(REAL_TUNES, len(melodies))).astype(int))
    found = []
    for index in chosen.tolist():
        bar = int(melodies.steps_per_bar[index])
        events = melodies.events(index)[: max(longest // bar, 1) * bar]
        music = melody_music(events, steps_per_quarter=steps_per_quarter, steps_per_bar=bar, qpm=qpm)
        found.append((melodies.sources[index], music))
    return found
