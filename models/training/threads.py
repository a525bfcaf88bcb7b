"""How many threads TensorFlow takes."""

from etude.models.configuration import Configuration
from etude.models.registry import family


def use_as_many_threads_as_pay(configuration: Configuration) -> None:
    """Sets TensorFlow's threads for the training of one model; to be called before anything else of TensorFlow.

    One row of a batch is taken on one processor. Threads that hand its many small operations to each other would only take
    half as long again. Whoever trains other models in the same process does not call this.

    Raises:
      RuntimeError: if TensorFlow has begun to run.
    """
    if family(configuration.config).counting is not None or configuration.hyperparameters.batch_size > 1:
        return
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
