"""The figures of a training run: one line each in metrics.jsonl, and the same for TensorBoard."""

import json
import math
import pathlib
import time
from collections.abc import Mapping
from typing import Any

from etude.models.errors import EtudeError
from etude.models.storage.files import explain_write_errors, write_text
from etude.models.storage.tensorboard_events import EventWriter

Figures = Mapping[str, Any]

TRAIN = "train"
EVAL = "eval"


class MetricsLog:
    """Keeps the figures of a run. What a killed run wrote after its last checkpoint is dropped when it resumes."""

    def __init__(self, path: pathlib.Path, step: int, hyperparameters: Mapping[str, Any]) -> None:
        """Opens the log of a run that is at `step`.

        Args:
          path: metrics.jsonl; the TensorBoard folders are beside it.
          step: later figures are dropped.
          hyperparameters: what TensorBoard's HParams page shows for this run.
        """
        self.lines = [line for line in read_metrics(path) if line["step"] <= step]
        write_text(path, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._path = path
        self._file = path.open("a")
        now = time.time()
        start = self.lines[0]["wall_time"] if self.lines else now
        self._events = {split: EventWriter(path.parent / split, start) for split in (TRAIN, EVAL)}
        self._events[EVAL].hyperparameters(path.parent.name, hyperparameters, start)
        for line in self.lines:
            self._show(line)

    def write(self, split: str, step: int, figures: Figures) -> None:
        """Adds the figures of a step."""
        line = {"split": split, "step": step, **figures, "wall_time": time.time()}
        self.lines.append(line)
        with explain_write_errors(self._path):
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            self._show(line)

    def evaluations(self) -> list[dict[str, Any]]:
        """The lines of the eval split, in order of steps."""
        return [line for line in self.lines if line["split"] == EVAL]

    def close(self) -> None:
        """Closes the files."""
        self._file.close()
        for writer in self._events.values():
            writer.close()

    def _show(self, line: dict[str, Any]) -> None:
        self._events[line["split"]].scalars(line["step"], line["wall_time"], scalars(line))


def scalars(line: Figures) -> dict[str, float]:
    """The TensorBoard scalars of a line, label figures under Magenta's tags."""
    label = dict(line["label"])
    values = {"loss": label.pop("loss")}
    values |= {f"metrics/{name}": value for name, value in label.items()}
    for group in ("event", "token", "note"):
        values |= {f"{group}/{name}": value for name, value in line.get(group, {}).items()}
    others = ("log_likelihood", "learning_rate", "events_per_second", "epoch")
    return values | {name: line[name] for name in others if name in line}


def read_metrics(path: pathlib.Path) -> list[dict[str, Any]]:
    """The lines of a metrics file, without a last one that was cut off; empty if there is no file.

    Raises:
      EtudeError: if another line is damaged.
    """
    lines: list[dict[str, Any]] = []
    if path.is_file():
        for number, content in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
            if content.endswith(b"\n"):
                try:
                    line = json.loads(content)
                    _check(line)
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                    raise EtudeError(f"{path}, line {number} is damaged: {error!r}; remove the line") from error
                lines.append(line)
    return lines


def _check(line: Any) -> None:
    """Raises an error of any kind if a line is not what `MetricsLog.write` writes."""
    if line["split"] not in (TRAIN, EVAL) or type(line["step"]) is not int:
        raise ValueError("it has no split or no step")
    # Perplexities may be infinite.
    losses = [line["label"]["loss"], *([(line.get("event") or line["token"])["loss"]] if line["split"] == EVAL else [])]
    if not all(map(math.isfinite, (line["wall_time"], *losses))) or any(map(math.isnan, scalars(line).values())):
        raise ValueError("a figure is no number")
