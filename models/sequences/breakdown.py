"""Ways to divide the predicted steps of sequences into categories."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from etude.models.sequences.batch import Batch


@dataclasses.dataclass(frozen=True)
class Breakdown:
    """A division of the predicted steps of sequences into categories.

    Attributes:
      name: in results.
      title: in words.
      categories: in order.
      index: the category of each predicted step of a batch, [batch, steps - 1]; -1 for none.
    """

    name: str
    title: str
    categories: tuple[str, ...]
    index: Callable[[Batch], npt.NDArray[np.int64]]
