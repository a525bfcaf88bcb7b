"""Models of several representations over whole pieces: what each piece costs them, however many tokens it has.

Figures a token do not compare between representations, since their tokens are not the same. What a whole piece costs does,
where the sequences of the representations cover the same of it, which they say themselves.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.pipelines.comparison.measurements import ConfigurationMeasurement, DomainMeasurement
from etude.pipelines.comparison.results.results import Figures, PiecesPair, PiecesResult
from etude.pipelines.comparison.statistics.figures import Estimate, Resampled, over_seeds, resample
from etude.pipelines.comparison.statistics.significance import ALPHA, holm, sign_flip_test

NATS, BITS = "nats_per_piece", "bits_per_note"

Values = npt.NDArray[np.float64]


class _Member(NamedTuple):
    """A configuration: log-likelihood of each piece by seed, [pieces] each, and its figures."""

    name: str
    log_likelihoods: list[Values]
    figures: dict[str, Resampled]


def compare_pieces(measurements: Sequence[DomainMeasurement], covers: Mapping[str, str]) -> list[PiecesResult]:
    """Compares what pieces cost, for every set of representations that cover the same.

    Args:
      measurements: of all domains, on sequences of the same pieces.
      covers: what of a piece each representation covers, by its name; empty for what compares with no other.
    """
    results = []
    for covered in dict.fromkeys(covers[one.representation] for one in measurements):
        members = [one for one in measurements if covers[one.representation] == covered]
        if covered and len({one.representation for one in members}) > 1:
            results.append(_compare(covered, members))
    return results


def _compare(covered: str, measurements: Sequence[DomainMeasurement]) -> PiecesResult:
    sources = [set(one.sequences.sources) for one in measurements]
    pieces = sorted(set.intersection(*sources))
    notes = next((_notes(one, pieces) for one in measurements if _knows_notes(one)), None)
    of_configurations = [(one, measured) for one in measurements for measured in one.configurations]
    members = [_member(*one, pieces, notes, stream) for stream, one in enumerate(of_configurations)]
    pairs = [_pair(first, second) for first, second in itertools.combinations(members, 2)]
    corrected = holm([pair.p_value for pair in pairs])
    return PiecesResult(
        covers=covered,
        representations=list(dict.fromkeys(one.representation for one in measurements)),
        num_pieces=len(pieces),
        num_left_out=len(set.union(*sources)) - len(pieces),
        num_notes=0 if notes is None else int(notes.sum()),
        figures={one.name: _estimates(one.figures) for one in members},
        pairs=[_corrected(pair, p_value) for pair, p_value in zip(pairs, corrected, strict=True)],
    )


def _member(
    measurement: DomainMeasurement,
    measured: ConfigurationMeasurement,
    pieces: Sequence[str],
    notes: Values | None,
    stream: int,
) -> _Member:
    by_seed = [_by_piece(measurement, sums["token_log_likelihood"], pieces) for sums in measured.sums]
    figures = over_seeds([_figures(one, notes) for one in by_seed], stream)
    return _Member(measured.configuration.name, by_seed, figures)


def _figures(log_likelihood: Values, notes: Values | None) -> dict[str, Resampled]:
    sums = {"token_log_likelihood": log_likelihood, "num_sequences": np.ones(len(log_likelihood))}
    found = resample(sums if notes is None else {**sums, "note:num": notes}, "token")
    mean = found["token.log_likelihood"]
    nats = {NATS: Resampled(-mean.value, -mean.resampled)}
    return nats if notes is None else {**nats, BITS: found["token.bits_per_note"]}


def _by_piece(measurement: DomainMeasurement, values: Values, pieces: Sequence[str]) -> Values:
    """Sums of values of sequences, [sequences], by their pieces: [pieces]."""
    place = {piece: index for index, piece in enumerate(pieces)}
    places = np.array([place.get(source, -1) for source in measurement.sequences.sources], np.int64)
    kept = places >= 0
    return np.bincount(places[kept], weights=values[kept], minlength=len(pieces)).astype(np.float64)


def _knows_notes(measurement: DomainMeasurement) -> bool:
    return "note:num" in measurement.configurations[0].sums[0].values


def _notes(measurement: DomainMeasurement, pieces: Sequence[str]) -> Values:
    return _by_piece(measurement, measurement.configurations[0].sums[0]["note:num"], pieces)


def _pair(one: _Member, other: _Member) -> PiecesPair:
    first, second = (one, other) if one.figures[NATS].value <= other.figures[NATS].value else (other, one)
    nats, bits = (
        Resampled(worse.value - better.value, worse.resampled - better.resampled).estimate()
        if (worse := second.figures.get(name)) and (better := first.figures.get(name))
        else Estimate(None)
        for name in (NATS, BITS)
    )
    difference = np.mean(first.log_likelihoods, axis=0) - np.mean(second.log_likelihoods, axis=0)
    p_value = sign_flip_test(difference).p_value
    return PiecesPair(first.name, second.name, nats, bits, p_value, p_value, is_told_apart=False)


def _corrected(pair: PiecesPair, p_value: float) -> PiecesPair:
    low = pair.nats_per_piece.interval[0] if pair.nats_per_piece.interval else 0.0
    return PiecesPair(
        pair.first,
        pair.second,
        pair.nats_per_piece,
        pair.bits_per_note,
        pair.p_value,
        p_value,
        is_told_apart=p_value < ALPHA and low > 0,
    )


def _estimates(figures: Mapping[str, Resampled]) -> Figures:
    return {name: one.estimate() for name, one in figures.items()}
