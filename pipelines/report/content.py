"""All that a page shows."""

import dataclasses
from collections.abc import Mapping, Sequence

from etude.pipelines.comparison.learning_curves import LearningCurve
from etude.pipelines.comparison.music.generated_sets import GeneratedSet
from etude.pipelines.comparison.presentation import Presentation
from etude.pipelines.comparison.results.results import ConfigurationResult, FloorResult, Results


@dataclasses.dataclass(frozen=True)
class Content:
    """All that a page shows.

    Attributes:
      results: the figures.
      presentation: question, title and command.
      curves: by name of the configuration, one a run.
      generated: the melodies.
    """

    results: Results
    presentation: Presentation
    curves: Mapping[str, Sequence[LearningCurve]]
    generated: Sequence[GeneratedSet]

    def style(self, name: str) -> str:
        """The class of a configuration's colour and shape, the same all over the page."""
        names = [one.name for one in self.results.configurations]
        return f"series-{names.index(name)}" if name in names else "floor"

    def title(self, name: str) -> str:
        """A configuration or floor in words."""
        named: list[ConfigurationResult | FloorResult] = [*self.results.configurations, *self.results.floors]
        return next((one.title for one in named if one.name == name), name)

    def configurations(self, space: str) -> list[ConfigurationResult]:
        """The configurations of a space."""
        return [one for one in self.results.configurations if one.space == space]

    def floors(self, space: str) -> list[FloorResult]:
        """The floors of a space."""
        return [one for one in self.results.floors if one.space == space]

    def ranked(self, space: str) -> list[ConfigurationResult]:
        """The configurations of a space, the lowest event loss first."""
        return sorted(self.configurations(space), key=lambda one: one.figures["event.loss"].value or 0.0)

    @property
    def main_space(self) -> str:
        """The space with most configurations."""
        return max(self.results.spaces(), key=lambda space: len(self.configurations(space)))
