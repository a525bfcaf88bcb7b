"""`Describe`: what music there is, in counts."""

import bisect
import collections
import dataclasses
import json
from typing import Any

import apache_beam as beam

from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.records.counts import CountEach, Counts, SumCounts
from etude.pipelines.sources.source import music_format

_LENGTH_SECONDS = (15, 30, 60, 120, 300, 600)
LENGTHS = (
    "under 15 s",
    "15 to 30 s",
    "30 s to 1 min",
    "1 to 2 min",
    "2 to 5 min",
    "5 to 10 min",
    "10 min and more",
)
_KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclasses.dataclass
class Describe(beam.PTransform):  # type: ignore[misc]
    """Counts pieces by format, metre, key, tempo and length, and sources by what became of them.

    In: `PCollection[Piece]`, or a pair of that and the `sources` of `ReadMusic`. Out: one element, `Counts` with the groups
    "formats", "metres", "keys", "tempos", "lengths", "pieces" (their number, notes and seconds) and, with sources,
    "statuses", "bars" and "rejected".
    """

    def expand(self, music: Any) -> beam.PCollection[Counts]:
        """Counts each element and adds up."""
        pieces, *sources = music if isinstance(music, tuple) else (music,)
        counted = [pieces | "Piece" >> beam.ParDo(CountEach(count_piece))]
        counted += [lines | "Source" >> beam.ParDo(CountEach(count_line)) for lines in sources]
        return counted | beam.Flatten() | beam.CombineGlobally(SumCounts()).without_defaults()


def count_piece(piece: Piece) -> Counts:
    """The counts of one piece."""
    sequence = piece.sequence
    metre = sequence.time_signatures[0] if sequence.time_signatures else None
    counts: Counts = {
        ("formats", music_format(sequence.filename)): 1,
        ("metres", f"{metre.numerator}/{metre.denominator}" if metre else "none"): 1,
        ("tempos", f"{sequence.tempos[0].qpm:.0f}" if sequence.tempos else "none"): 1,
        ("lengths", LENGTHS[bisect.bisect_right(_LENGTH_SECONDS, sequence.total_time)]): 1,
        ("pieces", "number"): 1,
        ("pieces", "notes"): len(sequence.notes),
        ("pieces", "seconds"): round(sequence.total_time),
    }
    if sequence.key_signatures:
        key = sequence.key_signatures[0]
        counts["keys", f"{_KEYS[key.key % 12]} {key.Mode.Name(key.mode).lower().replace('_', ' ')}"] = 1
    return counts


def count_line(named: tuple[str, str]) -> Counts:
    """The counts of one line of the manifest."""
    entry = json.loads(named[1])
    reasons = collections.Counter(rejected["reason"] for rejected in entry["rejected"])
    return {
        ("statuses", entry["status"]): 1,
        **{("bars", outcome): count for outcome, count in entry["bars"].items()},
        **{("rejected", reason): count for reason, count in reasons.items()},
    }
