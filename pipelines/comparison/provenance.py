"""When, where and with what a comparison was made."""

import dataclasses
import datetime
import os
import pathlib
import platform
import subprocess
from collections.abc import Sequence
from importlib import resources

from etude.pipelines.comparison.configurations import ComparedConfiguration


@dataclasses.dataclass(frozen=True)
class Provenance:
    """When, where and with what a comparison was made.

    Attributes:
      date: day and time, with the offset from UTC.
      commit: of the checkout that the code is in, marked where files were changed; empty for an installed package.
      processor: its name.
      num_cores: that this process may use.
      python: version.
      trained_with: the versions that the runs were trained with; empty if unknown.
    """

    date: str
    commit: str
    processor: str
    num_cores: int
    python: str
    trained_with: str


def provenance(configurations: Sequence[ComparedConfiguration]) -> Provenance:
    """The provenance of a comparison that is made now."""
    stored = [run.stored.versions for configuration in configurations for run in configuration.runs if run.stored]
    versions = dict.fromkeys(f"TensorFlow {one.tensorflow}, NumPy {one.numpy}, Python {one.python}" for one in stored)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Provenance(
        date=datetime.datetime.now().astimezone().isoformat(" ", "minutes"),
        commit=_commit(),
        processor=_processor(),
        num_cores=cores or 1,
        python=platform.python_version(),
        trained_with="; ".join(versions),
    )


def _commit() -> str:
    """The commit of the checkout; empty where the package lies in none, or git is not there."""
    root = pathlib.Path(str(resources.files("etude"))).parent
    if not (root / ".git").exists():
        return ""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=root, capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip().replace("-dirty", ", with changes")


def _processor() -> str:
    """The name of the processor, as far as the system tells."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return next(iter(names), "") or platform.processor() or platform.machine()
