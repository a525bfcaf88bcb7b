"""Which tokens of a tune are paid for, where all representations are told its metre, its key and its first pitch."""

import numpy as np
import numpy.typing as npt

from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import Domain

SPAN = "tune"
"""The name of the division."""

GIVEN, NOTES, END = range(3)
"""The places of its parts."""


def span_breakdown(domain: Domain) -> Breakdown:
    """The division of a tune's tokens into what is given, its notes up to where the last begins, and the rest.

    Args:
      domain: of the tunes; what is none has all its tokens given.
    """

    def index(batch: Batch) -> npt.NDArray[np.int64]:
        parts = np.full((len(batch.lengths), max(batch.tokens.shape[1] - 1, 0)), GIVEN, np.int64)
        for row, length in enumerate(batch.lengths.tolist()):
            attributes = {name: int(values[row]) for name, values in batch.attributes.items() if values.ndim == 1}
            span = domain.tune_span(batch.tokens[row, :length], attributes)
            if span is not None:
                # The first token is predicted by none.
                parts[row, span.first - 1 :] = NOTES
                parts[row, span.last - 1 :] = END
        return parts

    return Breakdown(SPAN, "Parts of a tune", ("given", "notes", "end"), index)
