"""What it is worth to a model that bars are where they were written: event losses with pickups kept and as written.

Example:
  python -m scripts.bench.pickups --output pickups

Converts and trains every family with every seed both ways. The sequences differ by the rest that comes first, so compared is
what both have: the music after the first note, of tunes of the eval split whose music is the same both ways (no rest was put
within it), as far as the shorter of the two goes on: whatever says when the first note comes costs neither of them anything.
Per step and per note, with intervals of a bootstrap that draws tunes and seeds: two runs differ by more than their bars. The
learning rate falls, so that they differ less. A run that is finished is not trained again.
"""

import argparse
import functools
import json
import pathlib
import sys

import numpy as np
import numpy.typing as npt

from etude.models.dataset import read_for_model
from etude.models.evaluation.evaluation import evaluate
from etude.models.melodies.extraction import ExtractionOptions
from etude.models.melodies.melody import MIN_PITCH
from etude.models.melodies.pickups import AS_WRITTEN, REST
from etude.models.model import Model, load
from etude.models.registry import configure
from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage.run_directory import RunDirectory
from etude.models.training.schedule import Schedule
from etude.pipelines.comparison.statistics.bootstrap import interval, resampled_sums, resampled_weights
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset

FAMILIES = ("basic", "lookback", "attention", "mono")
WAYS = (AS_WRITTEN, REST)
LEAST_LEFT = 32
"""Events of the longest melodies that are not compared at their ends: where one is cut, the other one may be longer."""

Costs = npt.NDArray[np.float64]


def main() -> None:
    """Trains, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, type=pathlib.Path, help="folder of datasets and runs")
    parser.add_argument("--source", default="corpus:ryansMammoth", help="music (default corpus:ryansMammoth)")
    parser.add_argument("--families", nargs="+", default=FAMILIES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--num-steps", type=int, default=300, help="training steps (default 300)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-steps", type=int, default=256, help="of melodies, which are cut there (default 256)")
    parser.add_argument("--units", nargs="+", type=int, default=[64, 64])
    parser.add_argument("--learning-rate", type=float, default=0.005)
    parser.add_argument("--learning-rate-decay", type=float, default=0.02)
    options = parser.parse_args()
    for way in WAYS:
        convert([options.source], options.output / f"notes-{way}", pickups=way)
        extraction = ExtractionOptions(max_steps=options.max_steps)
        create_dataset([options.output / f"notes-{way}"], options.output / f"dataset-{way}", extraction=extraction)
    results = {}
    for seed in options.seeds:
        for family in options.families:
            for way in WAYS:
                train_one(options, family, seed, way)
    for family in options.families:
        results[family] = compare(options.output, family, options.seeds, options.max_steps - LEAST_LEFT)
        print(f"{family}: {json.dumps(results[family])}", flush=True)
    (options.output / "results.json").write_text(json.dumps({"command": sys.argv[1:], "families": results}, indent=1))


def train_one(options: argparse.Namespace, family: str, seed: int, way: str) -> None:
    """Trains a family on the dataset of one way, if that is not done."""
    run = run_dir(options.output, family, seed, way)
    if options.num_steps in RunDirectory(run).steps():
        return
    from etude.models.training.train import train

    overrides = {
        "batch_size": options.batch_size,
        "rnn_layer_sizes": options.units,
        "learning_rate": options.learning_rate,
        "learning_rate_decay": options.learning_rate_decay,
        "dropout_keep_prob": 0.8,
    }
    schedule = Schedule(options.num_steps, seed, eval_every=100)
    train(configure(family, overrides), options.output / f"dataset-{way}", run, schedule)
    print(f"trained {family}, seed {seed}, {way}", flush=True)


def run_dir(output: pathlib.Path, family: str, seed: int, way: str) -> pathlib.Path:
    """Where a run is kept."""
    return output / f"{family}-{seed}-{way}"


def compare(output: pathlib.Path, family: str, seeds: list[int], num_events: int) -> dict[str, object]:
    """What a family costs both ways, and the difference."""
    costs: dict[str, list[Costs]] = {way: [] for way in WAYS}
    for seed in seeds:
        models = {way: load(run_dir(output, family, seed, way)) for way in WAYS}
        sets = {
            way: read_for_model(output / f"dataset-{way}", "eval", model.configuration) for way, model in models.items()
        }
        pairs = same_music(sets[AS_WRITTEN], sets[REST], num_events)
        for place, way in enumerate(WAYS):
            costs[way].append(music_costs(models[way], sets[way].select(pairs[:, place]), num_events))
    first = costs[REST][0]
    num_steps, num_notes = first[:, 1], first[:, 2]
    means = {way: np.mean([one[:, 0] for one in costs[way]], axis=0) for way in WAYS}
    gains = [written[:, 0] - rest[:, 0] for written, rest in zip(costs[AS_WRITTEN], costs[REST], strict=True)]
    sums = resampled_sums(np.stack([*gains, num_steps, num_notes], axis=1))
    resampled = (sums[:, : len(seeds)] * resampled_weights(len(seeds), stream=0)).sum(axis=1)
    totals = {way: float(mean.sum()) for way, mean in means.items()}
    gain = totals[AS_WRITTEN] - totals[REST]
    return {
        "num_tunes": len(first),
        "nats_a_step": {way: total / num_steps.sum() for way, total in totals.items()},
        "gain_a_step": gain / num_steps.sum(),
        "gain_a_step_95%": interval(resampled / sums[:, -2]),
        "gain_a_note": gain / num_notes.sum(),
        "gain_a_note_95%": interval(resampled / sums[:, -1]),
        "gain_a_step_by_seed": [float(gain.sum() / num_steps.sum()) for gain in gains],
    }


def same_music(written: SequenceSet, rest: SequenceSet, num_events: int) -> npt.NDArray[np.int64]:
    """Places of the tunes in both sets that are the same from their first note on, [num_tunes, 2]."""
    places = {name: place for place, name in enumerate(rest.ids)}
    pairs = []
    for place, name in enumerate(written.ids):
        if name in places:
            one, other = music(written.tokens(place)), music(rest.tokens(places[name]))
            length = min(len(one), len(other), num_events + 1)
            if (one[:length] == other[:length]).all():
                pairs.append((place, places[name]))
    return np.array(pairs, np.int64)


def music(events: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A melody from its first note on."""
    return events[int((events >= MIN_PITCH).argmax()) :]


def music_costs(model: Model, melodies: SequenceSet, num_events: int) -> Costs:
    """What the events after the first note cost a model in nats, their number, and the notes among them, [melodies, 3]."""
    name = "after-first-note"
    index = functools.partial(_after_first_note, num_events=num_events)
    sums = evaluate(
        model.encoding, melodies, model.predict, [Breakdown(name, "After the first note", ("other", "note"), index)]
    )
    costs = -sums[f"{name}/token_log_likelihood"]
    steps = sums[f"{name}/num_steps"]
    return np.stack([costs.sum(axis=1), steps.sum(axis=1), steps[:, 1]], axis=1)


def _after_first_note(batch: Batch, num_events: int) -> npt.NDArray[np.int64]:
    is_note = batch.tokens >= MIN_PITCH
    since = np.arange(batch.tokens.shape[1]) - is_note.argmax(axis=1)[:, None]
    counted = (since > 0) & (since <= num_events)
    return np.where(counted, is_note, -1)[:, 1:].astype(np.int64)


if __name__ == "__main__":
    main()
