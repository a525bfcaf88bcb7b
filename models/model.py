"""A trained model: its configuration, encoding and network, ready for likelihood and generation. No TensorFlow."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration
from etude.models.dataset import squash_all
from etude.models.encodings.encoding import Encoding
from etude.models.errors import EtudeError
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.evaluation.statistics import Sums
from etude.models.family import Arrays, SequenceModel
from etude.models.generation import GeneratedSequence, GenerationOptions, generate
from etude.models.melodies.melody import Melody, as_events
from etude.models.melodies.melody_set import MelodySet
from etude.models.networks.network import Network, log_softmax
from etude.models.networks.weights import as_weights
from etude.models.progress import Progress, silent
from etude.models.registry import family, make_domain, make_encoding
from etude.models.representations.batch import Batch
from etude.models.representations.domain import Domain
from etude.models.storage.run_directory import BEST
from etude.models.trained import read_trained


@dataclasses.dataclass(frozen=True)
class Model:
    """A model with its weights.

    Attributes:
      configuration: what it is.
      weights: as `etude.models.networks.weights.shapes` names them; of a counted model, its counts.
      path: where it was read from.
      step: the training step of the weights.
      training_fingerprint: of the dataset that it was trained on; empty if unknown.
    """

    configuration: Configuration
    weights: Arrays
    path: pathlib.Path
    step: int = 0
    training_fingerprint: str = ""

    @functools.cached_property
    def encoding(self) -> Encoding:
        """The configuration's encoding."""
        return make_encoding(self.configuration)

    @functools.cached_property
    def domain(self) -> Domain:
        """The sequences that it knows."""
        return make_domain(self.configuration)

    @functools.cached_property
    def network(self) -> SequenceModel:
        """The network with these weights, or what predicts by these counts."""
        counting = family(self.configuration.config).counting
        if counting is not None:
            return counting.make_network(self.configuration, self.encoding, self.weights)
        return Network(self.configuration.hyperparameters, as_weights(self.weights))

    def predict(self, batch: Batch) -> LogProbabilities:
        """Log-probabilities after each token of a batch but the last: [batch, steps - 1, num_labels]."""
        return log_softmax(self.network.logits(self.encoding.inputs(batch.tokens[:, :-1], batch.attributes)))

    def evaluate(self, melodies: MelodySet, squash: bool = True, progress: Progress = silent) -> Sums:
        """The sums of every melody.

        Args:
          melodies: the melodies.
          squash: bring them into the model's key and range first; False for melodies that are there already.
          progress: called after every batch.

        Raises:
          EtudeError: if, without `squash`, a pitch is outside the model's range.
        """
        if squash:
            melodies = squash_all(melodies, self.configuration)
        try:
            self.encoding.check(melodies.flat)
        except ValueError as error:
            raise EtudeError(f"{error} of {self.path}; leave out --no-squash to bring the melody into it") from error
        sums = evaluate(self.encoding, melodies, self.predict, progress=progress)
        if not np.isfinite(sums["log_likelihood"]).all():
            raise EtudeError(
                f"{self.path} gives likelihoods that are no numbers: its weights are too large; train it again"
            )
        return sums

    def log_likelihood(self, melodies: Sequence[npt.ArrayLike], squash: bool = True) -> list[float]:
        """The log-likelihood of melodies, in nats, given their first event.

        Source: Magenta's `melody_log_likelihood`: the canonical labels of events 2 to n, at temperature 1. Their bars are
        those of 4/4, for encodings that look back by bars.

        Args:
          melodies: lists of events, each of at least one.
          squash: bring them into the model's key and range first, as Magenta does.

        Returns:
          One number a melody.

        Raises:
          ValueError: if an event is outside [-2, 127], or a melody is empty.
        """
        steps, bar = self.configuration.steps_per_quarter, self.configuration.steps_per_whole_note
        packed = MelodySet.of(
            Melody(as_events(events), steps_per_quarter=steps, steps_per_bar=bar) for events in melodies
        )
        if not packed.lengths.all():
            raise ValueError("a melody without events has no log-likelihood")
        return [float(value) for value in self.evaluate(packed, squash)["log_likelihood"]] if len(packed) else []

    def generate(self, primer: Any = None, **options: Any) -> list[GeneratedSequence]:
        """Generates melodies that continue a primer.

        For example, with a `model` from `load`:

        >>> melodies = model.generate([60, -2, 64, -2], num_outputs=3, num_steps=32, temperature=0.9, seed=1)
        >>> [len(melody.events) for melody in melodies]
        [32, 32, 32]
        >>> likelihoods = model.log_likelihood([melody.events for melody in melodies], squash=False)
        >>> all(abs(melody.log_likelihood - same) < 0.001 for melody, same in zip(melodies, likelihoods))
        True

        Args:
          primer: events, in [-2, 127], at least one, in any key (middle C if there is none); or, of another domain,
            tokens or a text.
          **options: what to generate, by the names of `etude.models.generation.GenerationOptions`.

        Returns:
          Objects with `.events` (in the model's key; `.sounding_events` in the primer's), which are also called `.tokens`,
          `.text` where they are text, and `.log_likelihood`, and the
          other likelihoods of `etude.models.generation.GeneratedSequence`.

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
    trained = read_trained(pathlib.Path(path), checkpoint, config, overrides)
    return Model(trained.configuration, trained.weights, pathlib.Path(path), trained.step, trained.training_fingerprint)
