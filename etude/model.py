"""Models as one meets them in Python: primers of any kind go in, melodies that can be seen and heard come out."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from etude.melody import Melody
from etude.models import model as models
from etude.models.chords.backing import DEFAULT_CHORDS, DEFAULT_STEPS_PER_CHORD, backing_chords
from etude.models.generation import GeneratedSequence, GenerationOptions
from etude.models.generation import generate as continue_primer
from etude.models.sequences.domain import LEAD_SHEET, parse_given
from etude.models.storage.run_directory import BEST
from etude.pipelines.rendering.music import Grid

if TYPE_CHECKING:
    from etude.pipelines.generation.primer import Primer

Chords = tuple[tuple[int, str], ...]
"""At which step which chord begins."""


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
            text, a text, or, for its tune as the model writes tunes, a music file; of drums, the pitches struck at each step
            ([[36, 42], [], [42]]), a file, or None for a bass drum; of polyphony, events as Magenta has them
            ([[0, None], [3, 60], [2, None]]), a file, or None for none.
          **options: what to generate, by the names of `etude.models.generation.GenerationOptions`, such as `num_outputs`,
            `num_steps`, `temperature`, `seed`, `search` and `beam_size`. Models of melodies over chords take
            `backing_chords="C G Am F"` and `steps_per_chord=16` besides, and make as many steps as those last.

        Returns:
          `Melody` objects, with `.events` (in the model's key), `.sounding_events` (in the primer's), `.log_likelihood`,
          `.to_midi()` and others; of models of tunes as text, `Tune` objects, with `.text`, `.validity` and the same; of
          others, objects with `.text`.

        Raises:
          UsageError: if the primer is none, or an option is unknown or out of range.
          EtudeError: if the primer's file cannot be read or holds no melody.
        """
        if not self.domain.has_notes:
            return self._texts(primer, options)
        given = self._primer(primer)
        options, chords = self._over_chords(options)
        settings = GenerationOptions.of({"steps_per_bar": given.steps_per_bar, **options})
        found = continue_primer(self, given.events, settings)
        return [
            self._melody(sequence, given, settings, number, chords) for number, sequence in enumerate(found, start=1)
        ]

    def _over_chords(self, options: dict[str, Any]) -> tuple[dict[str, Any], Chords]:
        """The options of generation, and where chords begin, of a model that makes melodies over them."""
        if self.configuration.representation != LEAD_SHEET:
            return options, ()
        typed = {"backing_chords": DEFAULT_CHORDS, "steps_per_chord": DEFAULT_STEPS_PER_CHORD}
        text, steps_per_chord = ({**typed, **options}[name] for name in typed)
        backing = backing_chords(text, steps_per_chord)
        num_steps = options.get("num_steps", backing.num_steps)
        others = {name: value for name, value in options.items() if name not in typed}
        others |= {"num_steps": num_steps, "columns": backing.columns(num_steps)}
        return others, tuple(backing.changes(num_steps))

    def _texts(self, primer: Any, options: dict[str, Any]) -> list[GeneratedSequence]:
        # What reads ABC takes a tenth of a second to import.
        from etude.models.abc.tune_domain import TuneDomain
        from etude.tune import Tune

        if not isinstance(self.domain, TuneDomain):
            return super().generate(primer, **options)
        if isinstance(primer, pathlib.Path) or (isinstance(primer, str) and _is_file(primer)):
            from etude.pipelines.generation.text_primer import read_opening

            primer = read_opening(str(primer), self.configuration, self.domain).tolist()
        found = super().generate(primer, **options)
        names = (f"{self.configuration.config} {number}" for number in range(1, len(found) + 1))
        return [Tune(**vars(one), title=name) for one, name in zip(found, names, strict=True)]

    def _primer(self, primer: Any) -> "Primer":
        from etude.pipelines.generation.notes_primer import default_notes_primer, read_notes_primer
        from etude.pipelines.generation.primer import Primer, default_primer, parse_primer, read_primer

        steps, is_melody = self.configuration.steps_per_quarter, self.domain.noun == "melody"
        is_path = isinstance(primer, pathlib.Path)
        if primer is None:
            return default_primer(steps) if is_melody else default_notes_primer(self)
        if is_path or (isinstance(primer, str) and _is_file(primer)):
            return read_primer(str(primer), steps) if is_melody else read_notes_primer(str(primer), self)
        if isinstance(primer, str) and is_melody:
            return parse_primer(primer, steps)
        return Primer(parse_given(self.domain, primer, "the primer"), 4 * steps)

    def _melody(
        self, sequence: GeneratedSequence, primer: "Primer", options: GenerationOptions, number: int, chords: Chords
    ) -> Melody:
        bar = options.bar_length(self.configuration)
        music = Grid(self.configuration.steps_per_quarter, bar, primer.qpm, primer.metre, primer.key).sequence_music(
            self.domain, sequence.sounding_events, sequence.num_primer_tokens, sequence.prelude, chords=chords
        )
        return Melody(**vars(sequence), music=music, title=f"{self.configuration.config} {number}")


def _is_file(primer: str) -> bool:
    """Whether a primer is the path of a file, with the number of a tune or without."""
    try:
        return pathlib.Path(primer.rpartition("#")[0] or primer).is_file()
    except (OSError, ValueError):  # too long for a path, or no path at all
        return False


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
