"""The sums of a model over sequences, whole and by the categories of its domain."""

from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.sequences.sequence_set import SequenceSet


def totals_of(
    model: Model, sequences: SequenceSet, progress: Progress = silent, compiled: bool = True
) -> dict[str, float]:
    """The totals of `Sums` by name, and those of each category, such as `part/num_steps/header`.

    Args:
      model: the model.
      sequences: as the model knows them.
      progress: called after every batch.
      compiled: whether in compiled code, where it can be had; equal to NumPy's within rounding.
    """
    breakdowns = model.domain.breakdowns(sequences)
    sums = model.evaluate(sequences, squash=False, progress=progress, breakdowns=breakdowns, compiled=compiled)
    totals = {**sums.totals(), **sums.totals_by_category(breakdowns)}
    return {name: float(total) for name, total in totals.items()}
