"""Models as one meets them in Python: primers of any kind go in, melodies that can be seen and heard come out."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from etude.melody import Melody
from etude.models import model as models
from etude.models.generation import GeneratedSequence, GenerationOptions
from etude.models.generation import generate as continue_primer
from etude.models.sequences.domain import parse_given
from etude.models.storage.run_directory import BEST
from etude.pipelines.rendering.music import melody_music

if TYPE_CHECKING:
    from etude.pipelines.generation.primer import Primer


@dataclasses.dataclass(frozen=True)
class Model(models.Model):
    """A trained model; `load` reads one."""

    def generate(self, primer: Any = None, **options: Any) -> list[GeneratedSequence]:
        """Generates music that continues a primer.

        For example, with a `model` from `load`:

        >>> melodies = model.generate("C4 E4", num_outputs=3, num_steps=32, temperature=0.9, seed=1)
        >>> [len(melody.events) for melody in melodies]
        [32, 32, 32]
        >>> melodies[0].to_midi("melody.mid")  # doctest: +SKIP

        Args:
          primer: a list of events, in [-2, 127], at least one, in any key; quarter notes such as "C4 D4 E4"; a music file
            as a `pathlib.Path`, or a path with the number of a tune ("tunes.abc#12"); None for middle C. For models of
            text, a text.
          **options: what to generate, by the names of `etude.models.generation.GenerationOptions`, such as `num_outputs`,
            `num_steps`, `temperature`, `seed`, `search` and `beam_size`.

        Returns:
          `Melody` objects, with `.events` (in the model's key), `.sounding_events` (in the primer's), `.log_likelihood`,
          `.to_midi()` and others; of models of text, objects with `.text`.

        Raises:
          UsageError: if the primer is none, or an option is unknown or out of range.
          EtudeError: if the primer's file cannot be read or holds no melody.
        """
        if self.domain.noun != "melody":
            return super().generate(primer, **options)
        given = self._primer(primer)
        settings = GenerationOptions.of({"steps_per_bar": given.steps_per_bar, **options})
        found = continue_primer(self, given.events, settings)
        return [self._melody(sequence, given, settings, number) for number, sequence in enumerate(found, start=1)]

    def _primer(self, primer: Any) -> "Primer":
        from etude.pipelines.generation.primer import Primer, default_primer, parse_primer, read_primer

        steps = self.configuration.steps_per_quarter
        if primer is None:
            return default_primer(steps)
        if isinstance(primer, pathlib.Path):
            return read_primer(str(primer), steps)
        if isinstance(primer, str):
            is_file = pathlib.Path(primer.rpartition("#")[0] or primer).is_file()
            return read_primer(primer, steps) if is_file else parse_primer(primer, steps)
        return Primer(parse_given(self.domain, primer, "the primer"), 4 * steps)

    def _melody(self, sequence: GeneratedSequence, primer: "Primer", options: GenerationOptions, number: int) -> Melody:
        music = melody_music(
            sequence.sounding_events,
            steps_per_quarter=self.configuration.steps_per_quarter,
            steps_per_bar=options.bar_length(self.configuration),
            qpm=primer.qpm,
            metre=primer.metre,
            key=primer.key,
            num_primer_events=sequence.num_primer_tokens,
        )
        return Melody(**vars(sequence), music=music, title=f"{self.configuration.config} {number}")


def load(
    path: pathlib.Path | str, checkpoint: str = BEST, config: str = "", overrides: Mapping[str, Any] | None = None
) -> Model:
    """Reads a model.

    Args:
      path: a run directory, a Magenta bundle (.mag), a model that comes with Etude, such as "pretrained:lookback", or
        the prefix of a checkpoint that Magenta's training wrote.
      checkpoint: of a run directory: "best" on the eval split, "latest", or the number of a step.
      config: of a Magenta checkpoint: its family.
      overrides: of a Magenta checkpoint: hyperparameters that differ from the family's defaults.

    Raises:
      EtudeError: if there is no model or no such checkpoint, or it is damaged or does not fit its configuration.
    """
    found = models.load(path, checkpoint, config, overrides)
    return Model(**{field.name: getattr(found, field.name) for field in dataclasses.fields(found)})
