"""Shows how the cost of our training grows with batch, length, layer size and attention length.

Examples:
  python -m scripts.bench.cost
  python -m scripts.bench.cost --steps 4 --only attention --json cost.json

One factor at a time, from a batch of 64 random melodies of 256 steps and layers of 128 units. Every measurement is a
process of its own; the first step, in which the graph is built, is left out.
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

from scripts.bench.training import Figures, peak_megabytes


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is trained.

    Attributes:
      config: the family.
      batch: melodies in a step.
      length: predicted steps of each.
      units: of each of the two layers.
      attention: steps that attention looks back on.
    """

    config: str = "basic"
    batch: int = 64
    length: int = 256
    units: int = 128
    attention: int = 0


BASIC = Setting()
ATTENTION = Setting("attention", attention=40)
FACTORS: dict[str, list[Setting]] = {
    "basic, batch": [dataclasses.replace(BASIC, batch=batch) for batch in (16, 64, 256)],
    "basic, length": [dataclasses.replace(BASIC, length=length) for length in (64, 256, 1024)],
    "basic, layer size": [dataclasses.replace(BASIC, units=units) for units in (64, 128, 256)],
    "attention, batch": [dataclasses.replace(ATTENTION, batch=batch) for batch in (16, 64, 256)],
    "attention, length": [dataclasses.replace(ATTENTION, length=length) for length in (64, 256, 1024)],
    "attention, layer size": [dataclasses.replace(ATTENTION, units=units) for units in (64, 128, 256)],
    "attention, attention length": [dataclasses.replace(ATTENTION, attention=slots) for slots in (10, 40, 160)],
}


def main() -> None:
    """Measures every setting once and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3, help="steps of each measurement (default 3)")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help=f"factors that begin with this: {', '.join(FACTORS)}"
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="adds the figures to this file")
    parser.add_argument("--setting", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.setting:
        print(json.dumps(measure(Setting(**json.loads(options.setting)), options.steps)))
        return
    known: dict[Setting, Figures] = {}
    stored = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    print(f"{'':28} {'batch':>6} {'length':>6} {'units':>6} {'slots':>6} {'events/s':>10} {'ms a step':>10} {'MB':>7}")
    for factor, settings in FACTORS.items():
        if not factor.startswith(options.only):
            continue
        stored[factor] = []
        for setting in settings:
            if setting not in known:
                known[setting] = in_a_process(setting, options.steps)
            found = known[setting]
            stored[factor].append({**dataclasses.asdict(setting), **found})
            milliseconds = setting.batch * setting.length / found["events_per_second"] * 1000
            print(
                f"{factor:28} {setting.batch:6} {setting.length:6} {setting.units:6} {setting.attention:6} "
                f"{found['events_per_second']:10,.0f} {milliseconds:10,.0f} {found['peak_megabytes']:7,.0f}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(stored, indent=1) + "\n")


def in_a_process(setting: Setting, steps: int) -> Figures:
    """A measurement in a fresh process."""
    words = [sys.executable, "-P", "-m", "scripts.bench.cost", "--steps", str(steps)]
    words += ["--setting", json.dumps(dataclasses.asdict(setting))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(setting: Setting, steps: int) -> Figures:
    """Events a second and peak memory of training steps on random melodies."""
    import numpy as np

    from etude.models.melodies.melody import metres
    from etude.models.networks.weights import initialise
    from etude.models.registry import configure, make_encoding
    from etude.models.training.trainer import Trainer

    overrides = {"batch_size": setting.batch, "rnn_layer_sizes": (setting.units, setting.units)}
    configuration = configure(setting.config, {**overrides, "attn_length": setting.attention})
    encoding = make_encoding(configuration)
    events = np.random.default_rng(0).integers(48, 84, [setting.batch, setting.length + 1])
    bars = metres(np.full(setting.batch, 16))
    inputs, labels = encoding.inputs(events[:, :-1], bars), encoding.labels(events, bars)[:, 1:]
    lengths = np.full(setting.batch, setting.length, np.int64)
    trainer = Trainer(configuration, encoding, initialise(configuration.hyperparameters, encoding, 0), 0)
    trainer.train(inputs, labels, lengths)
    start = time.perf_counter()
    for _ in range(steps):
        trainer.train(inputs, labels, lengths)
    seconds = time.perf_counter() - start
    return {"events_per_second": setting.batch * setting.length * steps / seconds, "peak_megabytes": peak_megabytes()}


if __name__ == "__main__":
    main()
