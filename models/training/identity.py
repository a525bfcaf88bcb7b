"""What a run is: stored beside its checkpoints, and checked before it resumes."""

import dataclasses
import platform
from importlib import metadata
from typing import Any

import numpy as np

from etude.models.configuration import Configuration
from etude.models.dataset import AnyFolder, read_description
from etude.models.errors import EtudeError
from etude.models.storage import run_pb2
from etude.models.storage.files import remove_partial_files
from etude.models.storage.run_directory import RunDirectory, from_proto, to_proto
from etude.models.training.schedule import Schedule

_MOST_SHOWN = 32
"""Items of a list that a message holds."""


def describe_run(configuration: Configuration, dataset: AnyFolder, schedule: Schedule) -> run_pb2.Run:
    """What is stored of a run beside its checkpoints."""
    return run_pb2.Run(
        configuration=to_proto(configuration),
        seed=schedule.seed,
        num_steps=schedule.num_steps,
        eval_every=schedule.eval_every,
        early_stopping=schedule.early_stopping,
        dataset=run_pb2.Run.Dataset(path=str(dataset), fingerprint=read_description(dataset).fingerprint),
        versions=run_pb2.Versions(
            etude=metadata.version("etude"),
            python=platform.python_version(),
            tensorflow=metadata.version("tensorflow"),
            numpy=np.__version__,
        ),
    )


def claim_run(run: RunDirectory, description: run_pb2.Run) -> None:
    """Stores what the run is, or checks that the directory holds the same one.

    Only its length, and how often it is evaluated, may change when it resumes.

    Raises:
      EtudeError: if the directory holds another run; the message names what differs.
    """
    if not run.config.is_file():
        run.write(description)
    stored = run.read()
    before, now = _identity(stored), _identity(description)
    differences = [
        f"{name}={_shown(before[name])} instead of {_shown(now[name])}" for name in now if before[name] != now[name]
    ]
    if differences:
        raise EtudeError(
            f"{run.path} holds another run: it has {', '.join(differences)}; "
            "use another --run-dir, or the options of that run"
        )
    run.write(description)
    remove_partial_files(run.path)
    remove_partial_files(run.checkpoints)


def _shown(value: Any) -> str:
    """A value in a message: a vocabulary by its length."""
    return f"{len(value)} symbols" if isinstance(value, tuple) and len(value) > _MOST_SHOWN else str(value)


def _identity(run: run_pb2.Run) -> dict[str, Any]:
    """What makes two runs the same: all but their length and the versions."""
    configuration = dataclasses.asdict(from_proto(run.configuration))
    hyperparameters = configuration.pop("hyperparameters")
    others = {
        "seed": run.seed,
        "initial_model": run.initial_model,
        "dataset fingerprint": run.dataset.fingerprint,
    }
    return {**configuration, **hyperparameters, **others}
