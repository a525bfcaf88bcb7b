"""What a configuration takes: how many parameters, and how long it trains."""

import dataclasses

import numpy as np

from etude.models.storage.metrics import TRAIN, read_metrics
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.comparison.configurations import ComparedConfiguration
from etude.pipelines.comparison.learning_curves import working_minutes


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a configuration takes.

    Attributes:
      num_parameters: trained weights, or counts.
      minutes: of training, the mean over its runs, evaluations included and pauses left out; None where that is unknown.
      events_per_second: the median while training, over all runs; None where that is unknown.
    """

    num_parameters: int
    minutes: float | None
    events_per_second: float | None


def cost(configuration: ComparedConfiguration) -> Cost:
    """The cost of a configuration, from what its runs kept."""
    minutes, speeds = [], []
    for run in configuration.runs:
        lines = read_metrics(RunDirectory(run.path).metrics) if run.path.is_dir() else []
        if lines:
            minutes.append(float(working_minutes(np.array([line["wall_time"] for line in lines]))[-1]))
        speeds += [
            line["events_per_second"] for line in lines if line["split"] == TRAIN and "events_per_second" in line
        ]
    return Cost(
        num_parameters=sum(weight.size for weight in configuration.runs[0].model.weights.values()),
        minutes=float(np.mean(minutes)) if minutes else None,
        events_per_second=float(np.median(speeds)) if speeds else None,
    )
