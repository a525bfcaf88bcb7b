"""A trained model: its configuration, encoding and network, ready for likelihood and generation. No TensorFlow."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.checkpoint import load_arrays
from models.configuration import Configuration
from models.dataset import squash_all
from models.encoding import Encoding, Inputs
from models.errors import EtudeError
from models.evaluation import MelodySums, evaluate
from models.generation import GeneratedMelody, GenerationOptions, generate
from models.likelihood import LogProbabilities
from models.magenta.load import is_checkpoint, load_bundle, load_checkpoint
from models.melody import Melody, as_events
from models.melody_set import MelodySet
from models.networks.network import Network, log_softmax
from models.networks.weights import Weights
from models.progress import Progress, silent
from models.registry import make_encoding
from models.run_directory import BEST, RunDirectory, weight_shapes


@dataclasses.dataclass(frozen=True)
class Model:
    """A model with its weights.

    Attributes:
      configuration: what it is.
      weights: as `models.networks.weights.shapes` names them.
      path: where it was read from.
      step: the training step of the weights.
      training_fingerprint: of the dataset that it was trained on; empty if unknown.
    """

    configuration: Configuration
    weights: Weights
    path: pathlib.Path
    step: int = 0
    training_fingerprint: str = ""

    @functools.cached_property
    def encoding(self) -> Encoding:
        """The configuration's encoding."""
        return make_encoding(self.configuration)

    @functools.cached_property
    def network(self) -> Network:
        """The network with these weights."""
        return Network(self.configuration.hyperparameters, self.weights)

    def log_probabilities(self, inputs: Inputs, lengths: npt.NDArray[np.int64]) -> LogProbabilities:
        """Log-probabilities after every step: [batch, steps, num_labels] from [batch, steps, input_size]."""
        return log_softmax(self.network.logits(inputs))

    def evaluate(self, melodies: MelodySet, squash: bool = True, progress: Progress = silent) -> MelodySums:
        """The sums of every melody.

        Args:
          melodies: the melodies.
          squash: bring them into the model's key and range first; False for melodies that are there already.
          progress: told after every batch.

        Raises:
          EtudeError: if, without `squash`, a pitch is outside the model's range.
        """
        if squash:
            melodies = squash_all(melodies, self.configuration)
        try:
            self.encoding.check_range(melodies.flat)
        except ValueError as error:
            raise EtudeError(f"{error} of {self.path}; leave out --no-squash to bring the melody into it") from error
        return evaluate(self.encoding, melodies, self.log_probabilities, progress)

    def log_likelihood(self, melodies: Sequence[npt.ArrayLike], squash: bool = True) -> list[float]:
        """The log-likelihood of melodies, in nats, given their first event.

        Source: Magenta's `melody_log_likelihood`: the canonical labels of events 2 to n, at temperature 1.

        Args:
          melodies: lists of events, each of at least one.
          squash: bring them into the model's key and range first, as Magenta does.

        Returns:
          One number a melody.

        Raises:
          ValueError: if an event is outside [-2, 127], or a melody is empty.
        """
        packed = MelodySet.of(Melody(as_events(events)) for events in melodies)
        if not packed.lengths.all():
            raise ValueError("a melody without events has no log-likelihood")
        return [float(value) for value in self.evaluate(packed, squash).log_likelihood] if len(packed) else []

    def generate(self, primer: npt.ArrayLike = (60,), **options: Any) -> list[GeneratedMelody]:
        """Generates melodies that continue a primer.

        For example, with a `model` from `load`:

        >>> melodies = model.generate([60, -2, 64, -2], num_outputs=3, num_steps=32, temperature=0.9, seed=1)
        >>> [len(melody.events) for melody in melodies]
        [32, 32, 32]
        >>> likelihoods = model.log_likelihood([melody.events for melody in melodies], squash=False)
        >>> all(abs(melody.log_likelihood - same) < 0.001 for melody, same in zip(melodies, likelihoods))
        True

        Args:
          primer: events, in [-2, 127], at least one, in any key.
          **options: what to generate, by the names of `models.generation.GenerationOptions`.

        Returns:
          Objects with `.events` (in the model's key; `.sounding_events` in the primer's) and `.log_likelihood`, and the
          other likelihoods of `models.generation.GeneratedMelody`.

        Raises:
          UsageError: if the primer or an option is out of range.
        """
        return generate(self, primer, GenerationOptions(**options))


def load(
    path: pathlib.Path | str, checkpoint: str = BEST, config: str = "", overrides: Mapping[str, Any] | None = None
) -> Model:
    """Reads a model.

    Args:
      path: a run directory, a Magenta bundle (.mag), or the prefix of a checkpoint that Magenta's training wrote.
      checkpoint: of a run directory: "best" on the eval split, "latest", or the number of a step.
      config: of a Magenta checkpoint: its family.
      overrides: of a Magenta checkpoint: hyperparameters that differ from the family's defaults.

    Raises:
      EtudeError: if there is no model or no such checkpoint, or it is damaged or does not fit its configuration.
    """
    path = pathlib.Path(path)
    if path.suffix == ".mag":
        return _of_magenta(path, *load_bundle(path))
    if is_checkpoint(path):
        return _of_magenta(path, *load_checkpoint(path, config, overrides or {}))
    run = RunDirectory(path)
    configuration = run.configuration()
    arrays = load_arrays(run.weights_file(checkpoint), {**weight_shapes(configuration), "step": ()})
    weights = {
        name.removeprefix("weights/"): array.astype(np.float32)
        for name, array in arrays.items()
        if name.startswith("weights/")
    }
    return Model(configuration, weights, path, int(arrays["step"]), run.read().dataset.fingerprint)


def _of_magenta(path: pathlib.Path, configuration: Configuration, weights: Weights, step: int) -> Model:
    return Model(configuration, weights, path, step)
