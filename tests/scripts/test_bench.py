"""The arithmetic of the measurements: medians, ratios, when a curve reaches a loss, and what a profile adds up to."""

import json
import pathlib

import pytest

from etude.models.storage.records import frame, read_records
from scripts.bench.learning import time_to_reach
from scripts.bench.magenta import NOTES, gather
from scripts.bench.profile_training import kind_of, without_inner
from scripts.bench.scale import Cost
from scripts.bench.speed import Line, markdown, read, table, write


def test_ratio_is_above_one_where_ours_is_better() -> None:
    """More events a second and fewer seconds are both better."""
    speed = Line("train basic", "events/s", True, {"ours": [90.0, 120.0, 100.0], "magenta": [40.0, 50.0, 60.0]})
    seconds = Line("preprocessing", "s", False, {"ours": [2.0], "magenta": [30.0]})
    assert speed.ratio("magenta") == pytest.approx(2.0)
    assert seconds.ratio("magenta") == pytest.approx(15.0)
    assert speed.ratio("keras") is None
    assert seconds.median("keras") is None


def test_figures_come_back_from_the_file(tmp_path: pathlib.Path) -> None:
    lines = [Line("train basic", "events/s", True, {"ours": [1.0, 3.0], "keras": [1.0]})]
    path = tmp_path / "speed.json"
    assert read(path) == []
    write(path, lines)
    assert read(path) == lines
    assert json.loads(path.read_text())["lines"][0]["times_better"] == {"keras": 2.0}


def test_table_names_every_line() -> None:
    lines = [Line("datasets on disk", "MB", False, {"ours": [0.5], "magenta": [400.0]})]
    assert table(lines)[1].split() == ["datasets", "on", "disk", "0.5", "400", "MB", "800", "1/1"]
    assert markdown(lines)[2] == "| datasets on disk (MB) | 0.5 |  | 400 |  | 800 | 1 |"


@pytest.mark.parametrize(
    ("loss", "seconds"),
    [(2.5, 10.0), (2.0, 10.0), (1.75, 15.0), (1.5, 20.0), (1.2, 36.0), (0.5, None)],
)
def test_time_to_reach_a_loss(loss: float, seconds: float | None) -> None:
    """On straight lines between points; a loss that rises and falls again is not reached earlier by that."""
    points = [(10.0, 1, 2.0), (20.0, 2, 1.5), (30.0, 3, 1.8), (40.0, 4, 0.8)]
    assert time_to_reach(points, loss) == (None if seconds is None else pytest.approx(seconds))


def test_spans_without_those_inside_them() -> None:
    """A span of 100 that holds one of 30 and one of 20, which holds one of 5; and one beside it."""
    spans = [(0, 100, 1), (10, 30, 2), (50, 20, 3), (55, 5, 2), (100, 7, 4)]
    assert list(without_inner(spans)) == [(1, 50), (2, 30), (3, 15), (2, 5), (4, 7)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("while/body/MatMul_1:MatMul", "matrix products"),
        ("clip_by_norm_3/mul:Mul", "optimiser"),
        ("ResourceApplyAdam_2:ResourceApplyAdam", "optimiser"),
        ("BiasAdd_5:_MklNativeFusedMatMul", "matrix products"),
        ("MatMul_5.11", "matrix products, compiled"),
        ("broadcast_multiply_fusion.1", "element-wise, compiled"),
        ("wrapped_reduce-window", "element-wise, compiled"),
        ("while/body/Sigmoid:Sigmoid", "element-wise and copies"),
        ("while:While", "scheduling and loops"),
        ("ExecutorState::Process", "scheduling and loops"),
        ("ThreadpoolListener::Record", None),
        ("KernelAndDeviceFunc::Run", None),
    ],
)
def test_kinds_of_operations(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_cost_of_many_files_beside_one_batch() -> None:
    """What start-up takes is part of a batch's time, and no part of the memory that a file adds."""
    batch = Cost(num_files=100, cpu=3.0, wall=4.0, peak=150_000)
    many = Cost(num_files=5_100, cpu=76.5, wall=90.0, peak=170_000)
    assert many.beside(batch) == "0.50 times the time a file, 4.0 kB of memory a file"


def test_pieces_are_gathered_evenly(tmp_path: pathlib.Path) -> None:
    pieces = [bytes([index]) for index in range(10)]
    for shard in (0, 1):
        name = f"notes-{shard:05}-of-00002.tfrecord"
        (tmp_path / name).write_bytes(b"".join(map(frame, pieces[5 * shard : 5 * shard + 5])))
    for number, wanted in ((0, pieces), (20, pieces), (3, [pieces[0], pieces[3], pieces[6]])):
        folder = gather(tmp_path, number, tmp_path / str(number))
        assert list(read_records(folder / NOTES)) == wanted
