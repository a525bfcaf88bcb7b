"""Log-likelihoods of labels and of events, from a model's log-probabilities.

Several labels can stand for one event (see `etude.models.encodings.encoding`). The probability of an event is therefore the
sum over all labels that stand for it at that step; the label likelihood counts the canonical label alone, as Magenta does.
"""

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, Labels
from etude.models.melodies.melody import Events

LogProbabilities = npt.NDArray[np.float32]


def label_log_likelihoods(log_probabilities: LogProbabilities, labels: Labels) -> LogProbabilities:
    """The log-probability of each label: [...] from [..., num_labels] and [...]."""
    return np.take_along_axis(log_probabilities, labels[..., None], axis=-1)[..., 0]


def token_log_likelihoods(
    encoding: Encoding, log_probabilities: LogProbabilities, events: Events, aliases: Events
) -> LogProbabilities:
    """The log-probability of each event, over all labels that stand for it.

    Args:
      encoding: says which labels stand for what.
      log_probabilities: [..., num_labels].
      events: the true events, [...].
      aliases: the event that each repeat label stands for, [..., num_aliases].

    Returns:
      [...].
    """
    result = label_log_likelihoods(log_probabilities, encoding.token_labels(events))
    for index in range(encoding.num_aliases):
        through_alias = np.logaddexp(result, log_probabilities[..., encoding.num_tokens + index])
        result = np.where(aliases[..., index] == events, through_alias, result)
    return result


def token_probabilities(
    encoding: Encoding, log_probabilities: LogProbabilities, aliases: Events
) -> npt.NDArray[np.float32]:
    """The probability of every event, in the order of the event labels: [..., num_tokens].

    Args:
      encoding: says which labels stand for what.
      log_probabilities: [..., num_labels].
      aliases: [..., num_aliases].
    """
    probabilities = np.exp(log_probabilities)
    result = probabilities[..., : encoding.num_tokens].copy()
    flat = result.reshape(-1, encoding.num_tokens)
    rows = np.arange(len(flat))
    for index in range(encoding.num_aliases):
        labels = encoding.token_labels(aliases[..., index]).ravel()
        flat[rows, labels] += probabilities[..., encoding.num_tokens + index].ravel()
    return flat.reshape(result.shape)
