"""Compares trained models on the sequences of one split: results.json, results.csv, report.html and tensorboard/."""

import dataclasses
import pathlib
import shlex
from collections.abc import Mapping, Sequence
from importlib import metadata

import numpy as np

from etude.models.dataset import representation_name, steps_per_quarter
from etude.models.evaluation.statistics import NUM_NOTES
from etude.models.melodies.melody_set import MelodySet
from etude.models.progress import Progress, silent
from etude.models.representations.representation import TUNE
from etude.models.storage.files import remove_partial_files, write_text
from etude.models.storage.lock import locked
from etude.models.storage.messages import as_dict
from etude.pipelines.comparison.apart import music_of
from etude.pipelines.comparison.configurations import ComparedConfiguration, group, load_runs
from etude.pipelines.comparison.cost import Cost, cost
from etude.pipelines.comparison.datasets import Dataset, read_datasets
from etude.pipelines.comparison.learning_curves import LearningCurve, learning_curve, not_converged
from etude.pipelines.comparison.measurements import DomainMeasurement, measure
from etude.pipelines.comparison.music.canonical_form import not_canonical
from etude.pipelines.comparison.music.generated_sets import read_generated_sets
from etude.pipelines.comparison.music.judgement import judge_music
from etude.pipelines.comparison.music.real_tunes import real_texts, real_tunes
from etude.pipelines.comparison.music.samples import judge_samples
from etude.pipelines.comparison.pieces import compare_pieces
from etude.pipelines.comparison.presentation import Presentation
from etude.pipelines.comparison.provenance import provenance
from etude.pipelines.comparison.question import Answers
from etude.pipelines.comparison.results.results import DatasetResult, PiecesResult, Results, Verdict
from etude.pipelines.comparison.results.results_csv import to_csv
from etude.pipelines.comparison.results.results_json import to_json
from etude.pipelines.comparison.results.summaries import summarise
from etude.pipelines.comparison.results.verdict import verdict
from etude.pipelines.comparison.tensorboard import write_tensorboard
from etude.pipelines.comparison.tunes import check_unchanged, coverage
from etude.pipelines.comparison.units import clear_followers
from etude.pipelines.comparison.words import MELODIES
from etude.pipelines.report.content import Content
from etude.pipelines.report.page import page

RESULTS_FILE = "results.json"
TABLE_FILE = "results.csv"
REPORT_FILE = "report.html"


def compare(
    models: Sequence[pathlib.Path],
    dataset: pathlib.Path | Sequence[pathlib.Path],
    output: pathlib.Path,
    *,
    split: str = "eval",
    checkpoint: str = "best",
    allow_other_training_data: bool = False,
    generated: Sequence[pathlib.Path] = (),
    samples: Mapping[str, pathlib.Path] | None = None,
    presentation: Presentation | None = None,
    progress: Progress = silent,
) -> Results:
    """Compares models and writes what it finds.

    Args:
      models: run directories or bundles; those that differ in their seed alone are one configuration.
      dataset: the dataset folder that all are evaluated on; or several, one for each representation, of the same pieces.
      output: the folder to write to.
      split: the sequences to evaluate on.
      checkpoint: "best", "latest" or the number of a step, for all models.
      allow_other_training_data: whether models may have been trained on another dataset.
      generated: folders of what models generated, each named like the run that made it.
      samples: a file of each run, by its name, with what `etude.pipelines.studies.samples` sampled from it.
      presentation: what the report says beside the figures.
      progress: called after every batch.

    Returns:
      The results, as they are in results.json.

    Raises:
      EtudeError: if a model or the dataset is missing or damaged, a model was trained on other data, or the folder cannot
        be written to.
    """
    paths = [dataset] if isinstance(dataset, pathlib.Path) else list(dataset)
    datasets = read_datasets(paths, split)
    runs = load_runs(models, datasets, checkpoint, allow_other_training_data)
    configurations = group(runs, presentation.labels if presentation else None)
    sets = read_generated_sets(generated, configurations)
    splits = {name: one.splits for name, one in datasets.items()}
    covers = {name: one.description.representation.covers for name, one in datasets.items()}
    are_tunes = set(covers.values()) == {TUNE}
    measurements = measure(configurations, splits, progress, are_tunes)
    if are_tunes:
        check_unchanged(measurements, splits)
    summary = summarise(measurements)
    pieces = compare_pieces(measurements, covers, coverage(datasets) if are_tunes else None)
    if are_tunes:
        shares = not_canonical(configurations, sets)
        pieces = [dataclasses.replace(one, not_canonical=shares) for one in pieces]
    sampled = judge_samples(configurations, samples or {}, splits)
    curves = _curves(configurations)
    command = _command(models, paths, output, split, checkpoint, allow_other_training_data, generated)
    presentation = _worded(presentation or Presentation(command=command), measurements)
    fingerprints = {name: one.description.fingerprint for name, one in datasets.items()}
    results = Results(
        version=metadata.version("etude"),
        command=presentation.command,
        checkpoint=checkpoint,
        datasets=[_dataset(one, split, measurements) for one in datasets.values()],
        verdict=Answers({one.name: one for one in summary.configurations}, summary.pairs, curves, sampled).answer(
            _with_convergence(
                verdict(summary.configurations, summary.baselines, summary.pairs, fingerprints, pieces),
                {
                    configuration.title: curves[configuration.name]
                    for configuration in configurations
                    if configuration.name in curves and not presentation.floor
                },
            ),
            presentation,
        ),
        configurations=summary.configurations,
        baselines=summary.baselines,
        pairs=summary.pairs,
        breakdowns=summary.breakdowns,
        music=[found for measurement in measurements if (found := judge_music(measurement, sets))],
        published=presentation.published,
        pieces=pieces,
        samples=sampled,
    )
    domains = {one.representation: one.domain for one in measurements if one.domain.has_notes}
    units = clear_followers(measurements)
    content = Content(
        results=results,
        presentation=presentation,
        provenance=provenance(configurations),
        curves=curves,
        costs=_costs(measurements, pieces if are_tunes else []),
        generated=sets,
        real=[
            tune
            for one, domain in domains.items()
            for tune in real_tunes(
                domain, datasets[one].splits.evaluated, sets, steps_per_quarter(datasets[one].description)
            )
        ],
        units=units,
        far_apart=[(one, music_of(one.piece, measurements)) for found in pieces for one in found.apart],
        real_texts={one.domain.name: real_texts(one.domain, one.sequences) for one in measurements},
    )
    report, table, figures = page(content), to_csv(results), to_json(results)
    with locked(output):
        remove_partial_files(output)
        write_tensorboard(output, results, configurations, sets, units)
        write_text(output / REPORT_FILE, report)
        write_text(output / TABLE_FILE, table)
        write_text(output / RESULTS_FILE, figures)
    return results


def _costs(measurements: Sequence[DomainMeasurement], tunes: Sequence[PiecesResult]) -> dict[str, Cost]:
    """What each configuration takes; where notes of tunes are compared, how fast it makes some, too."""
    num_notes = next((one.num_notes for one in tunes), 0)
    return {
        measured.configuration.name: cost(
            measured.configuration, len(one.sequences.flat) / num_notes if num_notes else None
        )
        for one in measurements
        for measured in one.configurations
    }


def _curves(configurations: Sequence[ComparedConfiguration]) -> dict[str, list[LearningCurve]]:
    """The learning curves of each configuration that has some."""
    found = {
        configuration.name: [learning_curve(run.path) for run in configuration.runs] for configuration in configurations
    }
    known = {name: [curve for curve in curves if curve] for name, curves in found.items()}
    return {name: curves for name, curves in known.items() if curves}


def _with_convergence(found: Verdict, curves: Mapping[str, Sequence[LearningCurve]]) -> Verdict:
    """A verdict that says first which configurations were not trained to their end."""
    sentence = not_converged(curves)
    return dataclasses.replace(found, sentences=[sentence, *found.sentences]) if sentence else found


def _worded(presentation: Presentation, measurements: Sequence[DomainMeasurement]) -> Presentation:
    """A presentation with title and question, in the words of what is compared."""
    several, one = ({getattr(each.words, name) for each in measurements} for name in ("sequences", "sequence"))
    things = several.pop() if len(several) == 1 else "music"
    models = f"{one.pop()} models" if len(one) == 1 else "models"
    return dataclasses.replace(
        presentation,
        title=presentation.title or f"Comparison of {models}",
        question=presentation.question or f"Which configuration predicts {things} best?",
    )


def _dataset(dataset: Dataset, split: str, measurements: Sequence[DomainMeasurement]) -> DatasetResult:
    name, description, sequences = (
        representation_name(dataset.description),
        dataset.description,
        dataset.splits.evaluated,
    )
    num_notes = 0
    if isinstance(sequences, MelodySet):
        num_notes = sum(int((sequences.events(index)[1:] >= 0).sum()) for index in range(len(sequences)))
    elif NUM_NOTES in sequences.attributes:
        num_notes = int(sequences.attributes[NUM_NOTES].sum())
    words = next((one.words for one in measurements if one.representation == name), MELODIES)
    return DatasetResult(
        path=str(dataset.path),
        fingerprint=description.fingerprint,
        steps_per_quarter=steps_per_quarter(description),
        split=split,
        num_melodies=len(sequences),
        num_steps=int(np.maximum(sequences.lengths - 1, 0).sum()),
        num_notes=num_notes,
        description=as_dict(description),
        representation=name,
        words=words,
    )


def _command(
    models: Sequence[pathlib.Path],
    datasets: Sequence[pathlib.Path],
    output: pathlib.Path,
    split: str,
    checkpoint: str,
    allow_other_training_data: bool,
    generated: Sequence[pathlib.Path],
) -> str:
    """The command line that does the same again."""
    words = ["etude", "compare", *map(str, models), "--dataset", *map(str, datasets), "--output", str(output)]
    words += ["--split", split, "--checkpoint", checkpoint]
    words += ["--allow-other-training-data"] if allow_other_training_data else []
    for folder in generated:
        words += ["--generated", str(folder)]
    return shlex.join(words)
