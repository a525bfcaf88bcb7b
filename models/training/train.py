"""The training loop: batches, steps, evaluation, checkpoints; resumes where a killed run stopped.

Batch order and dropout depend on seed and step alone, so a resumed run ends with the weights of an undisturbed one;
on another number of cores, to rounding.
"""

import dataclasses
import math
import pathlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from etude.models.configuration import Configuration
from etude.models.dataset import AnyFolder, configure_for, read_description, read_for_model, representation_name
from etude.models.encodings.encoding import Encoding
from etude.models.errors import EtudeError
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.figures import report, token_figures
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.networks.weights import Weights, as_weights, initialise, shapes
from etude.models.progress import Progress, silent
from etude.models.registry import family, make_domain, make_encoding
from etude.models.representations.representation import TUNE
from etude.models.sequences.batch import Batch
from etude.models.sequences.domain import MELODIC, MELODY
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage.checkpoint import load_arrays, save_arrays
from etude.models.storage.lock import locked
from etude.models.storage.metrics import EVAL, TRAIN, MetricsLog
from etude.models.storage.run_directory import RunDirectory
from etude.models.storage.tensorboard_events import shown_hyperparameters
from etude.models.trained import read_trained
from etude.models.training.counting import count_model
from etude.models.training.examples import Example, Examples
from etude.models.training.identity import claim_run, describe_run
from etude.models.training.learning_rate import learning_rate
from etude.models.training.result import Result
from etude.models.training.schedule import Schedule

CHECKPOINT_SECONDS = 60.0
CHECKPOINTS_KEPT = 2
STEPS_PER_LOG = 10


def train(
    configuration: Configuration,
    dataset: AnyFolder,
    run_dir: pathlib.Path,
    schedule: Schedule,
    initial_model: pathlib.Path | str = "",
    progress: Progress = silent,
    say: Callable[[str], None] = lambda message: None,
    kernels: str = "compiled",
) -> Result:
    """Trains a model, or goes on training it.

    Args:
      configuration: the model; where it has no vocabulary, that of the dataset.
      dataset: a dataset folder.
      run_dir: where the run is kept; if it holds a checkpoint of this very run, training goes on from there.
      schedule: how long and how often.
      initial_model: a model whose weights to start from instead of random ones.
      progress: called after every step, with loss and speed.
      say: called with what is done otherwise than asked for.
      kernels: what layers run on where there is no GPU, "compiled" or "keras"; both compute the same.

    Returns:
      How the run ended.

    Raises:
      EtudeError: if the dataset is missing, empty or does not go with the configuration, the run directory holds another
        run or another process writes to it, or the loss stops being a number.
    """
    with locked(run_dir):
        return _train(configuration, dataset, run_dir, schedule, initial_model, progress, say, kernels)


def _train(
    configuration: Configuration,
    dataset: AnyFolder,
    run_dir: pathlib.Path,
    schedule: Schedule,
    initial_model: pathlib.Path | str,
    progress: Progress,
    say: Callable[[str], None],
    kernels: str,
) -> Result:
    run = RunDirectory(run_dir)
    stored = read_description(dataset)
    is_exact = stored.representation.covers == TUNE
    if configuration.representation == MELODY != representation_name(stored) or is_exact:
        configuration = configure_for(configuration, dataset)
    encoding = make_encoding(configuration)
    _check_transpositions(configuration, dataset)
    train_set = read_for_model(dataset, TRAIN, configuration)
    # A sequence of one token has nothing to predict.
    train_set = train_set.select(np.flatnonzero(train_set.lengths > 1))
    eval_set = read_for_model(dataset, EVAL, configuration)
    counting = family(configuration.config).counting
    if counting is not None:
        if initial_model:
            raise EtudeError(f"configuration {configuration.config} is counted: leave out --init-from")
        claim_run(run, describe_run(configuration, dataset, schedule))
        return count_model(run, configuration, counting, train_set, eval_set, schedule.seed)
    batch_size = configuration.hyperparameters.batch_size
    if batch_size > len(train_set) and configuration.hyperparameters.batches != "windows":
        say(
            f"batch_size={batch_size} is more than the train split of {dataset} has: all its {len(train_set)} "
            f"{make_domain(configuration).plural} make one batch"
        )
        configuration = with_batch_size(configuration, len(train_set))
    examples = Examples(train_set, encoding, configuration.hyperparameters, schedule.seed)
    schedule = schedule.in_steps(examples.steps_per_epoch)
    weights = _initial_weights(configuration, encoding, schedule.seed, initial_model)
    description = describe_run(configuration, dataset, schedule)
    description.initial_model = str(initial_model)
    claim_run(run, description)

    from etude.models.training.trainer import Trainer  # imports TensorFlow, which takes seconds

    trainer = Trainer(configuration, encoding, weights, schedule.seed, kernels)
    if trainer.implementation:
        say(trainer.implementation)
    if steps := run.steps():
        _restore(trainer, run.checkpoint(steps[-1]))
    log = MetricsLog(run.metrics, trainer.step, shown_hyperparameters(configuration, schedule.seed))
    try:
        return _Loop(run, configuration, encoding, trainer, log, schedule, examples, eval_set, progress).run()
    finally:
        log.close()


def with_batch_size(configuration: Configuration, batch_size: int) -> Configuration:
    """A configuration with another batch size."""
    hyperparameters = dataclasses.replace(configuration.hyperparameters, batch_size=batch_size)
    return dataclasses.replace(configuration, hyperparameters=hyperparameters)


def _restore(trainer: Any, checkpoint: pathlib.Path) -> None:
    try:
        trainer.restore(load_arrays(checkpoint, trainer.state_shapes()))
    except EtudeError as error:
        raise EtudeError(f"{error}; if you delete it, training goes on from the checkpoint before") from error


class _Loop:
    """The state of one run of the loop."""

    def __init__(
        self,
        run: RunDirectory,
        configuration: Configuration,
        encoding: Encoding,
        trainer: Any,
        log: MetricsLog,
        schedule: Schedule,
        examples: Examples,
        eval_set: SequenceSet,
        progress: Progress,
    ) -> None:
        self._run = run
        self._configuration = configuration
        self._encoding = encoding
        self._trainer = trainer
        self._log = log
        self._schedule = schedule
        self._eval_set = eval_set
        self._progress = progress
        self._examples = examples
        self._saved_at = time.monotonic()

    def run(self) -> Result:
        """Steps, logs, evaluates and saves until the end."""
        schedule, trainer = self._schedule, self._trainer
        clock, events = time.monotonic(), 0
        speed = 0.0
        batches = self._batches(trainer.step, schedule.num_steps)
        while trainer.step < schedule.num_steps and not self._should_stop():
            inputs, labels, lengths, begins = next(batches)
            rate = learning_rate(self._configuration.hyperparameters, trainer.step, self._examples.steps_per_epoch)
            figures = trainer.train(inputs, labels, lengths, rate, begins)
            self._check_loss(figures["loss"])
            events += int(lengths.sum())
            if trainer.step % STEPS_PER_LOG == 0 or trainer.step == schedule.num_steps:
                speed = events / (time.monotonic() - clock)
                clock, events = time.monotonic(), 0
                self._log_step(figures, speed, rate)
            note = f"loss {figures['loss']:.3f}" + (f", {speed:,.0f} events/s" if speed else "")
            self._progress(trainer.step, schedule.num_steps, note)
            if trainer.step % schedule.eval_every == 0 or trainer.step == schedule.num_steps:
                started = time.monotonic()
                self._evaluate()
                self._save()
                clock += time.monotonic() - started
            elif time.monotonic() - self._saved_at > CHECKPOINT_SECONDS:
                self._save()
        evaluations = self._log.evaluations()
        best = min(evaluations, key=lambda line: token_figures(line)["loss"])
        return Result(trainer.step, best, trainer.step < schedule.num_steps)

    def _check_loss(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise EtudeError(
                f"the loss is {loss} at step {self._trainer.step}; use a lower learning rate, such as "
                f"--hparams learning_rate={self._configuration.hyperparameters.learning_rate / 10:g}, in a new run"
            )

    def _batches(self, start: int, stop: int) -> Iterator[Example]:
        """The batches of steps start to stop, each prepared while the one before is trained on."""
        with ThreadPoolExecutor(1) as executor:
            upcoming = executor.submit(self._examples.batch, start)
            for step in range(start, stop):
                batch = upcoming.result()
                if step + 1 < stop:
                    upcoming = executor.submit(self._examples.batch, step + 1)
                yield batch

    def _log_step(self, figures: dict[str, float], speed: float, rate: float) -> None:
        self._log.write(
            TRAIN,
            self._trainer.step,
            {
                "label": figures,
                "learning_rate": rate,
                "events_per_second": speed,
                "epoch": self._trainer.step / self._examples.steps_per_epoch,
            },
        )

    def _evaluate(self) -> None:
        found = report(evaluate(self._encoding, self._eval_set, self._predict).totals(), self._encoding.unit)
        figures = {name: value for name, value in found.items() if not name.startswith("num_")}
        loss = token_figures(figures)["loss"]
        self._check_loss(loss)
        if loss < min(self._losses(), default=math.inf):
            weights = {f"weights/{name}": value for name, value in self._trainer.weights().items()}
            save_arrays(self._run.best, {**weights, "step": np.array(self._trainer.step, np.int64)})
        self._log.write(EVAL, self._trainer.step, figures)

    def _predict(self, batch: Batch) -> LogProbabilities:
        inputs = self._encoding.inputs(batch.tokens[:, :-1], batch.attributes)
        log_probabilities: LogProbabilities = self._trainer.log_probabilities(inputs, batch.num_predicted)
        return log_probabilities

    def _losses(self) -> list[float]:
        """Those of the evaluations so far."""
        return [token_figures(line)["loss"] for line in self._log.evaluations()]

    def _save(self) -> None:
        save_arrays(self._run.checkpoint(self._trainer.step), self._trainer.state())
        for old in self._run.steps()[:-CHECKPOINTS_KEPT]:
            self._run.checkpoint(old).unlink()
        self._saved_at = time.monotonic()

    def _should_stop(self) -> bool:
        patience = self._schedule.early_stopping
        if not patience:
            return False
        losses = self._losses()
        return len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])


def _initial_weights(
    configuration: Configuration, encoding: Encoding, seed: int, initial_model: pathlib.Path | str
) -> Weights:
    """Random weights, or those of a model of the same shape and steps."""
    if not initial_model:
        return initialise(configuration.hyperparameters, encoding, seed)
    model = read_trained(pathlib.Path(initial_model))
    found, wanted = model.configuration.steps_per_quarter, configuration.steps_per_quarter
    if found != wanted:
        raise EtudeError(
            f"{initial_model} takes {found} steps a quarter note, but this run is to take {wanted}, as its dataset does; "
            f"use a dataset that was written with --steps-per-quarter {found}, or another model to start from"
        )
    if (model.configuration.representation, model.configuration.vocabulary) != (
        configuration.representation,
        configuration.vocabulary,
    ):
        raise EtudeError(
            f"{initial_model} has other tokens than this run is to have: {make_domain(model.configuration).name} instead of "
            f"{make_domain(configuration).name}; start from a model that was trained on this dataset"
        )
    expected = shapes(configuration.hyperparameters, encoding)
    for name in expected.keys() | model.weights.keys():
        shape = model.weights[name].shape if name in model.weights else None
        if shape != expected.get(name):
            raise EtudeError(
                f"{initial_model} does not fit the configuration: its {name} has the shape {shape}, not "
                f"{expected.get(name)}; use its --config and --hparams"
            )
    return as_weights(model.weights)


def _check_transpositions(configuration: Configuration, dataset: AnyFolder) -> None:
    transpositions = list(read_description(dataset).transpositions)
    if configuration.representation not in MELODIC:
        return
    if configuration.transpose_to_key is not None and set(transpositions) - {0}:
        raise EtudeError(
            f"{dataset} holds its training melodies transposed by {transpositions}, but configuration "
            f"{configuration.config} transposes every melody into one key, so the copies would be the same melody again; "
            "use --config mono, or a dataset made without --transpose"
        )
