"""Shows where a training step spends its time, and what share of the machine's matrix-product peak it reaches.

Examples:
  python -m scripts.bench.profile_training --dataset dataset
  python -m scripts.bench.profile_training --dataset dataset --configs attention --names 20

The peak is that of TensorFlow's largest products, on all cores. The operations of a step are those of the matrix products
that the network calls for, forward once and backward twice, on real steps. The shares are of the busy time of all threads,
by TensorFlow's profiler, each operation without those inside it. `compiled` is what XLA compiled.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from typing import Any

from scripts.bench.training import Task

PEAK_SIZE = 4096
WAITING = ("BlockUntilReady", "KernelAndDeviceFunc::Run", "FunctionRun")
SCHEDULING = ("ExecutorState::Process", "ThunkExecutor::Execute")
CONTROL = (
    "While", "StatelessWhile", "LoopCond", "Enter", "Exit", "Merge", "Switch", "NextIteration", "Identity", "Const",
    "TensorListGetItem", "TensorListSetItem", "TensorListReserve", "TensorListFromTensor", "PartitionedCall",
    "StatefulPartitionedCall", "TensorListStack", "_SwitchN", "If", "StatelessIf",
)  # fmt: skip
COMPILED = re.compile(
    r"(?:.*fusion|wrapped_.*|copy|bitcast|transpose|reduce|broadcast|convert|slice|dynamic-.*)(?:[._]\d+)*"
)
"""Operations inside what XLA compiled, but for matrix products."""


def main() -> None:
    """Profiles and prints a table for each configuration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, type=pathlib.Path, help="folder that etude dataset wrote")
    parser.add_argument("--configs", nargs="+", default=["basic", "attention"], metavar="NAME")
    parser.add_argument("--steps", type=int, default=4, help="steps that are timed (default 4)")
    parser.add_argument("--names", type=int, default=0, metavar="N", help="also list the N longest operations")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    highest = peak()
    print(f"peak of matrix products: {highest / 1e9:,.0f} GFLOP/s")
    figures: dict[str, Any] = {"peak": highest}
    for config in options.configs:
        figures[config] = profile(Task(options.dataset, config, steps=options.steps), options.names)
        reached = figures[config]["operations_per_second"]
        print(f"{config}: {reached / 1e9:,.1f} GFLOP/s in matrix products, {reached / highest:.1%} of the peak")
        step, prepare = figures[config]["seconds_a_step"], figures[config]["seconds_to_prepare"]
        print(f"  a step takes {step * 1000:,.0f} ms; preparing the next batch beside it {prepare * 1000:,.0f} ms")
        for kind, seconds in figures[config]["seconds"].items():
            share = seconds / sum(figures[config]["seconds"].values())
            print(f"  {kind:24} {share:7.1%}  {seconds * 1000:8,.0f} ms of all threads")
        sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def peak() -> float:
    """Operations a second of a large matrix product."""
    import tensorflow as tf

    left, right = (tf.random.normal([PEAK_SIZE, PEAK_SIZE]) for _ in range(2))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(left, right)))
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * PEAK_SIZE**3 / best


def profile(task: Task, names: int) -> dict[str, Any]:
    """The figures of one configuration."""
    import tensorflow as tf

    from etude.models.networks.weights import initialise
    from etude.models.registry import make_encoding
    from etude.models.training.trainer import Trainer

    configuration = task.configuration
    encoding = make_encoding(configuration)
    weights = initialise(configuration.hyperparameters, encoding, 0)
    trainer = Trainer(configuration, encoding, weights, 0)
    task.examples.batch(0)
    start = time.perf_counter()
    prepared = [task.examples.batch(step) for step in range(task.warm_up + task.steps)]
    prepare = (time.perf_counter() - start) / len(prepared)
    first, measured = prepared[: -task.steps], prepared[-task.steps :]
    for batch in first:
        trainer.train(batch.inputs, batch.labels, batch.lengths, begins=batch.begins)
    start = time.perf_counter()
    for batch in measured:
        trainer.train(batch.inputs, batch.labels, batch.lengths, begins=batch.begins)
    seconds = time.perf_counter() - start
    events = sum(int(batch.lengths.sum()) for batch in measured)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for batch in measured:
            trainer.train(batch.inputs, batch.labels, batch.lengths, begins=batch.begins)
        tf.profiler.experimental.stop()
        own = own_times(next(pathlib.Path(folder).rglob("*.xplane.pb")).read_bytes())
    for name, value in own.most_common(names):
        print(f"    {value / task.steps / 1e6:8.1f} ms a step  {kind_of(name) or '-':24} {name[:90]}")
    kinds: collections.Counter[str] = collections.Counter()
    for name, value in own.items():
        if kind := kind_of(name):
            kinds[kind] += value
    # Forward, and backward for the inputs and for the weights; 2 operations for each weight of a product.
    products = 3 * 2 * sum(weight.size for weight in weights.values() if weight.ndim == 2)
    return {
        "operations_per_second": products * events / seconds,
        "seconds_a_step": seconds / task.steps,
        "seconds_to_prepare": prepare,
        "seconds": {kind: value / task.steps / 1e9 for kind, value in kinds.most_common()},
    }


def own_times(stored: bytes) -> collections.Counter[str]:
    """Nanoseconds of every operation of a profile, without the operations inside it on the same thread."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(stored)
    own: collections.Counter[str] = collections.Counter()
    for plane in space.planes:
        if not plane.name.startswith("/host:CPU"):
            continue
        for line in plane.lines:
            spans = [
                (event.offset_ps, event.duration_ps, event.metadata_id)
                for event in line.events
                # A part of the operation that it is in.
                if plane.event_metadata[event.metadata_id].name != "ParallelFor"
            ]
            for name, value in without_inner(spans):
                own[plane.event_metadata[name].name] += value // 1000
    return own


def without_inner(spans: Iterable[tuple[int, int, int]]) -> Iterable[tuple[int, int]]:
    """Names of spans (start, duration, name), and their durations without the spans inside them."""
    ordered = sorted(spans, key=lambda span: (span[0], -span[1]))
    own = [duration for _, duration, _ in ordered]
    open_spans: list[int] = []
    for index, (start, duration, _) in enumerate(ordered):
        while open_spans and ordered[open_spans[-1]][0] + ordered[open_spans[-1]][1] <= start:
            open_spans.pop()
        if open_spans:
            own[open_spans[-1]] -= duration
        open_spans.append(index)
    return [(name, max(value, 0)) for (_, _, name), value in zip(ordered, own, strict=True)]


def kind_of(name: str) -> str | None:
    """What kind of work an operation of a profile is; None for what is none, such as waiting for other threads."""
    path, colon, operation = name.rpartition(":")
    if name in WAITING:
        return None
    if name in SCHEDULING or (colon and operation in CONTROL):
        return "scheduling and loops"
    if re.fullmatch(r"(?:MatMul|dot)[._\d]*", name):
        return "matrix products, compiled"
    if COMPILED.fullmatch(name):
        return "element-wise, compiled"
    if not colon or "::" in name or " " in operation:
        return None
    if operation == "ResourceApplyAdam" or "clip_by_norm" in path:
        return "optimiser"
    if "MatMul" in operation:
        return "matrix products"
    if "Random" in operation:
        return "random numbers"
    return "element-wise and copies"


if __name__ == "__main__":
    main()
