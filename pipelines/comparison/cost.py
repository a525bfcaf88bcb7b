"""What a configuration takes: how many parameters, and how long it trains."""

import dataclasses
import time

import numpy as np

from etude.models.generation import GenerationOptions, generate
from etude.models.storage.metrics import TRAIN, read_metrics
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.comparison.configurations import ComparedConfiguration
from etude.pipelines.comparison.learning_curves import working_minutes

_OUTPUTS, _STEPS, _ATTEMPTS = 8, 128, 3
"""What is generated to measure the speed: sequences at once, tokens of each, and how often after the first time."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a configuration takes.

    Attributes:
      num_parameters: trained weights, or counts.
      minutes: of training, the mean over its runs, evaluations included and pauses left out; None where that is unknown.
      events_per_second: the median while training, over all runs; None where that is unknown.
      notes_per_second: that its first run generates, several sequences at once; None where that was not asked for.
    """

    num_parameters: int
    minutes: float | None
    events_per_second: float | None
    notes_per_second: float | None = None


def cost(configuration: ComparedConfiguration, tokens_per_note: float | None = None) -> Cost:
    """The cost of a configuration, from what its runs kept.

    Args:
      configuration: the configuration.
      tokens_per_note: in real music, to measure how fast it generates; None not to.
    """
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
        notes_per_second=None if tokens_per_note is None else _tokens_per_second(configuration) / tokens_per_note,
    )


def _tokens_per_second(configuration: ComparedConfiguration) -> float:
    """How many tokens a second the first run samples, the median of several times, once it has started."""
    model = configuration.runs[0].model
    speeds = []
    for attempt in range(_ATTEMPTS + 1):
        options = GenerationOptions(num_outputs=_OUTPUTS, num_steps=_STEPS, seed=attempt)
        start = time.perf_counter()
        made = generate(model, None, options)
        seconds = time.perf_counter() - start
        speeds.append(sum(len(one.tokens) - one.num_primer_tokens for one in made) / seconds)
    return float(np.median(speeds[1:]))
