"""What the units of the compared networks follow."""

from collections.abc import Mapping, Sequence

import numpy as np

from etude.models.inspection.following import Following
from etude.models.networks.network import Network
from etude.pipelines.comparison.measurements import DomainMeasurement
from etude.pipelines.evaluation.inspect import inspect

PIECES = 20
SHUFFLES = 39
"""Fewer than `etude inspect` takes: a report only points at what there is to see."""


def clear_followers(measurements: Sequence[DomainMeasurement]) -> Mapping[str, Sequence[Following]]:
    """By name of the configuration, the features that a unit of its first run follows more than by chance.

    Counted models have no units, and domains that know nothing of their music have nothing to follow: they are left out.
    """
    found: dict[str, Sequence[Following]] = {}
    for measurement in measurements:
        num_pieces = len(measurement.sequences)
        chosen = np.sort(np.random.default_rng(0).permutation(num_pieces)[:PIECES])
        pieces = measurement.sequences.select(chosen)
        for member in measurement.configurations:
            model = member.configuration.runs[0].model
            if isinstance(model.network, Network):
                ranked = inspect(model, pieces, SHUFFLES, shown=0).following
                clear = [one for one in ranked if one.is_clear]
                if clear:
                    found[member.configuration.name] = clear
    return found
