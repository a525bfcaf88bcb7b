"""How much of what models generate is in the one form in which likelihoods are counted.

A model gives its probability to sequences. Of those that are the same music only one is scored, so that the likelihood of
music is at least what is said, and more so the more often a model writes other forms.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from etude.models.abc.canonical import canonical
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.abc.unfolded import unfold
from etude.models.melodies.melody import NO_EVENT, NOTE_OFF, Events
from etude.models.melodies.notes import notes_of
from etude.models.melodies.quantisation import UnusableError
from etude.models.sequences.domain import MELODIC
from etude.pipelines.comparison.configurations import ComparedConfiguration
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.comparison.statistics.figures import Estimate


def not_canonical(
    configurations: Sequence[ComparedConfiguration], generated: Sequence[GeneratedSet]
) -> dict[str, Estimate]:
    """The share of samples in another form, by name of the configuration, with Wilson's interval; those without none."""
    found = {}
    for configuration in configurations:
        forms = [
            is_form
            for one in generated
            if one.configuration == configuration.name
            for is_form in _forms(one, configuration.configuration.representation in MELODIC)
        ]
        if forms:
            result = stats.binomtest(forms.count(False), len(forms))
            low, high = result.proportion_ci(method="wilson")
            found[configuration.name] = Estimate(float(result.statistic), (float(low), float(high)))
    return found


def _forms(generated: GeneratedSet, are_melodies: bool) -> list[bool]:
    texts = [is_canonical_text(one.text) for one in generated.texts]
    return texts + [is_canonical_melody(one.events) for one in generated.examples if are_melodies]


def is_canonical_text(text: str) -> bool:
    """Whether a text is the canonical one of what it plays; one that cannot be read is none."""
    try:
        return canonical(unfold(read_text(text).performance)).rstrip() == text.rstrip()
    except (AbcError, UnusableError):
        return False


def is_canonical_melody(events: Events) -> bool:
    """Whether events are those that their notes would be written as: no note ends where none sounds."""
    notes = notes_of(events)
    again = np.full(len(events), NO_EVENT, np.int64)
    ends = notes.onsets + notes.durations
    again[ends[ends < len(events)]] = NOTE_OFF
    again[notes.onsets] = notes.pitches
    return np.array_equal(again, events)
