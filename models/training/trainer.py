"""The optimiser's step in TensorFlow, and the forward pass for evaluation.

As Magenta's graph, unless the hyperparameters say otherwise: the loss is the mean over the real steps of the batch; every
variable's gradient is clipped by its own norm; Adam with epsilon 1e-8.

A batch is cut into parts. As many as there are cores are taken at the same time, and their gradients added up: so memory
depends on the size of a part, not on that of a batch. Parts that are taken together end where their longest melody ends.
How a batch is cut changes nothing but the order of additions: a row of it has the same dropout in every part.
"""

import contextlib
import itertools
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding, Inputs, Labels
from etude.models.evaluation.figures import figures
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.networks.kernels.availability import why_not_compiled
from etude.models.networks.kernels.threads import one_blas_thread
from etude.models.networks.tensorflow_layers import GPU, implementations
from etude.models.networks.tensorflow_network import Dropout, TensorFlowNetwork
from etude.models.networks.tensorflow_steps import State, Tensor
from etude.models.networks.weights import Weights
from etude.models.storage.checkpoint import Arrays
from etude.models.training.optimisers import Optimiser

COMPILED, KERAS = KERNELS = ("compiled", "keras")
"""What layers run on where there is no GPU: compiled code, where it can be had, or Keras's layers."""

MELODIES_OF_A_PART = 64
"""At most: the matrix products of fewer are slower, and those of more not faster."""

MELODIES_OF_A_PART_WITH_ATTENTION = 32
"""At most: a memory of as many fits into a processor's cache."""


class Trainer:
    """A network in training: its weights, its optimiser's moments, and the number of steps taken."""

    def __init__(
        self, configuration: Configuration, encoding: Encoding, weights: Weights, seed: int, kernels: str = COMPILED
    ) -> None:
        """Starts at step 0.

        Args:
          configuration: the model's.
          encoding: the configuration's.
          weights: initial weights.
          seed: of the dropout.
          kernels: what layers run on where there is no GPU: one of `KERNELS`.
        """
        self._hyperparameters = configuration.hyperparameters
        devices = _devices()
        self._is_slow = why_not_compiled() if kernels == COMPILED and GPU not in devices else ""
        self._compiles = kernels == COMPILED and not self._is_slow
        self._network = TensorFlowNetwork(self._hyperparameters, encoding.input_size, devices, self._compiles)
        masks = encoding.label_masks()
        self._masks = [tf.constant(mask) for mask in masks.values()]
        self._names = ["log_likelihood", "num_steps", "correct"]
        self._names += [f"{kind}:{name}" for kind in masks for name in ("num", "correct")]
        self._unit = encoding.unit
        self._seed = seed
        self._at_once, self._melodies_of_a_part = _cut(configuration, devices)
        self.step = 0
        self._weights = {name: tf.Variable(value) for name, value in weights.items()}
        self._carried = (
            tf.nest.map_structure(
                lambda values: tf.Variable(values, trainable=False),
                self._network.initial_state(self._hyperparameters.batch_size),
            )
            if self._hyperparameters.batches == "stream"
            else []
        )
        self._optimiser = Optimiser(self._hyperparameters, self._weights)
        vectors = tf.TensorSpec([None, None, encoding.input_size], tf.float32)
        inputs = tf.TensorSpec([None, None], tf.int64) if encoding.is_indexed else vectors
        labels = tf.TensorSpec([None, None], tf.int32)
        lengths = tf.TensorSpec([None], tf.int64)
        begins = tf.TensorSpec([None], tf.bool)
        number, rate = tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.float32)
        self._train = tf.function(self._train_step, [inputs, labels, lengths, number, rate, begins], autograph=False)
        self._traced: Any = None
        self._forward = tf.function(self._log_probabilities, [inputs, lengths], autograph=False)

    def train(
        self,
        inputs: Inputs,
        labels: Labels,
        lengths: npt.NDArray[np.int64],
        learning_rate: float | None = None,
        begins: npt.NDArray[np.bool_] | None = None,
    ) -> dict[str, float]:
        """Takes one step.

        Args:
          inputs: [batch, steps, input_size], or [batch, steps] where they are indices.
          labels: [batch, steps].
          lengths: real steps of each melody, [batch].
          learning_rate: where it is not that of the hyperparameters.
          begins: of a stream, which rows begin a sequence; the others go on from the state of the step before.

        Returns:
          The figures over labels of the batch: loss, perplexity, accuracy, and what else the encoding tells apart
          (before the step, with dropout).
        """
        rate = np.float32(self._hyperparameters.learning_rate if learning_rate is None else learning_rate)
        first = np.full(len(lengths), True) if begins is None else begins
        # Choosing among what was traced takes a quarter of a small network's step; there is but one.
        self._traced = self._traced or self._train.get_concrete_function()
        arguments = inputs, labels.astype(np.int32), lengths, np.int64(self.step), rate, first
        with one_blas_thread() if self._compiles else contextlib.nullcontext():
            sums = self._traced(*map(tf.convert_to_tensor, arguments))
        self.step += 1
        totals = dict(zip(self._names, sums.numpy().astype(np.float64), strict=True))
        found = figures(totals, self._unit)
        return {name.removeprefix("label."): float(value) for name, value in found.items()}

    def log_probabilities(self, inputs: Inputs, lengths: npt.NDArray[np.int64]) -> LogProbabilities:
        """Log-probabilities after every step, without dropout: [batch, steps, num_labels]."""
        with one_blas_thread() if self._compiles else contextlib.nullcontext():
            result: LogProbabilities = self._forward(inputs, lengths).numpy()
        return result

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights as they are now."""
        return {name: variable.numpy() for name, variable in self._weights.items()}

    def state(self) -> Arrays:
        """All that is needed to go on from here, for a checkpoint."""
        groups = self._groups().items()
        arrays: Arrays = {f"{group}/{name}": value.numpy() for group, some in groups for name, value in some.items()}
        return {**arrays, "step": np.array(self.step, np.int64)}

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every array of `state`."""
        return {name: array.shape for name, array in self.state().items()}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Goes on from a `state`."""
        for group, variables in self._groups().items():
            for name, variable in variables.items():
                variable.assign(state[f"{group}/{name}"])
        self.step = int(state["step"])

    def _groups(self) -> dict[str, dict[str, tf.Variable]]:
        carried = {str(number): variable for number, variable in enumerate(tf.nest.flatten(self._carried))}
        return {"weights": self._weights, **self._optimiser.slots, "carried": carried}

    @property
    def implementation(self) -> str:
        """What each layer runs on, first to last, in a sentence; empty where that is what one expects of a processor."""
        devices = _devices()
        if GPU in devices:
            chosen = implementations(devices, self._hyperparameters, self._compiles)
            return f"on the GPU, layers run {', '.join(one.value for one in chosen)}"
        if self._is_slow:
            return f"layers cannot be compiled here ({self._is_slow}): they run in Keras, more slowly"
        return ""

    def _train_step(
        self, inputs: Tensor, labels: Tensor, lengths: Tensor, step: Tensor, rate: Tensor, begins: Tensor
    ) -> Tensor:
        """Sums over the steps that count: log-likelihood, steps, correct labels; of each kind how many, and correct ones."""
        num_steps = tf.cast(tf.reduce_sum(self._num_counted(lengths)), tf.float32)
        seed, steps = _mix(step, self._seed), tf.shape(inputs)[1]
        if self._carried:
            dropout = Dropout(seed, steps, tf.constant(0, tf.int64))
            state = tf.nest.map_structure(lambda values: _where_not(begins, values), self._carried)
            sums, gradients, after = self._gradients(inputs, labels, lengths, num_steps, dropout, state)
            tf.nest.map_structure(lambda variable, values: variable.assign(values), self._carried, after)
        else:
            sums, gradients = self._in_rounds(inputs, labels, lengths, num_steps, seed)
        self._optimiser.apply(gradients, step, rate)
        return tf.stack([sums[0], num_steps, *tf.unstack(sums[1:])])

    def _in_rounds(
        self, inputs: Tensor, labels: Tensor, lengths: Tensor, num_steps: Tensor, seed: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The sums and gradients of a batch of any size, part after part."""
        melodies, most = tf.size(lengths, tf.int64), self._at_once * self._melodies_of_a_part
        rounds = (melodies + most - 1) // most
        size = (melodies + rounds - 1) // rounds
        steps = tf.shape(inputs)[1]

        def add(number: Tensor, sums: Tensor, gradients: Mapping[str, Tensor]) -> tuple[Any, ...]:
            some = slice(number * size, (number + 1) * size)
            longest = tf.reduce_max(lengths[some])
            more, gradients_of_more, _ = self._gradients(
                inputs[some, :longest],
                labels[some, :longest],
                lengths[some],
                num_steps,
                Dropout(seed, steps, number * size),
                self._network.initial_state(tf.size(lengths[some])),
            )
            return number + 1, sums + more, {name: value + gradients_of_more[name] for name, value in gradients.items()}

        zeros = {name: tf.zeros_like(variable) for name, variable in self._weights.items()}
        _, sums, gradients = tf.while_loop(
            lambda number, *_: number < rounds,
            add,
            (tf.constant(0, tf.int64), tf.zeros([2 + 2 * len(self._masks)]), zeros),
            parallel_iterations=1,
        )
        return sums, gradients

    def _gradients(
        self,
        inputs: Tensor,
        labels: Tensor,
        lengths: Tensor,
        num_steps: Tensor,
        dropout: Dropout,
        state: Sequence[State],
    ) -> tuple[Tensor, dict[str, Tensor], list[State]]:
        """The sums of some melodies, the gradients of their share of the loss, and their next state."""
        melodies = tf.size(lengths, tf.int64)
        bounds = [melodies * part // self._at_once for part in range(self._at_once + 1)]
        with tf.GradientTape() as tape:
            weights = {name: tf.convert_to_tensor(variable) for name, variable in self._weights.items()}
            # The parts are independent graphs, which TensorFlow runs on different cores at the same time.
            parts = [
                self._sums(
                    weights,
                    inputs[start:stop],
                    labels[start:stop],
                    lengths[start:stop],
                    dropout._replace(first_row=dropout.first_row + start),
                    tf.nest.map_structure(lambda values, start=start, stop=stop: values[start:stop], state),
                )
                for start, stop in itertools.pairwise(bounds)
            ]
            total = tf.add_n([sums for sums, _ in parts])
            loss = -total[0] / num_steps if self._hyperparameters.loss == "mean" else -total[0]
        after = tf.nest.map_structure(lambda *values: tf.concat(values, 0), *(state for _, state in parts))
        return total, tape.gradient(loss, self._weights), after

    def _sums(
        self,
        weights: Mapping[str, Tensor],
        inputs: Tensor,
        labels: Tensor,
        lengths: Tensor,
        dropout: Dropout,
        state: Sequence[State],
    ) -> tuple[Tensor, list[State]]:
        """Log-likelihood, correct labels; for each kind of labels how many, and correct ones; and the next state."""
        logits, after = self._network.unroll(weights, inputs, lengths, state, dropout)
        is_real = tf.sequence_mask(lengths, tf.shape(inputs)[1])
        is_real &= ~tf.sequence_mask(lengths - self._num_counted(lengths), tf.shape(inputs)[1])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        correct = is_real & (tf.argmax(logits, axis=2, output_type=tf.int32) == labels)
        kinds = [tf.gather(mask, labels) for mask in self._masks]
        masks = [correct, *(where for kind in kinds for where in (is_real & kind, correct & kind))]
        counts = [tf.reduce_sum(tf.cast(where, tf.float32)) for where in masks]
        return tf.stack([-tf.reduce_sum(tf.where(is_real, losses, 0.0)), *counts]), after

    def _num_counted(self, lengths: Tensor) -> Tensor:
        """How many of the last steps of each row count."""
        return tf.minimum(lengths, 1) if self._hyperparameters.window_labels == "last" else lengths

    def _log_probabilities(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        return tf.nn.log_softmax(self._network.logits(self._weights, inputs, lengths))


def _where_not(begins: Tensor, values: Tensor) -> Tensor:
    """The values of rows that go on, zeros for those that begin."""
    return tf.where(tf.reshape(begins, [-1] + [1] * (len(values.shape) - 1)), 0.0, values)


def _mix(step: Tensor, seed: int) -> Tensor:
    """One seed from the step and the run's seed."""
    return tf.random.stateless_uniform([], tf.stack([step, tf.constant(seed, tf.int64)]), None, None, tf.int64)


def _devices() -> set[str]:
    """The kinds of devices that TensorFlow has here."""
    return {device.device_type for device in tf.config.list_physical_devices()}


def _cut(configuration: Configuration, devices: Collection[str]) -> tuple[int, int]:
    """How many parts of a batch are taken at once, one a core, and how many melodies a part has at most.

    A GPU takes the batch whole.
    """
    if GPU in devices:
        return 1, np.iinfo(np.int32).max
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    hyperparameters = configuration.hyperparameters
    attends = hyperparameters.attn_length > 0
    return min(
        cores, 8, hyperparameters.batch_size
    ), MELODIES_OF_A_PART_WITH_ATTENTION if attends else MELODIES_OF_A_PART
