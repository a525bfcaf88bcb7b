"""Layer sizes that give two networks the same number of parameters."""

import dataclasses

import numpy as np

from etude.models.configuration import Configuration
from etude.models.dataset import AnyFolder, configure_for
from etude.models.hyperparameters import MAX_UNITS
from etude.models.networks.weights import shapes
from etude.models.registry import make_encoding


def num_parameters(configuration: Configuration, dataset: AnyFolder) -> int:
    """Weights of a network that is trained on a dataset, whose vocabulary sets the sizes at its ends."""
    configured = configure_for(configuration, dataset)
    sizes = shapes(configured.hyperparameters, make_encoding(configured))
    return sum(int(np.prod(shape)) for shape in sizes.values())


def with_num_parameters(configuration: Configuration, wanted: int, dataset: AnyFolder) -> Configuration:
    """A configuration whose layers have the size that gives it a number of parameters most nearly.

    Args:
      configuration: whose layers all get the same size.
      wanted: the number of parameters.
      dataset: that it is trained on.
    """

    def sized(units: int) -> Configuration:
        layers = (units,) * len(configuration.hyperparameters.rnn_layer_sizes)
        hyperparameters = dataclasses.replace(configuration.hyperparameters, rnn_layer_sizes=layers)
        return dataclasses.replace(configuration, hyperparameters=hyperparameters)

    low, high = 1, MAX_UNITS
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if num_parameters(sized(middle), dataset) < wanted else (low, middle)
    return min(
        (sized(units) for units in (max(low - 1, 1), low)),
        key=lambda one: abs(num_parameters(one, dataset) - wanted),
    )
