"""Trains models that are counted: one pass over the training sequences, one evaluation, one checkpoint."""

from etude.models.configuration import Configuration
from etude.models.evaluation.evaluation import evaluate
from etude.models.evaluation.figures import report
from etude.models.family import Counting
from etude.models.networks.network import log_softmax
from etude.models.registry import make_encoding
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage.checkpoint import save_arrays
from etude.models.storage.metrics import EVAL, MetricsLog
from etude.models.storage.run_directory import RunDirectory
from etude.models.storage.tensorboard_events import shown_hyperparameters
from etude.models.trained import read_counts
from etude.models.training.result import Result

STEP = 1
"""Counting is one step."""


def count_model(
    run: RunDirectory,
    configuration: Configuration,
    counting: Counting,
    train_set: SequenceSet,
    eval_set: SequenceSet,
    seed: int,
) -> Result:
    """Counts a model, evaluates and stores it; of one that is stored already, only what is missing.

    Args:
      run: where it is stored.
      configuration: the model.
      counting: how its family counts.
      train_set: the training sequences, as the model reads them.
      eval_set: those that it is evaluated on.
      seed: shown beside its hyperparameters; it has no effect.
    """
    encoding = make_encoding(configuration)
    file = run.checkpoint(STEP)
    if not file.is_file():
        save_arrays(file, counting.count(configuration, encoding, train_set))
    network = counting.make_network(configuration, encoding, read_counts(file, configuration, counting))
    log = MetricsLog(run.metrics, STEP, shown_hyperparameters(configuration, seed))
    try:
        if not log.evaluations():
            sums = evaluate(
                encoding,
                eval_set,
                lambda batch: log_softmax(network.logits(encoding.inputs(batch.tokens[:, :-1], batch.attributes))),
            )
            found = report(sums.totals(), encoding.unit)
            log.write(EVAL, STEP, {name: value for name, value in found.items() if not name.startswith("num_")})
        (best,) = log.evaluations()
    finally:
        log.close()
    return Result(STEP, best, stopped_early=False)
