"""A run directory: what a training run is, its checkpoints and its metrics.

config.textproto   the run's full configuration (`proto/models/run.proto`)
checkpoints/       step-00000200.npz: weights, optimiser and step; best.npz: the weights with the lowest eval loss
metrics.jsonl      the training and evaluation figures, one line each
train/ eval/       the same for TensorBoard
"""

import dataclasses
import pathlib
import re
from typing import Any

from google.protobuf import text_format

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding
from etude.models.errors import EtudeError, UsageError
from etude.models.hyperparameters import as_text, override, parse_value
from etude.models.networks.weights import shapes
from etude.models.registry import family, make_encoding
from etude.models.sequences.domain import MELODY
from etude.models.storage import run_pb2
from etude.models.storage.files import write_text

CONFIG_FILE = "config.textproto"
METRICS_FILE = "metrics.jsonl"
BEST = "best"
LATEST = "latest"

_RESERVED_FIELD = re.compile(r'^precision: "\w*"\n', re.MULTILINE)
"""Of runs that were trained before it went. (protobuf's text form knows reserved fields in C++ alone.)"""

_CHECKPOINT_NAME = re.compile(r"step-(\d{8})\.npz")


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """The paths of a run, and what is there.

    Attributes:
      path: the folder.
    """

    path: pathlib.Path

    @property
    def config(self) -> pathlib.Path:
        """The file of the run's configuration."""
        return self.path / CONFIG_FILE

    @property
    def checkpoints(self) -> pathlib.Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def metrics(self) -> pathlib.Path:
        """The file of figures."""
        return self.path / METRICS_FILE

    @property
    def best(self) -> pathlib.Path:
        """The weights with the lowest eval loss."""
        return self.checkpoints / f"{BEST}.npz"

    def checkpoint(self, step: int) -> pathlib.Path:
        """The checkpoint of a step."""
        return self.checkpoints / f"step-{step:08d}.npz"

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, ascending."""
        names = [_CHECKPOINT_NAME.fullmatch(path.name) for path in self.checkpoints.glob("step-*.npz")]
        return sorted(int(match[1]) for match in names if match)

    def weights_file(self, which: str = BEST) -> pathlib.Path:
        """The file to take weights from.

        Args:
          which: "best" on the eval split (the latest where none was kept), "latest", or the number of a step.

        Raises:
          EtudeError: if there is no such checkpoint.
        """
        steps = self.steps()
        if which == BEST and self.best.is_file():
            return self.best
        if which in (BEST, LATEST):
            if not steps:
                raise EtudeError(
                    f"{self.path} has no checkpoint yet; train it with 'etude train --run-dir {self.path}'"
                )
            return self.checkpoint(steps[-1])
        if not re.fullmatch("[0-9]{1,18}", which) or int(which) not in steps:
            raise EtudeError(
                f"{self.path} has no checkpoint {which!r}; it has: best, latest, {', '.join(map(str, steps))}"
            )
        return self.checkpoint(int(which))

    def read(self) -> run_pb2.Run:
        """The run's configuration.

        Raises:
          EtudeError: if the folder or the file is missing, or the file is damaged.
        """
        if not self.path.is_dir():
            raise EtudeError(f"there is no model {self.path}: it is neither a run directory nor a .mag bundle")
        if not self.config.is_file():
            raise EtudeError(f"{self.path} is not a run directory: it has no {CONFIG_FILE}")
        try:
            return text_format.Parse(_RESERVED_FIELD.sub("", self.config.read_text()), run_pb2.Run())
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise EtudeError(f"{self.config} is damaged: {error}; restore it or train again") from error

    def write(self, run: run_pb2.Run) -> None:
        """Stores the run's configuration."""
        write_text(self.config, text_format.MessageToString(run))

    def configuration(self) -> Configuration:
        """The model's configuration.

        Raises:
          EtudeError: if it is missing, damaged or out of range.
        """
        stored = self.read().configuration
        try:
            family(stored.config)
        except UsageError as error:
            raise EtudeError(
                f"{self.path} is a run of a family that is not one of Etude's, {stored.config!r}; say where it is with "
                "--family MODULE:NAME"
            ) from error
        try:
            return from_proto(stored)
        except (ValueError, UsageError) as error:
            raise EtudeError(f"{self.config} is damaged: {error}; restore it or train again") from error


def weight_shapes(configuration: Configuration, encoding: Encoding | None = None) -> dict[str, tuple[int, ...]]:
    """The shape of every weight in a checkpoint, by its name there."""
    encoding = encoding or make_encoding(configuration)
    return {f"weights/{name}": shape for name, shape in shapes(configuration.hyperparameters, encoding).items()}


def to_proto(configuration: Configuration) -> run_pb2.Configuration:
    """The message that stores a configuration."""
    return run_pb2.Configuration(
        config=configuration.config,
        min_note=configuration.min_note,
        max_note=configuration.max_note,
        transpose_to_key=configuration.transpose_to_key,
        steps_per_quarter=configuration.steps_per_quarter,
        hyperparameters=run_pb2.Hyperparameters(values=as_text(configuration.hyperparameters)),
        representation="" if configuration.representation == MELODY else configuration.representation,
        vocabulary=configuration.vocabulary,
        representation_options=configuration.representation_options,
        unit="" if configuration.representation == MELODY else configuration.unit,
    )


def from_proto(message: run_pb2.Configuration) -> Configuration:
    """The configuration that a message stores.

    Hyperparameters that are newer than the run have the family's defaults, which are what the run was trained with.

    Raises:
      UsageError: if a stored hyperparameter is unknown, of the wrong type or out of range.
      ValueError: if the stored range or key is.
    """
    defaults = family(message.config).defaults.hyperparameters
    return Configuration(
        config=message.config,
        min_note=message.min_note,
        max_note=message.max_note,
        transpose_to_key=message.transpose_to_key if message.HasField("transpose_to_key") else None,
        steps_per_quarter=message.steps_per_quarter,
        hyperparameters=override(defaults, _stored(message, defaults)),
        representation=message.representation or MELODY,
        vocabulary=tuple(message.vocabulary),
        representation_options=dict(message.representation_options),
        unit=message.unit or Configuration.unit,
    )


def _stored(message: run_pb2.Configuration, defaults: Any) -> dict[str, Any]:
    """The hyperparameters by name; of runs of before, those that the family has of a fixed set of fields."""
    stored = message.hyperparameters
    if texts := stored.values or message.other_hyperparameters:
        return {name: parse_value(text) for name, text in texts.items()}
    values = {field.name: getattr(stored, field.name) for field in stored.DESCRIPTOR.fields if field.name != "values"}
    lists = {name: tuple(values[name]) for name in ("rnn_layer_sizes", "lookback_distances")}
    names = [field.name for field in dataclasses.fields(defaults)]
    return {name: value for name, value in {**values, **lists}.items() if name in names}
