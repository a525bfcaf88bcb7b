"""Trains one configuration on a dataset, and resumes if the run directory has a checkpoint.

examples:
  etude train --config lookback --dataset dataset --run-dir runs/lookback
  etude train --config basic --dataset dataset --run-dir runs/small --num-steps 500 \\
      --hparams "batch_size=64,rnn_layer_sizes=[64,64]"
  etude train --config basic --dataset dataset --run-dir runs/gru --num-epochs 20 \\
      --hparams "cell=gru,batches=stream,chunk_steps=50,batch_size=16,optimiser=rmsprop,clip_by=global_norm"
  etude train --list-hparams basic
  tensorboard --logdir runs

The run directory keeps the full configuration, checkpoints (the latest, and the best on the eval split), the figures as
metrics.jsonl, and the same for TensorBoard. Killed at any moment, the same command goes on and ends with the same weights.
"""

import argparse
import pathlib
from typing import TYPE_CHECKING

from etude.commands.common import MODEL_HELP, add_dataset, command, unused_folder
from etude.commands.estimate import Estimate
from etude.commands.list_hyperparameters import ListHyperparameters
from etude.commands.output_folder import check_output
from etude.console import Console

if TYPE_CHECKING:
    from etude.models.configuration import Configuration

INTERRUPTED = "the same command goes on from the last checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--config",
        required=True,
        metavar="NAME",
        help="basic, lookback, attention, mono or ngram; or MODULE:NAME of another package",
    )
    add_dataset(parser)
    parser.add_argument("--run-dir", required=True, metavar="RUN", help="folder of the run; made if need be")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--num-steps", type=int, default=1000, help="training steps in all (default 1000)")
    length.add_argument("--num-epochs", type=int, default=0, help="instead: times that the train split is seen")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and dropout (default 0)")
    parser.add_argument(
        "--hparams",
        default="",
        metavar="NAME=VALUE,...",
        help='overrides, such as "batch_size=64,rnn_layer_sizes=[64,64]"; --list-hparams tells all of them',
    )
    parser.add_argument(
        "--list-hparams", action=ListHyperparameters, metavar="NAME",
        help="list the hyperparameters of a configuration, their defaults and meanings, and end",
    )  # fmt: skip
    parser.add_argument(
        "--eval-every", type=int, default=100, metavar="STEPS",
        help="steps between evaluations (default 100); 0 evaluates once an epoch",
    )  # fmt: skip
    parser.add_argument(
        "--early-stopping", type=int, default=0, metavar="N",
        help="stop after N evaluations without a lower event loss on the eval split (default: never)",
    )  # fmt: skip
    parser.add_argument("--init-from", metavar="MODEL", help=f"start from the weights of a {MODEL_HELP}")
    parser.add_argument(
        "--kernels",
        choices=("compiled", "keras"),
        default="compiled",
        help="what layers run on without a GPU; both compute the same (default compiled)",
    )
    parser.add_argument("--min-note", type=int, help="lowest pitch of the model's range (default 48; mono: 0)")
    parser.add_argument("--max-note", type=int, help="the pitch above the highest of the range (default 84; mono: 128)")


def run(options: argparse.Namespace, console: Console) -> None:
    """Trains."""
    from etude.models.dataset import configure_for
    from etude.models.evaluation.figures import token_figures
    from etude.models.hyperparameters import changed, parse_overrides
    from etude.models.registry import configure, family, make_domain, make_encoding, typed_family
    from etude.models.training.schedule import Schedule
    from etude.models.training.threads import use_as_many_threads_as_pay
    from etude.models.training.train import train
    from etude.pipelines.files.dataset_folder import open_folder

    fields = {name: value for name in ("min_note", "max_note") if (value := getattr(options, name)) is not None}
    # What was typed is checked before what it names is opened.
    configuration = configure(typed_family(options.config).name, parse_overrides(options.hparams), **fields)
    schedule = Schedule(options.num_steps, options.seed, options.eval_every, options.early_stopping, options.num_epochs)
    dataset = open_folder(options.dataset)
    configuration = configure_for(configuration, dataset)
    changes = changed(configuration.hyperparameters, family(configuration.config).defaults.hyperparameters)
    others = ", ".join(f"{name}={text}" for name, text in changes.items()) + ", else " if changes else ""
    console.say(
        f"{configuration.config}: {_reads(configuration)}, seed {schedule.seed}, "
        f"{f'{schedule.num_epochs:,} epochs' if schedule.num_epochs else f'{schedule.num_steps:,} training steps'}\n"
        f"  hyperparameters: {others}the defaults of the configuration; --list-hparams {options.config} lists them"
    )
    run_dir = pathlib.Path(options.run_dir)
    check_output(run_dir, "run")
    use_as_many_threads_as_pay(configuration)
    with console.progress(f"training {configuration.config}") as progress:
        result = train(
            configuration,
            dataset,
            run_dir,
            schedule,
            options.init_from or "",
            progress=Estimate(progress, console.say),
            say=console.say,
            kernels=options.kernels,
        )
    label, unit = result.best["label"], make_encoding(configuration).unit
    loss = token_figures(result.best)["loss"]
    ended = f"stopped early at step {result.step:,}" if result.stopped_early else f"{result.step:,} steps done"
    things = make_domain(configuration).plural.replace(" ", "-")
    console.say(
        f"{ended}; best on the eval split at step {result.best['step']:,}: loss {label['loss']:.4f}, "
        f"perplexity {label['perplexity']:.3f}, accuracy {label['accuracy']:.4f}, {unit} loss {loss:.4f}\n"
        f"next: {command('generate', run_dir, '--output', unused_folder(things))}"
    )


def _reads(configuration: "Configuration") -> str:
    """What a configuration reads, in words."""
    from etude.models.registry import make_domain
    from etude.models.sequences.domain import MELODIC

    if configuration.representation not in MELODIC:
        return make_domain(configuration).name
    key = "kept" if configuration.transpose_to_key is None else configuration.transpose_to_key
    return (
        f"pitches [{configuration.min_note}, {configuration.max_note}), key {key}, "
        f"{configuration.steps_per_quarter} steps a quarter note"
    )
