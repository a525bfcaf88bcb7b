import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from etude.models.errors import EtudeError
from etude.models.storage.metrics import EVAL, TRAIN, MetricsLog, read_metrics, scalars

LABEL = {"loss": 2.0, "perplexity": 7.4, "accuracy": 0.5, "event_accuracy": 0.25, "no_event_accuracy": 0.75}
TRAINED = {"label": LABEL, "learning_rate": 0.001, "events_per_second": 1000.0, "epoch": 0.5}
EVALUATED = {"log_likelihood": -80.0, "label": LABEL, "event": {"loss": 1.5, "perplexity": 4.5}}


def write(path, steps, start=0):
    log = MetricsLog(path, start, {"config": "basic"})
    for step in steps:
        log.write(TRAIN, step, TRAINED)
        log.write(EVAL, step, EVALUATED)
    log.close()
    return log


def scalar_steps(folder, tag):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [event.step for event in accumulator.Scalars(tag)]


def test_lines_are_json_with_split_and_step(tmp_path):
    log = write(tmp_path / "run" / "metrics.jsonl", [10, 20])
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["split"], line["step"]) for line in lines] == [(TRAIN, 10), (EVAL, 10), (TRAIN, 20), (EVAL, 20)]
    assert lines[1]["event"] == EVALUATED["event"]
    assert lines[0]["wall_time"] > 1e9
    assert read_metrics(tmp_path / "run" / "metrics.jsonl") == lines
    assert log.evaluations() == [lines[1], lines[3]]


def test_what_was_written_after_the_checkpoint_is_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [10, 20, 30])
    with path.open("a") as file:
        file.write('{"split": "train", "step": 3')
    write(path, [30], start=20)
    assert [(line["split"], line["step"]) for line in read_metrics(path)] == [
        (split, step) for step in (10, 20, 30) for split in (TRAIN, EVAL)
    ]
    assert scalar_steps(tmp_path / "train", "loss") == [10, 20, 30]
    assert scalar_steps(tmp_path / "eval", "event/loss") == [10, 20, 30]
    assert len(list((tmp_path / "train").iterdir())) == 1


def test_no_file_is_no_lines(tmp_path):
    assert read_metrics(tmp_path / "metrics.jsonl") == []


def test_scalars_have_magentas_tags():
    assert scalars({"split": TRAIN, "step": 1, **TRAINED}) == {
        "loss": 2.0,
        "metrics/perplexity": 7.4,
        "metrics/accuracy": 0.5,
        "metrics/event_accuracy": 0.25,
        "metrics/no_event_accuracy": 0.75,
        "learning_rate": 0.001,
        "events_per_second": 1000.0,
        "epoch": 0.5,
    }
    assert scalars({"split": EVAL, "step": 1, **EVALUATED})["event/loss"] == 1.5
    assert scalars({"split": EVAL, "step": 1, **EVALUATED})["log_likelihood"] == -80.0


@pytest.mark.parametrize("split", [TRAIN, EVAL])
def test_tensorboard_reads_every_scalar(tmp_path, split):
    write(tmp_path / "run" / "metrics.jsonl", [10, 20])
    accumulator = EventAccumulator(str(tmp_path / "run" / split))
    accumulator.Reload()
    expected = scalars({"split": split, "step": 10, **(TRAINED if split == TRAIN else EVALUATED)})
    assert set(accumulator.Tags()["scalars"]) == set(expected)
    for tag, value in expected.items():
        events = accumulator.Scalars(tag)
        assert [event.step for event in events] == [10, 20]
        assert events[0].value == pytest.approx(value)


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"[" * 100_000,
        b"9" * 5000,
        b"\xff",
        b'{"split": "eval"}',
        b'{"split": "eval", "step": 1, "wall_time": 1, "label": {"loss": 1}}',
        b'{"split": "eval", "step": 1, "wall_time": NaN, "label": {"loss": 1}, "event": {"loss": 1}}',
        b'{"split": "train", "step": 1, "wall_time": 1, "label": {"loss": "low"}}',
        b'{"split": "train", "step": true, "wall_time": 1, "label": {"loss": 1}}',
        b'{"split": "nowhere", "step": 1, "wall_time": 1, "label": {"loss": 1}}',
    ],
)
def test_lines_that_no_run_writes(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"split": "train", "step": 1, "wall_time": 1, "label": {"loss": 1, "perplexity": Infinity}}\n')
    assert read_metrics(path)[0]["label"]["perplexity"] == float("inf")
    with path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(EtudeError, match=r"metrics\.jsonl, line 2 is damaged"):
        read_metrics(path)
