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


def event_log_likelihoods(
    encoding: Encoding, log_probabilities: LogProbabilities, events: Events, repeats: Events
) -> LogProbabilities:
    """The log-probability of each event, over all labels that stand for it.

    Args:
      encoding: says which labels stand for what.
      log_probabilities: [..., num_labels].
      events: the true events, [...].
      repeats: the event that each repeat label stands for, [..., num_repeats].

    Returns:
      [...].
    """
    result = label_log_likelihoods(log_probabilities, encoding.event_labels(events))
    for index in range(encoding.num_repeats):
        through_repeat = np.logaddexp(result, log_probabilities[..., encoding.num_events + index])
        result = np.where(repeats[..., index] == events, through_repeat, result)
    return result


def event_probabilities(
    encoding: Encoding, log_probabilities: LogProbabilities, repeats: Events
) -> npt.NDArray[np.float32]:
    """The probability of every event, in the order of the event labels: [..., num_events].

    Args:
      encoding: says which labels stand for what.
      log_probabilities: [..., num_labels].
      repeats: [..., num_repeats].
    """
    probabilities = np.exp(log_probabilities)
    result = probabilities[..., : encoding.num_events].copy()
    flat = result.reshape(-1, encoding.num_events)
    rows = np.arange(len(flat))
    for index in range(encoding.num_repeats):
        labels = encoding.event_labels(repeats[..., index]).ravel()
        flat[rows, labels] += probabilities[..., encoding.num_events + index].ravel()
    return flat.reshape(result.shape)
