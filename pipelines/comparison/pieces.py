"""Models of several representations over whole pieces: what each piece costs them, however many tokens it has.

Figures a token do not compare between representations, since their tokens are not the same. What a whole piece costs does,
where the sequences of the representations cover the same of it, which they say themselves.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from etude.models.representations.representation import TUNE
from etude.pipelines.comparison.apart import pieces_apart
from etude.pipelines.comparison.floors import find_floors
from etude.pipelines.comparison.measurements import DomainMeasurement
from etude.pipelines.comparison.piece_costs import BITS, NATS, Costs, Values, figures_of
from etude.pipelines.comparison.results.results import Coverage, Figures, PiecesPair, PiecesResult
from etude.pipelines.comparison.statistics.figures import Estimate, Resampled, over_seeds
from etude.pipelines.comparison.statistics.significance import ALPHA, holm, sign_flip_test
from etude.pipelines.comparison.tunes import Tunes, common_tunes, num_notes


class _Member(NamedTuple):
    """A configuration: what pieces cost it by seed, and its figures."""

    name: str
    costs: list[Costs]
    figures: dict[str, Resampled]


def compare_pieces(
    measurements: Sequence[DomainMeasurement], covers: Mapping[str, str], coverage: Coverage | None = None
) -> list[PiecesResult]:
    """Compares what pieces cost, for every set of representations that cover the same.

    Args:
      measurements: of all domains, on sequences of the same pieces.
      covers: what of a piece each representation covers, by its name; empty for what compares with no other.
      coverage: of exact tunes, as far as the datasets tell it.
    """
    results = []
    for covered in dict.fromkeys(covers[one.representation] for one in measurements):
        members = [one for one in measurements if covers[one.representation] == covered]
        if covered and len({one.representation for one in members}) > 1:
            if covered == TUNE and coverage is not None:
                results.append(_compare_tunes(members, coverage))
            else:
                results.append(_compare_others(covered, members))
    return results


def _compare_tunes(measurements: Sequence[DomainMeasurement], coverage: Coverage) -> PiecesResult:
    """Exact tunes: what is paid for is the same for all."""
    tunes = [Tunes(one) for one in measurements]
    pieces, left_out = common_tunes(tunes)
    costs = [
        (measured.configuration.name, [of_domain.costs(sums, pieces) for sums in measured.sums])
        for of_domain, one in zip(tunes, measurements, strict=True)
        for measured in one.configurations
    ]
    notes = num_notes(tunes[0], pieces)
    representations = {
        measured.configuration.name: one.representation for one in measurements for measured in one.configurations
    }
    return dataclasses.replace(
        _compared(TUNE, measurements, costs, notes, sum(left_out.values())),
        coverage=dataclasses.replace(coverage, not_compared=left_out),
        floors=find_floors(measurements, tunes, pieces),
        apart=pieces_apart(representations, costs, pieces, notes),
    )


def _compare_others(covered: str, measurements: Sequence[DomainMeasurement]) -> PiecesResult:
    """All predicted tokens of the pieces that all representations have."""
    sources = [set(one.sequences.sources) for one in measurements]
    pieces = sorted(set.intersection(*sources))
    notes = next((_notes(one, pieces) for one in measurements if _knows_notes(one)), None)
    costs = [
        (
            measured.configuration.name,
            [Costs(_by_piece(one, sums["token_log_likelihood"], pieces)) for sums in measured.sums],
        )
        for one in measurements
        for measured in one.configurations
    ]
    return _compared(covered, measurements, costs, notes, len(set.union(*sources)) - len(pieces))


def _compared(
    covered: str,
    measurements: Sequence[DomainMeasurement],
    costs: Sequence[tuple[str, list[Costs]]],
    notes: Values | None,
    num_left_out: int,
) -> PiecesResult:
    """Figures and pairs from the costs of each configuration."""
    members = [
        _Member(name, by_seed, over_seeds([figures_of(one, notes) for one in by_seed], stream))
        for stream, (name, by_seed) in enumerate(costs)
    ]
    pairs = [_pair(first, second) for first, second in itertools.combinations(members, 2)]
    corrected = holm([pair.p_value for pair in pairs])
    return PiecesResult(
        covers=covered,
        representations=list(dict.fromkeys(one.representation for one in measurements)),
        num_pieces=len(costs[0][1][0].whole),
        num_left_out=num_left_out,
        num_notes=0 if notes is None else int(notes.sum()),
        figures={one.name: _estimates(one.figures) for one in members},
        pairs=[_corrected(pair, p_value) for pair, p_value in zip(pairs, corrected, strict=True)],
    )


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
    difference = _mean(first) - _mean(second)
    p_value = sign_flip_test(difference).p_value
    return PiecesPair(first.name, second.name, nats, bits, p_value, p_value, is_told_apart=False)


def _mean(member: _Member) -> Values:
    """Over seeds, [pieces]."""
    mean: Values = np.mean([one.whole for one in member.costs], axis=0)
    return mean


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
