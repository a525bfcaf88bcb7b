"""Reads tunes in ABC notation (the ABC 2.1 standard, 2.0 and older habits) as they are played."""

from pipelines.abc.problems import Problem
from pipelines.abc.tunebook import RejectedTune, Tune, read_tunebook

__all__ = ["Problem", "RejectedTune", "Tune", "read_tunebook"]
