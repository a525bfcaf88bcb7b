"""Trains the models that come with Etude, `pretrained:NAME`, on three collections of tunes in the public domain.

Examples:
  python -m scripts.pretrain --work pretraining
  python -m scripts.pretrain lookback --work pretraining --output models/pretrained

Each becomes a folder of a run's configuration, its best weights in half precision, and a card with the figures of those very
weights on tunes that were held out. What is finished in the work folder is not trained again; the same command on the same
versions gives the same weights, to the rounding of another number of cores.
"""

import argparse
import pathlib
import subprocess
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from etude.models import pretrained
from etude.models.dataset import read_description
from etude.models.model import load
from etude.models.registry import configure, family
from etude.models.storage.checkpoint import save_arrays
from etude.models.storage.dataset_pb2 import DatasetDescription
from etude.models.storage.run_directory import RunDirectory
from etude.models.trained import read_trained
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.evaluation.evaluate import evaluate_model
from etude.pipelines.sequences.split_rule import TRAIN
from etude.pipelines.studies.training import TrainingRun, train_runs

CORPORA = ("ryansMammoth", "oneills1850", "airdsAirs")
SOURCES = {
    "ryansMammoth": "Ryan's Mammoth Collection, Boston 1883",
    "oneills1850": "O'Neill's Music of Ireland, Chicago 1903",
    "airdsAirs": "Aird's Selection of Scotch, English, Irish and Foreign Airs, Glasgow 1782 to 1801",
}
MAX_BYTES = 1 << 20


class Recipe(NamedTuple):
    """How a family is trained."""

    num_steps: int
    hyperparameters: Mapping[str, Any]


SHARED = {"batch_size": 16, "dropout_keep_prob": 0.8, "learning_rate": 0.004, "learning_rate_decay": 0.004}
RECIPES = {name: Recipe(600, SHARED) for name in ("lookback", "basic", "mono")}
# At the others' rate its memory hardly learns.
RECIPES["attention"] = Recipe(900, {**SHARED, "learning_rate": 0.0015, "learning_rate_decay": 0.002})
SEED, EVAL_EVERY = 0, 100


def main() -> None:
    """Trains, and writes the folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(RECIPES)} (default: all)")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for dataset and runs")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(pretrained.__file__).parent, help="default: the package's"
    )
    options = parser.parse_args()
    if unknown := set(options.families) - set(RECIPES):
        parser.error(f"there are recipes of {', '.join(RECIPES)}, none of {', '.join(sorted(unknown))}")
    dataset = options.work / "dataset"
    convert([f"corpus:{name}" for name in CORPORA], options.work / "notes")
    create_dataset([options.work / "notes"], dataset, eval_ratio=0.05, test_ratio=0.05)
    for name in options.families or RECIPES:
        print(f"training {name}", flush=True)
        run = train_one(name, dataset, options.work / name)
        print(f"wrote {publish(name, run, dataset, options.output / name)}", flush=True)


def train_one(name: str, dataset: pathlib.Path, folder: pathlib.Path) -> RunDirectory:
    """The finished run of a family."""
    recipe = RECIPES[name]
    run = TrainingRun(
        name=name,
        configuration=configure(name, dict(recipe.hyperparameters)),
        dataset=dataset,
        run_dir=folder,
        seed=SEED,
        num_steps=recipe.num_steps,
        minutes=0,
        eval_every=EVAL_EVERY,
        early_stopping=0,
    )
    train_runs([run], 1, {name: lambda done, total, note="": None}, lambda name: None)
    return RunDirectory(folder)


def publish(name: str, run: RunDirectory, dataset: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Writes what comes with Etude of a run; the figures of its card are those of the weights as they are stored."""
    trained = read_trained(run.path)
    description = run.read()
    description.dataset.path = ", ".join(f"corpus:{corpus}" for corpus in CORPORA)
    target = RunDirectory(folder)
    target.checkpoints.mkdir(parents=True, exist_ok=True)
    target.write(description)
    weights = {f"weights/{key}": weight.astype(np.float16) for key, weight in trained.weights.items()}
    save_arrays(target.best, {**weights, "step": np.array(trained.step, np.int64)})
    size = target.best.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{target.best} has {size:,} bytes, at most {MAX_BYTES:,}: make its layers smaller")
    described = read_description(dataset)
    held_out = [split.name for split in described.splits if split.name != TRAIN]
    figures = {split: evaluate_model(load(folder), dataset, split) for split in held_out}
    (folder / "README.md").write_text(card(name, run, described, figures, size))
    return folder


def card(
    name: str, run: RunDirectory, dataset: DatasetDescription, figures: Mapping[str, Mapping[str, Any]], size: int
) -> str:
    """The model card."""
    recipe, made = RECIPES[name], run.read()
    melodies = ", ".join(f"{split.name} {split.num_melodies:,} melodies" for split in dataset.splits)
    rows = [
        f"| {split} | {found['num_melodies']:,} | {found['event']['loss']:.4f} | {found['event']['perplexity']:.3f} | "
        f"{found['event']['accuracy']:.4f} | {found['event']['bits_per_note']:.3f} |"
        for split, found in figures.items()
    ]
    hyperparameters = ", ".join(f"`{key}={value}`" for key, value in recipe.hyperparameters.items())
    sources = "\n".join(f"- {title} (`corpus:{corpus}` of music21)" for corpus, title in SOURCES.items())
    return f"""# pretrained:{name}

{family(name).title}: {family(name).summary[0].lower()}{family(name).summary[1:]} It writes fiddle tunes.

```sh
etude generate {pretrained.PREFIX}{name} --output melodies
```

## Data

{sources}

The tunes are in the public domain; volunteers typed them as ABC for the collections that the music21 package carries.
Pickups keep their place in the bar. {melodies}: train teaches,
eval chooses the checkpoint, test does neither; copies of a tune, in whatever key, are on one side.

## Figures

Of the weights as they are stored, in half precision; dropout off, every melody once.

| split | melodies | event loss (nats) | perplexity | accuracy | bits a note |
|---|---|---|---|---|---|
{chr(10).join(rows)}

## Training

`python -m scripts.pretrain {name} --work FOLDER` at commit {commit()}, seed {SEED}; {recipe.num_steps:,} steps,
best at step {read_trained(run.path).step:,}. {hyperparameters}, else the defaults of the family.
Versions: TensorFlow {made.versions.tensorflow}, NumPy {made.versions.numpy}, Python {made.versions.python}.
Fingerprint of the dataset `{dataset.fingerprint}`, of the pieces `{dataset.pieces_fingerprint}`.

## What it is not

It knows dance tunes of Ireland, Scotland and New England in sixteenths, one note at a time, and nothing else; it may repeat
bars of tunes that it was trained on (`generated.jsonl` counts shared runs where the dataset is there). The licence of the
weights ({size:,} bytes) is that of Etude, Apache 2.0.
"""


def commit() -> str:
    """Of this checkout; with a plus where it has changes."""
    words = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
