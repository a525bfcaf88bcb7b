"""Loss on the eval split against wall-clock time: ours and the real Magenta's, same hyperparameters, same melodies.

Examples:
  python -m scripts.bench.learning --dataset dataset --magenta ~/magenta --json learning.json --svg learning.svg
  python -m scripts.bench.learning --dataset dataset --magenta ~/magenta --json learning.json --only magenta --seconds 240

Each trains in a process of its own for so many seconds, start-up included. The losses are event losses of our evaluation
(dropout off, every melody of the split), for Magenta of the checkpoints that it saved meanwhile. Time spent on evaluation
does not count; time spent on saving does. With --json FILE, curves that were measured before stay in it until they are
measured again.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from scripts.bench.magenta import Magenta, environment, hparams

TRAIN = """
import sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
from magenta.models.melody_rnn import melody_rnn_model
from magenta.models.shared import events_rnn_graph, events_rnn_train
name, hparams, records, run, seconds = sys.argv[1:]
config = melody_rnn_model.default_configs[name]
config.hparams.parse(hparams)
build = events_rnn_graph.get_build_graph_fn('train', config, [records])
events_rnn_train.run_training(build, run, save_checkpoint_secs=float(seconds), checkpoints_to_keep=0)
"""
"""Magenta's training with checkpoints at intervals of our choice; its command has them once a minute."""

Point = tuple[float, int, float]
"""Seconds from the start of the command, training step, and loss."""


class _TimeIsUpError(Exception):
    """Ends training."""


def main() -> None:
    """Trains, and prints how long each takes to reach the losses that Magenta reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=pathlib.Path, help="folder that etude dataset wrote")
    parser.add_argument("--magenta", type=pathlib.Path, metavar="DIR", help="environment that Magenta is installed in")
    parser.add_argument("--configs", nargs="+", default=["basic", "attention"], metavar="NAME")
    parser.add_argument("--seconds", type=float, default=120, help="how long each trains (default 120)")
    parser.add_argument("--interval", type=float, default=20, help="seconds between Magenta's checkpoints (default 20)")
    parser.add_argument("--eval-every", type=int, default=10, help="steps between our evaluations (default 10)")
    parser.add_argument("--only", choices=("ours", "magenta"), help="train this one alone")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="adds the curves to this file")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draws the curves")
    parser.add_argument("--run", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_ours(options)
        return
    curves: dict[str, dict[str, list[Point]]] = {}
    if options.json and options.json.exists():
        curves = json.loads(options.json.read_text())
    for config in options.configs:
        for name in (options.only,) if options.only else ("ours", "magenta") if options.magenta else ("ours",):
            found = train_ours(options, config) if name == "ours" else train_magenta(options, config)
            curves.setdefault(config, {})[name] = found
            if options.json:
                options.json.write_text(json.dumps(curves, indent=1) + "\n")
    for config, both in curves.items():
        print("\n".join(table(config, both)))
    if options.svg:
        options.svg.write_text(picture(curves))


def train_ours(options: argparse.Namespace, config: str) -> list[Point]:
    """Our curve."""
    from etude.models.storage.metrics import read_metrics

    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder, "run")
        words = [
            sys.executable, "-P", "-m", "scripts.bench.learning", "--run", str(run), "--configs", config,
            "--dataset", str(options.dataset), "--eval-every", str(options.eval_every), "--seconds", str(options.seconds),
        ]  # fmt: skip
        start = time.time()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        # Of each step, when it was done.
        stamps = {int(step): stamp for step, stamp in json.loads(done.stdout.splitlines()[-1]).items()}
        evaluations = [line for line in read_metrics(run / "metrics.jsonl") if line["split"] == "eval"]
    points: list[Point] = []
    evaluating = 0.0
    for line in evaluations:
        stamp = stamps[line["step"]]
        points.append((stamp - start - evaluating, line["step"], line["event"]["loss"]))
        evaluating += line["wall_time"] - stamp
    return points


def run_ours(options: argparse.Namespace) -> None:
    """Trains as `etude train` does until the time is up, and prints when each step was done."""
    from etude.models.registry import configure
    from etude.models.training.schedule import Schedule
    from etude.models.training.train import train

    stamps: dict[int, float] = {}
    start = time.time()

    def note(done: int, total: int, note: str = "") -> None:
        stamps[done] = time.time()
        if stamps[done] - start > options.seconds and done % options.eval_every:
            raise _TimeIsUpError

    try:
        schedule = Schedule(1 << 30, 0, options.eval_every, 0)
        train(configure(options.configs[0], {}), options.dataset, options.run, schedule, progress=note)
    except _TimeIsUpError:
        print(json.dumps(stamps))


def train_magenta(options: argparse.Namespace, config: str) -> list[Point]:
    """Magenta's curve."""
    from etude import load
    from etude.models.registry import configure
    from etude.pipelines.evaluation.evaluate import evaluate_model

    configuration = configure(config, {})
    attention = configuration.hyperparameters.attn_length
    points: list[Point] = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        magenta = Magenta(options.magenta, folder)
        records = magenta.records(options.dataset, configuration)
        run = folder / "run"
        words = [
            magenta.command("python"), "-c", TRAIN, f"{config}_rnn", hparams(configuration), str(records), str(run),
            str(options.interval),
        ]  # fmt: skip
        start = time.time()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, env=environment())
            try:
                process.wait(options.seconds)
                raise SystemExit((folder / "log").read_text(errors="replace")[-2000:])
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for path in run.glob("model.ckpt-*.index"):
            step = int(re.findall(r"\d+", path.name)[-1])
            model = load(path.with_suffix(""), config=config, overrides={"attn_length": attention} if attention else {})
            loss = evaluate_model(model, options.dataset, "eval")["event"]["loss"]
            points.append((path.stat().st_mtime - start, step, loss))
    return sorted(points)


def time_to_reach(points: Sequence[Point], loss: float) -> float | None:
    """When a curve is first at or below a loss, on straight lines between its points; None if it never is."""
    before: Point | None = None
    for point in points:
        if point[2] <= loss:
            if before is None:
                return point[0]
            share = (before[2] - loss) / (before[2] - point[2])
            return before[0] + share * (point[0] - before[0])
        before = point
    return None


def table(config: str, both: dict[str, list[Point]]) -> list[str]:
    """Magenta's points, and when ours was as good."""
    lines = [f"{config}: {'loss':>9} {'Magenta':>20} {'ours':>10} {'faster':>8}"]
    lowest = float("inf")
    for seconds, step, loss in both.get("magenta", []):
        if step and loss < lowest:
            lowest = loss
            ours = time_to_reach(both.get("ours", []), loss)
            shown = f"{ours:8.1f} s {seconds / ours:7.2f}x" if ours else f"{'not yet':>10}"
            lines.append(f"{'':{len(config)}}  {loss:9.4f} {seconds:8.1f} s step {step:4} {shown}")
    for name, points in both.items():
        if points:
            seconds, step, loss = points[-1]
            lines.append(f"{'':{len(config)}}  {name} at the end: loss {loss:.4f}, {seconds:.1f} s, step {step}")
    return lines


def picture(curves: dict[str, dict[str, list[Any]]]) -> str:
    """The curves, a chart for each configuration, as one SVG file."""
    from etude.pipelines.report.charts.line_chart import HEIGHT, WIDTH, Line, line_chart

    parts: list[str] = []
    for number, (config, both) in enumerate(curves.items()):
        lines = [
            Line(name, f"series-{['ours', 'magenta'].index(name)}", [(x, y) for x, step, y in points if step], True)
            for name, points in both.items()
        ]
        title = f"{config}: event loss on the eval split; solid: ours, dashed: Magenta"
        chart = line_chart(lines, f"{config}: seconds of training, start-up included", "event loss", title)
        place = f'<svg x="{number * WIDTH}" y="0" width="{WIDTH}" height="{HEIGHT}" '
        parts.append(str(chart).replace("<svg ", place, 1))
        parts += [legend(number * WIDTH + WIDTH - 90, 22 + 16 * row, *name) for row, name in enumerate(NAMES)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(curves)} {HEIGHT}">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def legend(x: int, y: int, style: str, name: str) -> str:
    """A short line as in the chart, and whose it is."""
    line = f'<path class="line" d="M{x} {y}h24"/>'
    return f'<g class="{style}">{line}<text x="{x + 30}" y="{y + 4}">{name}</text></g>'


NAMES = (("series-0", "ours"), ("series-1", "Magenta"))
STYLE = (
    "text{font:11px sans-serif;fill:#444}.grid{stroke:#ddd}.line{fill:none;stroke:currentColor;stroke-width:2}"
    ".series-0{color:#0b57a4;fill:#0b57a4}.series-1{color:#b3420a;fill:#b3420a}.series-1 .line{stroke-dasharray:7 3}"
    ".end{text-anchor:end}.middle{text-anchor:middle}"
)


if __name__ == "__main__":
    main()
