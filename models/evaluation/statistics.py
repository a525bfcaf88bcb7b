"""What is added up over the predicted steps of sequences: every statistic a function, every sum under its name.

Sums are kept for each sequence, so that they can be added up in any order, resampled and compared pairwise. What figures
follow from them is in `etude.models.evaluation.figures`.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, Labels, Mask
from etude.models.evaluation.likelihood import (
    LogProbabilities,
    label_log_likelihoods,
    token_log_likelihoods,
    token_probabilities,
)
from etude.models.sequences.batch import Batch, Tokens
from etude.models.sequences.breakdown import Breakdown

Values = npt.NDArray[np.float64]

NUM_NOTES = "num_notes"
"""The attribute of a sequence that says how many notes its predicted tokens stand for, where tokens do not tell."""


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a model expected of steps 2 to n of a batch, and what came.

    Attributes:
      encoding: the model's.
      batch: the sequences.
      log_probabilities: [batch, steps - 1, num_labels], after each token but the last.
    """

    encoding: Encoding
    batch: Batch
    log_probabilities: LogProbabilities

    @property
    def tokens(self) -> Tokens:
        """The tokens that came, [batch, steps - 1]."""
        return self.batch.tokens[:, 1:]

    @functools.cached_property
    def aliases(self) -> Tokens:
        """The tokens that the aliases stood for, [batch, steps - 1, num_aliases]."""
        return self.encoding.aliases(self.batch.tokens, self.batch.attributes)[:, 1:]

    @functools.cached_property
    def labels(self) -> Labels:
        """The canonical labels, [batch, steps - 1]."""
        return self.encoding.canonical_labels(self.tokens, self.aliases)

    @functools.cached_property
    def log_likelihood(self) -> LogProbabilities:
        """Of the canonical labels, in nats, [batch, steps - 1]."""
        return label_log_likelihoods(self.log_probabilities, self.labels)

    @functools.cached_property
    def token_log_likelihood(self) -> LogProbabilities:
        """Of the tokens, over all labels that stand for them, in nats, [batch, steps - 1]."""
        return token_log_likelihoods(self.encoding, self.log_probabilities, self.tokens, self.aliases)

    @functools.cached_property
    def is_correct(self) -> Mask:
        """Where the most probable label is the canonical one, [batch, steps - 1]."""
        is_correct: Mask = self.log_probabilities.argmax(axis=-1) == self.labels
        return is_correct

    @functools.cached_property
    def is_token_correct(self) -> Mask:
        """Where the most probable token is the true one, [batch, steps - 1]."""
        most_probable = token_probabilities(self.encoding, self.log_probabilities, self.aliases).argmax(axis=-1)
        is_correct: Mask = most_probable == self.encoding.token_labels(self.tokens)
        return is_correct

    @functools.cached_property
    def label_masks(self) -> Mapping[str, Mask]:
        """The encoding's kinds of labels, [batch, steps - 1] each."""
        return {name: mask[self.labels] for name, mask in self.encoding.label_masks().items()}

    @functools.cached_property
    def token_masks(self) -> Mapping[str, Mask]:
        """The encoding's kinds of tokens, [batch, steps - 1] each."""
        return {name: mask[:, 1:] for name, mask in self.encoding.token_masks(self.batch.tokens).items()}


Statistic = Callable[[Prediction], npt.NDArray[np.generic]]
"""A number for each step, [batch, steps - 1], that is added up."""


def inverse_probability(prediction: Prediction) -> Values:
    """One over the probability of the canonical label."""
    with np.errstate(over="ignore"):
        inverse: Values = np.exp(-prediction.log_likelihood.astype(np.float64))
    return inverse


STATISTICS: Mapping[str, Statistic] = {
    "num_steps": lambda prediction: prediction.batch.is_predicted,
    "log_likelihood": lambda prediction: prediction.log_likelihood,
    "inverse_probability": inverse_probability,
    "correct": lambda prediction: prediction.is_correct,
    "token_log_likelihood": lambda prediction: prediction.token_log_likelihood,
    "token_correct": lambda prediction: prediction.is_token_correct,
}
"""The statistics of every representation. Add one, and it is summed wherever models are evaluated."""

STATISTICS_OF_LABELS: Mapping[str, Statistic] = {
    "num": lambda prediction: prediction.batch.is_predicted,
    "correct": STATISTICS["correct"],
}
"""Those that are summed once more over each kind of labels: `no_event:correct` and so on."""

STATISTICS_OF_TOKENS: Mapping[str, Statistic] = {
    "num": lambda prediction: prediction.batch.is_predicted,
    "log_likelihood": STATISTICS["token_log_likelihood"],
    "correct": STATISTICS["token_correct"],
}
"""Those that are summed once more over each kind of tokens: `note:num` and so on."""

STATISTICS_OF_CATEGORIES = ("num_steps", "token_log_likelihood", "token_correct")
"""Those that are summed over each category of a breakdown: `metre/num_steps` and so on."""


@dataclasses.dataclass(frozen=True)
class Sums:
    """Sums of sequences by name.

    Attributes:
      values: one number a sequence, [sequences]; those of a breakdown, one a category, [sequences, categories].
    """

    values: Mapping[str, Values]

    def __getitem__(self, name: str) -> Values:
        """The sums called `name`."""
        return self.values[name]

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.values["num_steps"])

    def __add__(self, other: "Sums") -> "Sums":
        """The sums of both sets of sequences."""
        return join([self, other])

    def take(self, indices: npt.NDArray[np.int64]) -> "Sums":
        """The sums of the sequences at `indices`."""
        return Sums({name: values[indices] for name, values in self.values.items()})

    def whole(self) -> dict[str, Values]:
        """The sums that are not of a breakdown, and `num_sequences`: 1 for each sequence."""
        whole = {name: values for name, values in self.values.items() if "/" not in name}
        return {**whole, "num_sequences": np.ones(len(self))}

    def of(self, breakdown: str) -> dict[str, Values]:
        """The sums of a breakdown, [sequences, categories], by the names of the statistics."""
        return {name: self.values[f"{breakdown}/{name}"] for name in STATISTICS_OF_CATEGORIES}

    def totals_by_category(self, breakdowns: Sequence[Breakdown]) -> dict[str, Values]:
        """Over all sequences: a number for each statistic and category, such as `part/num_steps/header`."""
        return {
            f"{breakdown.name}/{name}/{category}": values[:, place].sum()
            for breakdown in breakdowns
            for name, values in self.of(breakdown.name).items()
            for place, category in enumerate(breakdown.categories)
        }

    def totals(self) -> dict[str, Values]:
        """Over all sequences: a number for each name of `whole`."""
        return {name: np.asarray(values.sum()) for name, values in self.whole().items()}


def join(parts: Sequence[Sums]) -> Sums:
    """The sums of several sets of sequences as of one set."""
    return Sums({name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values})


def batch_sums(prediction: Prediction, breakdowns: Sequence[Breakdown] = ()) -> Sums:
    """The sums of every sequence of a batch."""
    is_real = prediction.batch.is_predicted
    steps = {name: statistic(prediction) for name, statistic in STATISTICS.items()}
    sums = {name: _total(values, is_real) for name, values in steps.items()}
    for masks, statistics in (
        (prediction.label_masks, STATISTICS_OF_LABELS),
        (prediction.token_masks, STATISTICS_OF_TOKENS),
    ):
        for kind, mask in masks.items():
            for name, statistic in statistics.items():
                sums[f"{kind}:{name}"] = _total(statistic(prediction), is_real & mask)
    if NUM_NOTES in prediction.batch.attributes:
        sums.setdefault("note:num", prediction.batch.attributes[NUM_NOTES].astype(np.float64))
    for breakdown in breakdowns:
        index = breakdown.index(prediction.batch)
        for name in STATISTICS_OF_CATEGORIES:
            sums[f"{breakdown.name}/{name}"] = _by_category(steps[name], index, len(breakdown.categories), is_real)
    return Sums(sums)


def _total(values: npt.NDArray[np.generic], where: Mask) -> Values:
    total: Values = np.where(where, values, 0).sum(axis=1, dtype=np.float64)
    return total


def _by_category(
    values: npt.NDArray[np.generic], index: npt.NDArray[np.int64], num_categories: int, is_real: Mask
) -> Values:
    """Sums of values [batch, steps - 1] by category: [batch, num_categories]."""
    kept = is_real & (index >= 0)
    cells = (np.arange(len(index))[:, None] * num_categories + index)[kept]
    sums = np.bincount(cells, weights=values[kept].astype(np.float64), minlength=len(index) * num_categories)
    return sums.astype(np.float64).reshape(len(index), num_categories)
