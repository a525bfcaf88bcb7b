"""What is done with gradients: clipped, and taken a step along.

Adam is TensorFlow 1's, as Magenta has it. RMSprop and Adagrad divide by the root of mean or sum of squares plus epsilon, as
Keras does, with epsilon inside the root.
"""

from collections.abc import Mapping

import tensorflow as tf

from etude.models.hyperparameters import Hyperparameters
from etude.models.networks.tensorflow_steps import Tensor

BETA_1, BETA_2, RHO, EPSILON = 0.9, 0.999, 0.9, 1e-8

SLOTS = {"adam": ("first_moments", "second_moments"), "rmsprop": ("mean_squares",), "adagrad": ("squares",)}
"""What each optimiser remembers of every weight, zeros at first."""

Variables = Mapping[str, tf.Variable]


class Optimiser:
    """An optimiser and what it remembers.

    Attributes:
      slots: by `SLOTS` and weight.
    """

    def __init__(self, hyperparameters: Hyperparameters, weights: Variables) -> None:
        """Starts before the first step."""
        self._hyperparameters = hyperparameters
        self._weights = weights
        self.slots = {
            slot: {name: tf.Variable(tf.zeros_like(value)) for name, value in weights.items()}
            for slot in SLOTS[hyperparameters.optimiser]
        }

    def apply(self, gradients: Mapping[str, Tensor], step: Tensor, learning_rate: Tensor) -> None:
        """Clips the gradients and takes a step.

        Args:
          gradients: of the loss, by weight.
          step: steps taken before, int64 [].
          learning_rate: float32 [].
        """
        gradients = clip(gradients, self._hyperparameters.clip_by, self._hyperparameters.clip_norm)
        for name, gradient in gradients.items():
            weight = self._weights[name]
            if self._hyperparameters.optimiser == "adam":
                first, second = (self.slots[slot][name] for slot in SLOTS["adam"])
                adam(weight, first, second, gradient, step, learning_rate)
            elif self._hyperparameters.optimiser == "rmsprop":
                rmsprop(weight, self.slots["mean_squares"][name], gradient, learning_rate)
            else:
                adagrad(weight, self.slots["squares"][name], gradient, learning_rate)


def clip(gradients: Mapping[str, Tensor], by: str, bound: float) -> dict[str, Tensor]:
    """Gradients that are scaled down or cut off.

    Args:
      gradients: by weight.
      by: variable_norm scales each down to the bound by its own norm; global_norm all by their joint one; value cuts every
        number off; none leaves them as they are.
      bound: above 0.
    """
    if by == "global_norm":
        clipped, _ = tf.clip_by_global_norm(list(gradients.values()), bound)
        return dict(zip(gradients, clipped, strict=True))
    if by == "variable_norm":
        return {name: tf.clip_by_norm(gradient, bound) for name, gradient in gradients.items()}
    if by == "value":
        return {name: tf.clip_by_value(gradient, -bound, bound) for name, gradient in gradients.items()}
    return dict(gradients)


def adam(
    weight: tf.Variable, first: tf.Variable, second: tf.Variable, gradient: Tensor, step: Tensor, learning_rate: Tensor
) -> None:
    """Kingma and Ba 2015."""
    taken = tf.cast(step, tf.float32) + 1.0
    tf.raw_ops.ResourceApplyAdam(
        var=weight.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=tf.pow(BETA_1, taken),
        beta2_power=tf.pow(BETA_2, taken),
        lr=learning_rate,
        beta1=BETA_1,
        beta2=BETA_2,
        epsilon=EPSILON,
        grad=gradient,
    )


def rmsprop(weight: tf.Variable, mean_square: tf.Variable, gradient: Tensor, learning_rate: Tensor) -> None:
    """Tieleman and Hinton 2012."""
    mean = mean_square.assign(RHO * mean_square + (1.0 - RHO) * gradient * gradient)
    weight.assign_sub(learning_rate * gradient / tf.sqrt(mean + EPSILON))


def adagrad(weight: tf.Variable, square: tf.Variable, gradient: Tensor, learning_rate: Tensor) -> None:
    """Duchi et al. 2011."""
    total = square.assign_add(gradient * gradient)
    weight.assign_sub(learning_rate * gradient / tf.sqrt(total + EPSILON))
