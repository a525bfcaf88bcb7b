"""Trained weights, wherever they are kept: run directories, Magenta's bundles and checkpoints."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from etude.models import pretrained
from etude.models.configuration import Configuration
from etude.models.errors import EtudeError
from etude.models.family import Arrays, Counting
from etude.models.magenta.load import is_checkpoint, load_bundle, load_checkpoint
from etude.models.registry import family, make_encoding
from etude.models.storage.checkpoint import load_arrays
from etude.models.storage.run_directory import BEST, RunDirectory, weight_shapes


class Trained(NamedTuple):
    """What training left.

    Attributes:
      configuration: what was trained.
      weights: as `etude.models.networks.weights.shapes` names them; of a counted model, its counts.
      step: the training step of the weights.
      training_fingerprint: of the dataset; empty if unknown.
    """

    configuration: Configuration
    weights: Arrays
    step: int
    training_fingerprint: str = ""


def read_trained(
    path: pathlib.Path, checkpoint: str = BEST, config: str = "", overrides: Mapping[str, Any] | None = None
) -> Trained:
    """Reads trained weights.

    Args:
      path: a run directory, a Magenta bundle (.mag), `pretrained:NAME`, or the prefix of a checkpoint that Magenta's
        training wrote.
      checkpoint: of a run directory: "best" on the eval split, "latest", or the number of a step.
      config: of a Magenta checkpoint: its family.
      overrides: of a Magenta checkpoint: hyperparameters that differ from the family's defaults.

    Raises:
      EtudeError: if there is nothing or no such checkpoint, or it is damaged, holds what is no number, or does not fit its
        configuration.
    """
    trained = _read(pretrained.located(path), checkpoint, config, overrides or {})
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
    file, fingerprint = run.weights_file(checkpoint), run.read().dataset.fingerprint
    counting = family(configuration.config).counting
    if counting is not None:
        return Trained(configuration, read_counts(file, configuration, counting), 1, fingerprint)
    arrays = load_arrays(file, {**weight_shapes(configuration), "step": ()})
    weights = {
        name.removeprefix("weights/"): array.astype(np.float32)
        for name, array in arrays.items()
        if name.startswith("weights/")
    }
    return Trained(configuration, weights, int(arrays["step"]), fingerprint)


def read_counts(file: pathlib.Path, configuration: Configuration, counting: Counting) -> Arrays:
    """The arrays of a counted model: first those that tell the shapes of the others, then these.

    Raises:
      EtudeError: if the file is missing or damaged, or does not fit its configuration.
    """
    first = load_arrays(file, counting.first_shapes(configuration))
    try:
        shapes = counting.other_shapes(first)
        arrays = {**first, **load_arrays(file, shapes)}
        counting.make_network(configuration, make_encoding(configuration), arrays)
    except ValueError as error:
        raise EtudeError(f"checkpoint {file} cannot be read: {error}; train again") from error
    return arrays
