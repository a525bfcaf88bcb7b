"""A study: from music to a report, over configurations and seeds. Resumes where it was killed.

notes/             the sources as NoteSequences
dataset/           their melodies; dataset-NAME/ the sequences of another representation
runs/NAME/         one training run for every configuration and seed
generated/NAME/    melodies, or texts, of each run
samples/           tunes of each run in several ways of sampling, where the study is about them
report.html        and results.json, results.csv: the comparison
listening/         a blind listening test of what the runs made, and its key
tensorboard/       final figures and sample melodies; the learning curves are in runs/
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence

from etude.models.chords.backing import DEFAULT_CHORDS, backing_chords
from etude.models.configuration import Configuration
from etude.models.errors import EtudeError, UsageError
from etude.models.generation import GeneratedSequence, GenerationOptions, generate
from etude.models.melodies.extraction import MAGENTA_OPTIONS, ExtractionOptions
from etude.models.model import Model, load
from etude.models.progress import Progress, silent
from etude.models.registry import USED, family
from etude.models.representations.registry import representation_class
from etude.models.sequences.domain import LEAD_SHEET, MELODIC, MELODY
from etude.models.storage.files import remove_partial_files
from etude.models.storage.lock import locked
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.compare import REPORT_FILE, RESULTS_FILE, TABLE_FILE, compare
from etude.pipelines.comparison import tensorboard
from etude.pipelines.comparison.music.samples import SAMPLES_SUFFIX
from etude.pipelines.comparison.presentation import Label, Presentation, Sampling, Sweep
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.generation.generate import GENERATED_FILE, write_melodies
from etude.pipelines.generation.ngram_overlap import training_ngrams
from etude.pipelines.generation.texts import write_texts
from etude.pipelines.sequences.split_rule import SplitRule
from etude.pipelines.studies.listening import write_listening_test
from etude.pipelines.studies.samples import write_samples
from etude.pipelines.studies.sizes import num_parameters, with_num_parameters
from etude.pipelines.studies.steps import FOLDER, Finished, Share, shares
from etude.pipelines.studies.training import TrainingRun, train_runs

NOTES = "notes"
DATASET = "dataset"
RUNS = "runs"
GENERATED = "generated"
SAMPLES = "samples"

_CONVERT_COST, _DATASET_COST, _GENERATE_COST, _COMPARE_COST = 60.0, 20.0, 5.0, 30.0
"""How long the other steps take, in training steps of a configuration without attention; for the progress shown."""

_COUNTING_COST, _SAMPLE_COST, _STEPS_PER_EPOCH = 20.0, 200.0, 100.0
_ATTENTION_COST = 6.0
_STEPS_PER_SECOND = 5.0


@dataclasses.dataclass(frozen=True)
class StudyConfiguration:
    """One of the configurations that are compared.

    Attributes:
      name: of its runs and in the results.
      title: in words; empty for one made from the name.
      configuration: the model.
      representation: what its dataset is of, as `--representation` of `etude dataset` names it.
      primer_text: what its texts begin with; empty for nothing.
      as_many_parameters_as: the name of another one; its layers get the size that gives it as many parameters, which the
        vocabulary of the dataset decides, too. Empty where the size is as the configuration says.
    """

    name: str
    title: str
    configuration: Configuration
    representation: str = MELODY
    primer_text: str = ""
    as_many_parameters_as: str = ""


@dataclasses.dataclass(frozen=True)
class Study:
    """What is to be trained on what, and how it is compared.

    Attributes:
      title: of the report.
      question: that the report answers; empty for which configuration predicts best.
      sources: music, as `etude convert` takes it.
      configurations: what is compared.
      seeds: every configuration is trained with each of them.
      num_steps: training steps of each run; 0 where something else decides.
      num_epochs: times that each run sees its train split; 0 where something else decides.
      minutes: of training for each run, evaluations included; 0 where something else decides. The speed is measured once,
        so runs at once share the machine's.
      eval_every: steps between evaluations; 0 for one an epoch.
      early_stopping: stop a run after so many evaluations without a lower loss over tokens; 0 never stops early.
      split: the sequences to compare on.
      checkpoint: "best", "latest" or the number of a step, of every run.
      split_rule: how pieces are split.
      extraction: what makes a melody.
      representation_options: options of other representations, by their names, each as JSON.
      generation: what every run makes.
      primer: what melodies begin with, as events.
      qpm: their tempo, in quarter notes a minute.
      exact_tunes: whether only tunes are taken that every representation carries exactly, to compare across them.
      published: figures that others published, by configuration.
      notes: what has to be known of the comparison; beside published figures, what differs between theirs and ours.
      contrasts: pairs of configurations, by name, that the question is about.
      sweeps: settings that are varied one at a time.
      floor: the name of a configuration that all others have to beat for the study to count; empty for none.
      samplings: ways to sample that are judged beside each other, from headers of held-out tunes.
      expected_minutes: how long all of it takes on two cores; 0 where that is unknown.
    """

    title: str
    sources: tuple[str, ...]
    configurations: tuple[StudyConfiguration, ...]
    question: str = ""
    seeds: tuple[int, ...] = (0,)
    num_steps: int = 0
    num_epochs: int = 0
    minutes: float = 0.0
    eval_every: int = 50
    early_stopping: int = 0
    split: str = "eval"
    checkpoint: str = "best"
    split_rule: SplitRule = dataclasses.field(default_factory=SplitRule)
    extraction: ExtractionOptions = MAGENTA_OPTIONS
    generation: GenerationOptions = dataclasses.field(default_factory=GenerationOptions)
    primer: tuple[int, ...] = (60,)
    representation_options: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    qpm: float = 120.0
    exact_tunes: bool = False
    published: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    contrasts: tuple[tuple[str, str], ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    floor: str = ""
    samplings: tuple[Sampling, ...] = ()
    expected_minutes: float = 0.0

    def runs(self) -> dict[str, tuple[StudyConfiguration, int]]:
        """The configuration and seed of every run, by its name."""
        return {
            f"{configuration.name}-seed{seed}": (configuration, seed)
            for configuration in self.configurations
            for seed in self.seeds
        }

    def datasets(self) -> dict[str, str]:
        """The folder of each representation's dataset, by what it is typed as."""
        typed = dict.fromkeys(one.representation for one in self.configurations)
        return {name: DATASET if name == MELODY else f"{DATASET}-{representation_class(name).name}" for name in typed}


def run_study(
    study: Study,
    output: pathlib.Path,
    *,
    command: str = "",
    workers: int = 1,
    parallel: int = 1,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda message: None,
) -> pathlib.Path:
    """Does all that a study asks for. What is finished already is not done again.

    Args:
      study: the study.
      output: the folder of everything that the study makes.
      command: the command line that does the same again, for the report.
      workers: processes that read music.
      parallel: training runs at once, each in a process of its own; the results do not depend on it.
      progress: report of the whole study, with what is being done.
      say: called where a beam search finds fewer melodies than the study asks for.

    Returns:
      The report.

    Raises:
      EtudeError: if the sources give no melodies, a run cannot be trained (the others are trained all the same), or the
        folder holds another study, or another process is writing to it.
      UsageError: if `parallel` is below 1.
    """
    if parallel < 1:
        raise UsageError(f"--parallel must be at least 1, not {parallel}")
    with locked(output / FOLDER):
        return _run(study, output, command, workers, parallel, progress, say)


def _run(
    study: Study,
    output: pathlib.Path,
    command: str,
    workers: int,
    parallel: int,
    progress: Progress,
    say: Callable[[str], None],
) -> pathlib.Path:
    names = list(study.runs())
    costs = [_CONVERT_COST, *[_DATASET_COST] * len(study.datasets())]
    costs += [_training_cost(study, name) for name in names] + [_GENERATE_COST] * len(names)
    costs += [_SAMPLE_COST] * len(names) * bool(study.samplings) + [_COMPARE_COST]
    upcoming = iter(shares(costs, progress))

    convert(study.sources, output / NOTES, workers=workers, progress=next(upcoming)("reading the music"))
    descriptions = [
        create_dataset(
            [output / NOTES],
            output / folder,
            representation=name,
            options=dict(study.representation_options.get(representation_class(name).name, {})),
            eval_ratio=study.split_rule.eval_ratio,
            test_ratio=study.split_rule.test_ratio,
            salt=study.split_rule.salt,
            extraction=study.extraction,
            exact_tunes=study.exact_tunes,
            workers=workers,
            progress=next(upcoming)(f"finding {'melodies' if name in MELODIC else 'sequences'}"),
        )
        for name, folder in study.datasets().items()
    ]
    study = dataclasses.replace(study, configurations=_sized(study, output))
    finished = Finished(output, [*(one.fingerprint for one in descriptions), descriptions[0].version])
    _train(study, output, finished, [next(upcoming) for _ in names], parallel)
    for name in names:
        _generate(study, name, output, finished, next(upcoming), say)
        if study.samplings:
            _sample(study, name, output, finished, next(upcoming))
    _compare(study, output, finished, command, next(upcoming))
    made = {
        one.name: [output / GENERATED / f"{one.name}-seed{seed}" for seed in study.seeds]
        for one in study.configurations
    }
    write_listening_test(output, made, output / next(iter(sorted(study.datasets().values()))), finished, say)
    return output / REPORT_FILE


def _sized(study: Study, output: pathlib.Path) -> tuple[StudyConfiguration, ...]:
    """The configurations, those that are to have as many parameters as another one with layers of that size."""
    sized: dict[str, StudyConfiguration] = {}
    for one in study.configurations:
        dataset = output / study.datasets()[one.representation]
        configuration = one.configuration
        if one.as_many_parameters_as:
            other = sized[one.as_many_parameters_as]
            wanted = num_parameters(other.configuration, output / study.datasets()[other.representation])
            configuration = with_num_parameters(configuration, wanted, dataset)
        sized[one.name] = dataclasses.replace(one, configuration=configuration)
    return tuple(sized.values())


def _train(study: Study, output: pathlib.Path, finished: Finished, shares: Sequence[Share], parallel: int) -> None:
    reports = {name: share(f"training {name}") for name, share in zip(study.runs(), shares, strict=True)}
    datasets = study.datasets()
    runs = []
    for name, (one, seed) in study.runs().items():
        run_dir = output / RUNS / name
        length = [study.num_steps, study.num_epochs, study.minutes]
        inputs = [one.configuration, seed, *length, study.eval_every, study.early_stopping]
        if finished.is_finished(f"train {name}", inputs, [RunDirectory(run_dir).config]):
            reports[name](1, 1)
        else:
            runs.append(
                TrainingRun(
                    name=name,
                    configuration=one.configuration,
                    dataset=output / datasets[one.representation],
                    run_dir=run_dir,
                    seed=seed,
                    num_steps=study.num_steps,
                    num_epochs=study.num_epochs,
                    minutes=study.minutes,
                    eval_every=study.eval_every,
                    early_stopping=study.early_stopping,
                    families=tuple(USED),
                )
            )
    train_runs(runs, parallel, reports, lambda name: finished.record(f"train {name}"))


def _generate(
    study: Study, name: str, output: pathlib.Path, finished: Finished, share: Share, say: Callable[[str], None]
) -> None:
    report = share(f"generating with {name}")
    folder = output / GENERATED / name
    model = load(output / RUNS / name, study.checkpoint)
    has_notes, is_melody = model.domain.has_notes, model.configuration.representation in MELODIC
    primer = [study.primer if is_melody else None, study.qpm] if has_notes else [study.runs()[name][0].primer_text]
    generation = study.generation
    if model.configuration.representation == LEAD_SHEET:
        columns = backing_chords(DEFAULT_CHORDS).columns(generation.num_steps)
        generation = dataclasses.replace(generation, columns=columns)
    inputs = [study.generation, *primer, model.step, study.checkpoint]
    with finished.step(f"generate {name}", inputs, [folder / GENERATED_FILE], after=f"train {name}") as is_finished:
        if not is_finished:
            # Tunes as text have MIDI files, too.
            for old in (*folder.glob(f"*.{model.domain.suffix}"), *folder.glob("*.mid"), folder / GENERATED_FILE):
                old.unlink(missing_ok=True)
            remove_partial_files(folder)
            known = training_ngrams(model)
            # How many melodies a beam search finds is known when the model is, and then hours may lie behind.
            if has_notes:
                made = generate(model, study.primer if is_melody else None, generation, or_fewer=True)
                write_melodies(model, made, generation, folder, qpm=study.qpm, known=known)
            else:
                made = _texts(model, study.runs()[name][0], study.generation)
                write_texts(model, made, study.generation, folder, known=known)
            if len(made) < study.generation.num_outputs:
                say(
                    f"{name}: a beam search found only {len(made)} different {model.domain.plural} where the study asks for "
                    f"{study.generation.num_outputs}"
                )
    report(1, 1)


def _sample(study: Study, name: str, output: pathlib.Path, finished: Finished, share: Share) -> None:
    report = share(f"sampling from {name}")
    model = load(output / RUNS / name, study.checkpoint)
    dataset = output / study.datasets()[study.runs()[name][0].representation]
    inputs = [study.samplings, study.split, model.step, study.checkpoint]
    products = [output / SAMPLES / f"{name}{SAMPLES_SUFFIX}"]
    with finished.step(f"sample {name}", inputs, products, after=f"train {name}") as is_finished:
        if not is_finished:
            write_samples(model, dataset, study.split, study.samplings, output / SAMPLES, name, report)
    report(1, 1)


def _texts(model: Model, one: StudyConfiguration, options: GenerationOptions) -> list[GeneratedSequence]:
    try:
        return generate(model, one.primer_text or None, options, or_fewer=True)
    except UsageError as error:
        raise EtudeError(f"{one.name}, primer_text = {one.primer_text!r}: {error}") from error


def _compare(study: Study, output: pathlib.Path, finished: Finished, command: str, share: Share) -> None:
    report = share("comparing")
    names = list(study.runs())
    labels = {name: Label(one.name, one.title) for name, (one, _) in study.runs().items()}
    presentation = Presentation(
        title=study.title,
        question=study.question,
        command=command,
        labels=labels,
        sources=study.sources,
        published=study.published,
        notes=study.notes,
        contrasts=study.contrasts,
        sweeps=study.sweeps,
        floor=study.floor,
        is_to_level=study.exact_tunes,
    )
    # Every run and every melody takes part: whatever changed there changes this, too.
    inputs = [presentation, study.split, study.checkpoint, finished.so_far()]
    products = [output / name for name in (RESULTS_FILE, TABLE_FILE, REPORT_FILE, tensorboard.FOLDER)]
    with finished.step("compare", inputs, products) as is_finished:
        if not is_finished:
            compare(
                [output / RUNS / name for name in names],
                [output / folder for folder in study.datasets().values()],
                output,
                split=study.split,
                checkpoint=study.checkpoint,
                generated=[output / GENERATED / name for name in names],
                samples={name: output / SAMPLES / f"{name}{SAMPLES_SUFFIX}" for name in names if study.samplings},
                presentation=presentation,
                progress=report,
            )
    report(1, 1)


def _training_cost(study: Study, name: str) -> float:
    configuration = study.runs()[name][0].configuration
    if family(configuration.config).counting is not None:
        return _COUNTING_COST
    if study.minutes:
        return study.minutes * 60 * _STEPS_PER_SECOND
    num_steps = study.num_steps or study.num_epochs * _STEPS_PER_EPOCH
    return num_steps * (_ATTENTION_COST if getattr(configuration.hyperparameters, "attn_length", 0) else 1.0)
