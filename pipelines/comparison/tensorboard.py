"""The results of a comparison for TensorBoard: final figures beside hyperparameters, learning curves, melodies.

tensorboard/NAME/        a model's final figures, its hyperparameters, and its first melodies as pictures and sound
tensorboard/NAME/train/  and eval/: its learning curves, where its run directory is not below the output anyway
"""

import contextlib
import pathlib
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence

from etude.models.inspection.following import Following
from etude.models.storage.files import explain_write_errors
from etude.models.storage.metrics import EVAL, TRAIN, read_metrics, scalars
from etude.models.storage.run_directory import RunDirectory
from etude.models.storage.tensorboard_events import EventWriter, shown_hyperparameters
from etude.pipelines.comparison.configurations import ComparedConfiguration, Run
from etude.pipelines.comparison.music.generated_sets import Example, GeneratedSet
from etude.pipelines.comparison.results.results import Figures, Results
from etude.pipelines.comparison.words import Words
from etude.pipelines.rendering.audio import to_wav
from etude.pipelines.rendering.piano_roll import piano_roll_picture

FOLDER = "tensorboard"

MELODIES = 4
"""Melodies shown of each model: the first ones, not the best ones."""

SAMPLE_RATE = 22050
"""Of their sound, in Hz: half of the usual, and half the size."""


def final_figures(words: Words) -> dict[str, tuple[str, str]]:
    """The figures of the HParams table, for sequences that are called so: title and description of each."""
    group, token, step, sequence = words.group, words.token, words.step, words.sequence
    return {
        f"{group}.loss": (f"{token} loss", f"nats a {step}, over {words.tokens}: compares and ranks"),
        f"{group}.bits_per_note": ("bits per note", f"over {words.tokens}"),
        f"{group}.perplexity": (f"{token} perplexity", f"exp({token} loss)"),
        f"{group}.accuracy": (
            f"{token} accuracy",
            f"share of the {words.steps} whose most probable {token} is the true one",
        ),
        f"{group}.log_likelihood": (f"{token} log-likelihood", f"nats a {sequence}"),
        "label.loss": ("label loss", f"nats a {step}, as Magenta defines it; not comparable between encodings"),
        "label.perplexity": ("label perplexity", "exp(label loss); not comparable between encodings"),
        "label.accuracy": ("label accuracy", "as Magenta defines it; not comparable between encodings"),
        "log_likelihood": ("label log-likelihood", f"nats a {sequence}; not comparable between encodings"),
    }


def final_tag(figure: str) -> str:
    """The tag of a final figure, such as final/event_loss."""
    return f"final/{figure.replace('.', '_')}"


def write_tensorboard(
    output: pathlib.Path,
    results: Results,
    configurations: Sequence[ComparedConfiguration],
    generated: Sequence[GeneratedSet],
    units: Mapping[str, Sequence[Following]],
) -> None:
    """Writes the folder, in place of what a comparison before left there.

    Args:
      output: the folder of the comparison.
      results: its figures.
      configurations: its configurations, as in the results.
      generated: melodies of its models.
      units: by name of the configuration, what units of its first run clearly follow.
    """
    followed = {configuration.runs[0].path: units.get(configuration.name, ()) for configuration in configurations}
    runs = [run for configuration in configurations for run in configuration.runs]
    figures = [
        (run.figures, configuration.words) for configuration in results.configurations for run in configuration.runs
    ]
    every_words = list(dict.fromkeys(words for _, words in figures))
    now = time.time()
    with _replaced(output / FOLDER) as folder:
        for name, run, (found, words) in zip(_names(runs), runs, figures, strict=True):
            examples = [
                example
                for generated_set in generated
                if generated_set.model == run.name
                for example in generated_set.examples
            ]
            is_below = output.resolve() in run.path.resolve().parents
            with contextlib.closing(EventWriter(folder / name, now)) as writer:
                if run is runs[0]:
                    # Once for all models, but a file of its own would be listed as one more run.
                    _write_columns(writer, runs, every_words, now)
                # The table joins rows of one name: this one and the row that training wrote.
                shown = shown_hyperparameters(run.model.configuration, run.seed)
                writer.hyperparameters(run.name if is_below else name, shown, now)
                _write_figures(writer, run.model.step, found, words, now)
                _write_units(writer, run.model.step, followed.get(run.path, ()), now)
                _write_melodies(writer, run.model.step, examples[:MELODIES], now)
            if not is_below:
                _write_curves(folder / name, run.path)


def _write_columns(writer: EventWriter, runs: Sequence[Run], every_words: Sequence[Words], now: float) -> None:
    values: dict[str, list[object]] = {}
    for run in runs:
        for name, value in shown_hyperparameters(run.model.configuration, run.seed).items():
            if value not in values.setdefault(name, []):
                values[name].append(value)
    columns = {name: title for words in every_words for name, title in final_figures(words).items()}
    writer.experiment(values, {final_tag(name): title for name, title in columns.items()}, now)


def _write_figures(writer: EventWriter, step: int, figures: Figures, words: Words, now: float) -> None:
    found = {name: figures[name].value for name in final_figures(words) if name in figures}
    descriptions = {final_tag(name): description for name, (_, description) in final_figures(words).items()}
    values = {final_tag(name): value for name, value in found.items() if value is not None}
    writer.scalars(step, now, values, descriptions)


def _write_units(writer: EventWriter, step: int, followed: Sequence[Following], now: float) -> None:
    """How well the best unit follows each thing that one follows, such as units/bar_line."""
    values, descriptions = {}, {}
    for one in followed:
        best = one.followers[0]
        tag = f"units/{one.feature.replace(' ', '_')}"
        values[tag] = abs(best.correlation)
        descriptions[tag] = (
            f"Correlation of {best.part.layer}/{best.part.kind}/{best.unit} with it, {best.correlation:+.2f}; "
            f"by chance {one.chance:.2f}."
        )
    if values:
        writer.scalars(step, now, values, descriptions)


def _write_melodies(writer: EventWriter, step: int, examples: Sequence[Example], now: float) -> None:
    for number, one in enumerate(examples, start=1):
        description = (
            f"{one.file}: {one.event_log_likelihood:.1f} nats under the model that made it; the primer is grey."
        )
        writer.picture(step, now, f"melodies/{number}", *piano_roll_picture(one.music), description)
        writer.sound(step, now, f"melodies/{number}", to_wav(one.music, SAMPLE_RATE), description)


def _write_curves(folder: pathlib.Path, run: pathlib.Path) -> None:
    """The learning curves of a run directory; none for a bundle."""
    lines = read_metrics(RunDirectory(run).metrics) if run.is_dir() else []
    for split in (TRAIN, EVAL):
        shown = [line for line in lines if line["split"] == split]
        if shown:
            with contextlib.closing(EventWriter(folder / split, shown[0]["wall_time"])) as writer:
                for line in shown:
                    writer.scalars(line["step"], line["wall_time"], scalars(line))


def _names(runs: Sequence[Run]) -> list[str]:
    """The folder of each model: its short name, with a number where several have the same."""
    names = [run.name.replace("/", "-").removesuffix(".mag") for run in runs]
    return [name if names.count(name) == 1 else f"{name}-{names[:i].count(name) + 1}" for i, name in enumerate(names)]


@contextlib.contextmanager
def _replaced(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder to write to, which takes the place of `folder` once the block ends.

    A killed process leaves at most a hidden folder, which the next one removes.
    """
    with explain_write_errors(folder):
        for left in folder.parent.glob(f".{folder.name}.*.part"):
            shutil.rmtree(left)
        partial = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
        partial.mkdir(parents=True)
        try:
            yield partial
            if folder.exists():
                # A folder can only be renamed to a name that is free.
                folder.rename(folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part")
            partial.rename(folder)
        finally:
            for left in folder.parent.glob(f".{folder.name}.*.part"):
                shutil.rmtree(left)
