"""The learning rate of a training step."""

from etude.models.hyperparameters import Hyperparameters


def learning_rate(hyperparameters: Hyperparameters, step: int, steps_per_epoch: int) -> float:
    """The rate of a step, from 0: `learning_rate`, lowered by the step and by the epoch.

    It is divided by 1 + `learning_rate_decay` x step, and multiplied with `learning_rate_epoch_factor` once for every whole
    epoch after the first `learning_rate_epochs`.
    """
    epochs = max(0, step // steps_per_epoch - hyperparameters.learning_rate_epochs)
    slowed = hyperparameters.learning_rate / (1 + hyperparameters.learning_rate_decay * step)
    return slowed * hyperparameters.learning_rate_epoch_factor**epochs
