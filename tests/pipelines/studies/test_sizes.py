"""Layer sizes against a search through all of them."""

import dataclasses

import pytest

from etude.models.dataset import configure_for
from etude.models.networks.weights import initialise
from etude.models.registry import configure, make_encoding
from etude.pipelines.studies.sizes import num_parameters, with_num_parameters


def with_layers(configuration, units):
    layers = (units,) * len(configuration.hyperparameters.rnn_layer_sizes)
    hyperparameters = dataclasses.replace(configuration.hyperparameters, rnn_layer_sizes=layers)
    return dataclasses.replace(configuration, hyperparameters=hyperparameters)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("layers", [[1], [1, 1]])
@pytest.mark.parametrize("wanted", [1, 900, 2500, 4001])
def test_no_other_size_is_nearer(cell, layers, wanted, trained):
    configuration = configure("basic", {"cell": cell, "rnn_layer_sizes": layers})
    found = with_num_parameters(configuration, wanted, trained.dataset)
    every = [num_parameters(with_layers(configuration, units), trained.dataset) for units in range(1, 100)]
    distance = abs(num_parameters(found, trained.dataset) - wanted)
    assert distance == min(abs(number - wanted) for number in every)
    assert found == with_layers(configuration, found.hyperparameters.rnn_layer_sizes[0])


def test_parameters_are_those_of_the_weights(trained):
    configuration = configure("attention", {"rnn_layer_sizes": [8, 5], "attn_length": 3})
    configured = configure_for(configuration, trained.dataset)
    weights = initialise(configured.hyperparameters, make_encoding(configured), seed=0)
    assert num_parameters(configuration, trained.dataset) == sum(value.size for value in weights.values())
