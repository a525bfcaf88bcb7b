"""What any model of tunes should beat: counted models of orders 1 to 5, and a compressor that has seen the train split."""

import lzma
from collections.abc import Iterator, Sequence

import numpy as np

from etude.models.encodings.encoding import Encoding
from etude.models.evaluation.evaluation import evaluate
from etude.models.ngram.network import KNESER_NEY
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.sequences.tune_span import span_breakdown
from etude.pipelines.comparison.baselines import counted
from etude.pipelines.comparison.measurements import DomainMeasurement, plain_encoding
from etude.pipelines.comparison.music.samples import evenly
from etude.pipelines.comparison.piece_costs import Costs, Values, figures_of
from etude.pipelines.comparison.results.results import FloorResult
from etude.pipelines.comparison.tunes import Tunes, num_notes

ORDERS = range(1, 6)

COMPRESSED_PIECES = 30
"""A compressor reads all of train anew for each, so that few have to do."""


def find_floors(
    measurements: Sequence[DomainMeasurement], tunes: Sequence[Tunes], pieces: Sequence[str]
) -> list[FloorResult]:
    """The floors of each representation, in the domain of its first models."""
    floors: list[FloorResult] = []
    seen: set[str] = set()
    for one, of_domain in zip(measurements, tunes, strict=True):
        if one.representation not in seen:
            seen.add(one.representation)
            floors += _counted(one, of_domain, pieces)
            chosen = [pieces[place] for place in evenly(len(pieces), COMPRESSED_PIECES)]
            floors.append(_floor("xz", one, of_domain, chosen, _compressed(one, of_domain, chosen)))
    return floors


def _counted(measurement: DomainMeasurement, tunes: Tunes, pieces: Sequence[str]) -> Iterator[FloorResult]:
    """N-grams with Kneser and Ney's smoothing."""
    encoding, spans = _encoding(measurement), [span_breakdown(measurement.domain)]
    for order in ORDERS:
        predict = counted(encoding, measurement.train, order, KNESER_NEY)
        sums = evaluate(encoding, measurement.sequences, predict, spans)
        yield _floor(f"{order}-gram", measurement, tunes, pieces, tunes.costs(sums, pieces))


def _floor(
    title: str, measurement: DomainMeasurement, tunes: Tunes, pieces: Sequence[str], costs: Costs
) -> FloorResult:
    figures = {name: one.estimate() for name, one in figures_of(costs, num_notes(tunes, pieces)).items()}
    return FloorResult(title, measurement.representation, len(pieces), figures)


def _compressed(measurement: DomainMeasurement, tunes: Tunes, pieces: Sequence[str]) -> Costs:
    """Minus the bits by which each piece makes compressed train longer, beyond what its given part does, in nats."""
    encoding, sequences = _encoding(measurement), measurement.sequences
    train = b"".join(_bytes(encoding, measurement.train, index) for index in range(len(measurement.train)))
    longest = 2 * int(sequences.lengths.max(initial=0)) + 2
    starts, _ = tunes.edges(pieces)
    lengths = []
    for piece, place in zip(pieces, tunes.places(pieces).tolist(), strict=True):
        data, span = _bytes(encoding, sequences, place), tunes.spans[piece]
        assert span is not None
        given = data[: span.first * (len(data) // (int(sequences.lengths[place]) + 1))]
        lengths.append(_length(train + data, len(train) + longest) - _length(train + given, len(train) + longest))
    whole: Values = -np.log(2) * 8 * np.array(lengths, np.float64) + starts
    return Costs(whole)


def _bytes(encoding: Encoding, sequences: SequenceSet, index: int) -> bytes:
    """The labels of a sequence and a mark after it, one byte each, or two."""
    labels = np.append(encoding.token_labels(sequences.tokens(index)), encoding.num_tokens)
    return labels.astype(np.uint8 if encoding.num_tokens < 1 << 8 else np.uint16).tobytes()


def _length(data: bytes, window: int) -> int:
    """Bytes of xz without its frame, whose dictionary holds everything."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": max(window, 1 << 12)}]
    return len(lzma.compress(data, lzma.FORMAT_RAW, filters=filters))


def _encoding(measurement: DomainMeasurement) -> Encoding:
    return plain_encoding(measurement.configurations[0].configuration.runs[0].model)
