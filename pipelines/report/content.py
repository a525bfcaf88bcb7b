"""All that a page shows."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from etude.models.inspection.following import Following
from etude.pipelines.comparison.cost import Cost
from etude.pipelines.comparison.learning_curves import LearningCurve
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.comparison.presentation import Presentation
from etude.pipelines.comparison.provenance import Provenance
from etude.pipelines.comparison.results.results import ApartPiece, BaselineResult, ConfigurationResult, Results
from etude.pipelines.comparison.words import Words
from etude.pipelines.rendering.music import Music

NUM_STYLES = 8
"""Colours that the page has for configurations; more than these share them."""


@dataclasses.dataclass(frozen=True)
class Content:
    """All that a page shows.

    Attributes:
      results: the figures.
      presentation: question, title and command.
      provenance: when, where and with what the comparison was made.
      curves: by name of the configuration, one a run.
      costs: by name of the configuration.
      generated: the melodies.
      real: melodies of the evaluated split to hear beside them, with their sources.
      units: by name of the configuration, what units of its network clearly follow.
      real_texts: sequences of the evaluated split that are text, with their sources, by domain.
      far_apart: tunes that one representation predicts far better than another.
    """

    results: Results
    presentation: Presentation
    provenance: Provenance
    curves: Mapping[str, Sequence[LearningCurve]]
    costs: Mapping[str, Cost]
    generated: Sequence[GeneratedSet]
    real: Sequence[tuple[str, Music]] = ()
    units: Mapping[str, Sequence[Following]] = dataclasses.field(default_factory=dict)
    real_texts: Mapping[str, Sequence[tuple[str, str]]] = dataclasses.field(default_factory=dict)
    far_apart: Sequence[tuple[ApartPiece, Music]] = ()

    def style(self, name: str) -> str:
        """The class of a configuration's colour and shape, the same all over the page."""
        names = [configuration.name for configuration in self.results.configurations]
        return f"series-{names.index(name) % NUM_STYLES}" if name in names else "baseline"

    def title(self, name: str) -> str:
        """A configuration or baseline in words."""
        named: list[ConfigurationResult | BaselineResult] = [*self.results.configurations, *self.results.baselines]
        return next((result.title for result in named if result.name == name), name)

    def configurations(self, domain: str) -> list[ConfigurationResult]:
        """The configurations of a domain."""
        return [configuration for configuration in self.results.configurations if configuration.domain == domain]

    def baselines(self, domain: str) -> list[BaselineResult]:
        """The baselines of a domain."""
        return [baseline for baseline in self.results.baselines if baseline.domain == domain]

    def ranked(self, domain: str) -> list[ConfigurationResult]:
        """The configurations of a domain, the lowest loss first."""
        return sorted(self.configurations(domain), key=lambda one: one.loss.value or 0.0)

    def apart(self, domain: str) -> str:
        """What to add to a caption of another domain than the main one."""
        return "" if domain == self.main_domain else f", apart: {domain}"

    def words(self, domain: str) -> Words:
        """How the sequences of a domain are called."""
        return self.results.words(domain)

    def shared(self, word: Callable[[Words], str], otherwise: str) -> str:
        """A word that the sequences of all domains share, or another one where they do not."""
        found = {word(one.words) for one in self.results.configurations}
        return found.pop() if len(found) == 1 else otherwise

    @property
    def main_domain(self) -> str:
        """The domain with most configurations."""
        return max(self.results.domains(), key=lambda domain: len(self.configurations(domain)))
