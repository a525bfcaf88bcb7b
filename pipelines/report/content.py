"""All that a page shows."""

import dataclasses
from collections.abc import Mapping, Sequence

from etude.pipelines.comparison.cost import Cost
from etude.pipelines.comparison.learning_curves import LearningCurve
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.comparison.presentation import Presentation
from etude.pipelines.comparison.provenance import Provenance
from etude.pipelines.comparison.results.results import BaselineResult, ConfigurationResult, Results
from etude.pipelines.rendering.music import Music


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
    """

    results: Results
    presentation: Presentation
    provenance: Provenance
    curves: Mapping[str, Sequence[LearningCurve]]
    costs: Mapping[str, Cost]
    generated: Sequence[GeneratedSet]
    real: Sequence[tuple[str, Music]] = ()

    def style(self, name: str) -> str:
        """The class of a configuration's colour and shape, the same all over the page."""
        names = [configuration.name for configuration in self.results.configurations]
        return f"series-{names.index(name)}" if name in names else "baseline"

    def title(self, name: str) -> str:
        """A configuration or baseline in words."""
        named: list[ConfigurationResult | BaselineResult] = [*self.results.configurations, *self.results.baselines]
        return next((result.title for result in named if result.name == name), name)

    def configurations(self, pitch_range: str) -> list[ConfigurationResult]:
        """The configurations of a pitch range."""
        return [
            configuration for configuration in self.results.configurations if configuration.pitch_range == pitch_range
        ]

    def baselines(self, pitch_range: str) -> list[BaselineResult]:
        """The baselines of a pitch range."""
        return [baseline for baseline in self.results.baselines if baseline.pitch_range == pitch_range]

    def ranked(self, pitch_range: str) -> list[ConfigurationResult]:
        """The configurations of a pitch range, the lowest event loss first."""
        return sorted(self.configurations(pitch_range), key=lambda one: one.figures["event.loss"].value or 0.0)

    def apart(self, pitch_range: str) -> str:
        """What to add to a caption of another pitch range than the main one."""
        return "" if pitch_range == self.main_pitch_range else f", apart: {pitch_range}"

    @property
    def main_pitch_range(self) -> str:
        """The pitch range with most configurations."""
        return max(self.results.pitch_ranges(), key=lambda pitch_range: len(self.configurations(pitch_range)))
