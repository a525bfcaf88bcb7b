"""Reads tunes in ABC notation as they are played.

By the ABC 2.1 standard, with 2.0 and the older habits that are met. Where the standard leaves something open, the
function that decides says so. Not played out, as in the standard and by abc2midi: ornaments, and D.C., D.S., fine, segno
and coda, as words or decorations, whose place is taken by `P:`. Left out beside: microtones, macros (`m:`), and the
`%%MIDI` directives of abc2midi.
"""

from etude.models.abc.problems import Problem
from etude.pipelines.readers.abc.tunebook import RejectedTune, Tune, iterate_tunebook, read_tunebook

__all__ = ["Problem", "RejectedTune", "Tune", "iterate_tunebook", "read_tunebook"]
