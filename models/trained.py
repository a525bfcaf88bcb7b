"""Trained weights, wherever they are kept: run directories, Magenta's bundles and checkpoints."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from etude.models.configuration import Configuration
from etude.models.errors import EtudeError
from etude.models.magenta.load import is_checkpoint, load_bundle, load_checkpoint
from etude.models.networks.weights import Weights
from etude.models.storage.checkpoint import load_arrays
from etude.models.storage.run_directory import BEST, RunDirectory, weight_shapes


class Trained(NamedTuple):
    """What training left.

    Attributes:
      configuration: what was trained.
      weights: as `etude.models.networks.weights.shapes` names them.
      step: the training step of the weights.
      training_fingerprint: of the dataset; empty if unknown.
    """

    configuration: Configuration
    weights: Weights
    step: int
    training_fingerprint: str = ""


def read_trained(
    path: pathlib.Path, checkpoint: str = BEST, config: str = "", overrides: Mapping[str, Any] | None = None
) -> Trained:
    """Reads trained weights.

    Args:
      path: a run directory, a Magenta bundle (.mag), or the prefix of a checkpoint that Magenta's training wrote.
      checkpoint: of a run directory: "best" on the eval split, "latest", or the number of a step.
      config: of a Magenta checkpoint: its family.
      overrides: of a Magenta checkpoint: hyperparameters that differ from the family's defaults.

    Raises:
      EtudeError: if there is nothing or no such checkpoint, or it is damaged, holds what is no number, or does not fit its
        configuration.
    """
    trained = _read(path, checkpoint, config, overrides or {})
    for name, weight in trained.weights.items():
        if not np.isfinite(weight).all():
            raise EtudeError(
                f"{path}: its weights {name} hold numbers that are none (NaN or infinite), so nothing can be computed; "
                "use another checkpoint, or train again"
            )
    return trained


def _read(path: pathlib.Path, checkpoint: str, config: str, overrides: Mapping[str, Any]) -> Trained:
    if path.suffix == ".mag":
        return Trained(*load_bundle(path))
    if is_checkpoint(path):
        return Trained(*load_checkpoint(path, config, overrides))
    run = RunDirectory(path)
    configuration = run.configuration()
    arrays = load_arrays(run.weights_file(checkpoint), {**weight_shapes(configuration), "step": ()})
    weights = {
        name.removeprefix("weights/"): array.astype(np.float32)
        for name, array in arrays.items()
        if name.startswith("weights/")
    }
    return Trained(configuration, weights, int(arrays["step"]), run.read().dataset.fingerprint)
