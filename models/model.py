"""A trained model: its configuration, encoding and network, ready for likelihood and generation. No TensorFlow."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding
from etude.models.encodings.melody import MelodyEncoding
from etude.models.errors import EtudeError, UsageError
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.evaluation.statistics import Sums
from etude.models.family import Arrays, SequenceModel
from etude.models.generation import GeneratedSequence, GenerationOptions, generate
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.networks.network import Network, log_softmax
from etude.models.networks.weights import as_weights
from etude.models.progress import Progress, silent
from etude.models.registry import family, make_domain, make_encoding
from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import Domain, parse_given
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage.run_directory import BEST
from etude.models.trained import read_trained

if TYPE_CHECKING:
    from etude.models.networks.kernels.network import CompiledNetwork


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

    def predict_faster(self, batch: Batch) -> LogProbabilities:
        """As `predict`, in compiled code on all processors, where there is such for the network: equal within rounding.

        Compiling takes seconds once a machine, and starting a second: for whole datasets.
        """
        network = self._compiled
        if network is None:
            return self.predict(batch)
        return log_softmax(network.logits(self.encoding.inputs(batch.tokens[:, :-1], batch.attributes)))

    @functools.cached_property
    def _compiled(self) -> "CompiledNetwork | None":
        from etude.models.networks.kernels.availability import why_not_compiled

        hyperparameters = self.configuration.hyperparameters
        is_counted = family(self.configuration.config).counting is not None
        if is_counted or hyperparameters.attn_length or why_not_compiled():
            return None
        from etude.models.networks.kernels.network import CompiledNetwork

        return CompiledNetwork(hyperparameters, as_weights(self.weights))

    def evaluate(
        self,
        sequences: SequenceSet,
        squash: bool = True,
        progress: Progress = silent,
        breakdowns: Sequence[Breakdown] = (),
        compiled: bool = False,
    ) -> Sums:
        """The sums of every sequence.

        Args:
          sequences: melodies as a `MelodySet`.
          squash: bring them into the model's domain first, melodies into its key and range; False for those that are
            there already.
          progress: called after every batch.
          breakdowns: categories to add up besides.
          compiled: whether by `predict_faster`.

        Raises:
          EtudeError: if a token is outside the model's domain, a pitch outside its range.
        """
        if squash:
            sequences = self.domain.enter_all(sequences)
        try:
            self.encoding.check(sequences.flat)
        except ValueError as error:
            remedy = "; leave out --no-squash to bring the melody into it" if self.domain.noun == "melody" else ""
            raise EtudeError(f"{error} of {self.path}{remedy}") from error
        predict = self.predict_faster if compiled else self.predict
        sums = evaluate(self.encoding, sequences, predict, breakdowns, progress)
        if not np.isfinite(sums["log_likelihood"]).all():
            raise EtudeError(
                f"{self.path} gives likelihoods that are no numbers: its weights are too large; train it again"
            )
        return sums

    def log_likelihood(self, sequences: Iterable[Any], squash: bool = True) -> list[float]:
        """The log-likelihood of sequences, in nats, given their first token.

        Source: Magenta's `melody_log_likelihood`: the canonical labels of events 2 to n, at temperature 1. Bars of melodies
        are those of 4/4, for encodings that look back by bars.

        Args:
          sequences: lists of events, or what else the model's domain takes (tokens, a text; for melodies over chords, pairs
            of an event and the figure of the chord under it, "N.C." for none; of drums `[[36, 42], []]`, the pitches struck
            at each step; of polyphony `[[0, None], [3, 60]]`, Magenta's events); each of at least one token.
          squash: bring melodies into the model's key and range first, as Magenta does.

        Returns:
          One number a sequence.

        Raises:
          UsageError: if a token is not in the domain (an event outside [-2, 127]), or a sequence is empty.
          EtudeError: if, without `squash`, a pitch is outside the model's range.
        """
        noun, every = self.domain.noun, list(sequences)
        parsed = [parse_given(self.domain, given, f"{noun} {number}") for number, given in enumerate(every, start=1)]
        if not all(len(tokens) for tokens in parsed):
            raise UsageError(f"a {noun} without events has no log-likelihood")
        if not parsed:
            return []
        packed = SequenceSet.pack(parsed)
        if isinstance(self.encoding, MelodyEncoding):
            steps, bar = self.configuration.steps_per_quarter, self.configuration.steps_per_whole_note
            packed = MelodySet.of(
                Melody(events, steps_per_quarter=steps, steps_per_bar=bar, columns=self.domain.parse_columns(one))
                for events, one in zip(parsed, every, strict=True)
            )
        return [float(value) for value in self.evaluate(packed, squash)["log_likelihood"]]

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
          UsageError: if the primer is none, or an option is unknown or out of range.
        """
        return generate(self, primer, GenerationOptions.of(options))


def load(
    path: pathlib.Path | str, checkpoint: str = BEST, config: str = "", overrides: Mapping[str, Any] | None = None
) -> Model:
    """Reads a model; arguments and errors are those of `etude.models.trained.read_trained`."""
    trained = read_trained(pathlib.Path(path), checkpoint, config, overrides)
    return Model(trained.configuration, trained.weights, pathlib.Path(path), trained.step, trained.training_fingerprint)
