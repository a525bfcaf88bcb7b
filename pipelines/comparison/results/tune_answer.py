"""What exact tunes cost models of several representations, in words."""

from collections.abc import Mapping

from etude.pipelines.comparison.piece_costs import BITS, BITS_WITHOUT_END
from etude.pipelines.comparison.results.results import Coverage, PiecesPair, PiecesResult
from etude.pipelines.comparison.statistics.figures import Estimate


def tune_answer(result: PiecesResult, coverage: Coverage, titles: Mapping[str, str]) -> str:
    """Which configuration needs fewest bits a note, over how many tunes, and how much of the music these are."""
    first, *others = ranked(result)
    figure = _shown(result.figures[first][BITS])
    of = (
        f"over {result.num_pieces:,} held-out tunes; {coverage.num_exact / coverage.num_read:.1%} of {coverage.num_read:,} "
        "pieces are carried exactly by every representation"
    )
    if not others:
        return f"{titles[first]} needs {figure} bits a note, {of}."
    pair = pair_of(result, first, others[0])
    if not pair.is_told_apart:
        equals = [titles[name] for name in others if not pair_of(result, first, name).is_told_apart]
        named = equals[0] if len(equals) == 1 else f"{equals[0]} and {len(equals) - 1} more"
        return f"{titles[first]} comes first with {figure} bits a note, but cannot be told apart from {named}, {of}."
    less = _shown(pair.bits_per_note)
    return f"{titles[first]} needs fewest bits a note: {figure}, {less} less than {titles[others[0]]}, {of}."


def tune_sentences(result: PiecesResult, coverage: Coverage, titles: Mapping[str, str]) -> list[str]:
    """What there is to add: all others, without the end, beside the floors, and what was left out."""
    order = ranked(result)
    each = "; ".join(
        f"{titles[name]} {_shown(result.figures[name][BITS])}, without the end "
        f"{_number(result.figures[name][BITS_WITHOUT_END])}"
        for name in order
    )
    sentences = [f"Bits a note, with 95% intervals: {each}."]
    if result.floors:
        floor = min(result.floors, key=lambda one: one.figures[BITS].value or 0.0)
        name = f"the {floor.title} of {floor.representation} at {_number(floor.figures[BITS])} bits a note"
        bound = floor.figures[BITS].value or 0.0
        over = [titles[one] for one in order if (result.figures[one][BITS].value or 0.0) >= bound]
        sentences.append(
            f"{', '.join(over)} {'does' if len(over) == 1 else 'do'} not beat the best floor, {name}."
            if over
            else f"All beat the best floor, {name}."
        )
    left_out = {**coverage.left_out, **coverage.not_compared}
    if left_out:
        reasons = ", ".join(
            f"{reason} {count:,}" for reason, count in sorted(left_out.items(), key=lambda one: -one[1])
        )
        sentences.append(f"Pieces that are left out, by reason: {reasons}.")
    return sentences


def ranked(result: PiecesResult) -> list[str]:
    """The configurations of tunes, fewest bits a note first."""
    return sorted(result.figures, key=lambda name: result.figures[name][BITS].value or 0.0)


def pair_of(result: PiecesResult, first: str, second: str) -> PiecesPair:
    """Two configurations side by side."""
    return next(pair for pair in result.pairs if {pair.first, pair.second} == {first, second})


def _shown(estimate: Estimate) -> str:
    low, high = estimate.interval or (0.0, 0.0)
    return f"{_number(estimate)} ({low:.3f} to {high:.3f})".replace("-", "\u2212")


def _number(estimate: Estimate) -> str:
    return f"{estimate.value or 0.0:.3f}".replace("-", "\u2212")
