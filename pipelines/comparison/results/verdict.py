"""The answer in words: which configuration is better, by how much, and how sure that is."""

from collections.abc import Mapping, Sequence

from etude.pipelines.comparison.results.results import (
    BaselineResult,
    ConfigurationResult,
    Figures,
    PairResult,
    PiecesResult,
    Verdict,
)
from etude.pipelines.comparison.results.tune_answer import pair_of, tune_answer, tune_sentences
from etude.pipelines.comparison.statistics.figures import Estimate

_NAMED = 2
"""Configurations that the headline names as equals; more are counted."""


def verdict(
    configurations: Sequence[ConfigurationResult],
    baselines: Sequence[BaselineResult],
    pairs: Sequence[PairResult],
    fingerprints: Mapping[str, str],
    pieces: Sequence[PiecesResult] = (),
) -> Verdict:
    """Says what the figures say, and no more.

    Args:
      configurations: the figures; those of different domains are not comparable and get sentences of their own.
      baselines: of the same domains.
      pairs: of configurations of one domain.
      fingerprints: of the datasets that they were compared on, by representation.
      pieces: configurations of several representations, over whole pieces.
    """
    domains = list(dict.fromkeys(configuration.domain for configuration in configurations))
    parts = []
    for domain in domains:
        members = sorted(
            (configuration for configuration in configurations if configuration.domain == domain), key=_loss
        )
        parts.append(
            (
                members,
                [baseline for baseline in baselines if baseline.domain == domain],
                [pair for pair in pairs if pair.domain == domain],
            )
        )
    # The domain with most configurations is what the comparison is about.
    parts.sort(key=lambda part: -len(part[0]))
    headline = _headline(parts[0][0], parts[0][2])
    titles = {configuration.name: configuration.title for configuration in configurations}
    of_pieces = [sentence for one in pieces for sentence in _pieces_sentences(one, titles)]
    sentences = of_pieces + [
        sentence
        for part in parts
        for sentence in _sentences(part[0], part[1], fingerprints, parts[0][0][0] if part is not parts[0] else None)
    ]
    sureness = _sureness(parts[0][0], parts[0][2], len(pairs))
    if any(len(one.figures) == len(configurations) for one in pieces):
        # All of them compare over whole pieces: that is the answer, and the figures a token come after it.
        best = parts[0][0][0]
        sentences.insert(
            len(of_pieces), f"Of {best.words.sequences} of {best.representation} alone: {headline} {sureness}"
        )
        headline, sureness = _pieces_answer(pieces[0], titles)
    return Verdict(headline, sureness, sentences)


def _pieces_answer(result: PiecesResult, titles: Mapping[str, str]) -> tuple[str, str]:
    """Which configuration whole pieces cost least, and how sure that is."""
    first, second = _ranked(result)[:2]
    pair = pair_of(result, first, second)
    corrected = f" after correction for {len(result.pairs)} comparisons" if len(result.pairs) > 1 else ""
    difference, unit = (
        (pair.nats_per_piece, "nats a piece") if result.coverage is None else (pair.bits_per_note, "bits a note")
    )
    sureness = (
        f"The difference between the first two lies between {_interval(difference).replace(' to ', ' and ')} {unit} "
        f"(95% interval); p {p_value_text(pair.p_value_corrected)}{corrected}."
    )
    if result.coverage is not None:
        return tune_answer(result, result.coverage, titles), sureness
    if not pair.is_told_apart:
        return f"{titles[first]} comes first but cannot be told apart from {titles[second]}.", sureness
    notes = "" if pair.bits_per_note.value is None else f" ({_signed(pair.bits_per_note)} bits a note)"
    better = f"by {_signed(pair.nats_per_piece)} nats a piece{notes} over {titles[second]}"
    return f"{titles[first]} predicts pieces best: {better}.", sureness


def _pieces_sentences(result: PiecesResult, titles: Mapping[str, str]) -> list[str]:
    """What whole pieces cost in several representations."""
    if result.coverage is not None:
        return tune_sentences(result, result.coverage, titles)
    costs = [f"{titles[name]} {_cost(result.figures[name])}" for name in _ranked(result)]
    left_out = f" ({result.num_left_out:,} that only some have are left out)" if result.num_left_out else ""
    return [
        f"Over the {result.num_pieces:,} pieces that {listed(result.representations)} all have{left_out}, the "
        f"{result.covers} of a piece costs: {listed(costs)}."
    ]


def _ranked(result: PiecesResult) -> list[str]:
    return sorted(result.figures, key=lambda name: result.figures[name]["nats_per_piece"].value or 0.0)


def _cost(figures: Figures) -> str:
    nats = f"{_number(figures['nats_per_piece'].value or 0.0)} nats"
    if "bits_per_note" not in figures:
        return nats
    return f"{nats} ({_number(figures['bits_per_note'].value or 0.0)} bits a note)"


def _headline(ranked: Sequence[ConfigurationResult], pairs: Sequence[PairResult]) -> str:
    best = ranked[0]
    if len(ranked) == 1:
        return f"{best.title} predicts {best.words.sequences} at {_number(_loss(best))} nats a {best.words.step}."
    equals = [configuration for configuration in ranked[1:] if not _pair(best, configuration, pairs).is_told_apart]
    if not equals:
        margin = _pair(best, ranked[1], pairs)
        notes = "" if margin.bits_per_note.value is None else f" ({_signed(margin.bits_per_note)} bits a note)"
        return (
            f"{best.title} predicts {best.words.sequences} best: by {_signed(margin.nats_per_step)} nats a "
            f"{best.words.step}{notes} over {ranked[1].title}."
        )
    worse = [configuration.title for configuration in ranked[1:] if configuration not in equals]
    names = listed([value.title for value in equals]) if len(equals) <= _NAMED else f"{len(equals)} others"
    better = f"; it predicts better than {listed(worse)}" if worse else ""
    return f"{best.title} comes first but cannot be told apart from {names}{better}."


def _sureness(ranked: Sequence[ConfigurationResult], pairs: Sequence[PairResult], num_pairs: int) -> str:
    """How sure it is that the first two differ."""
    if len(ranked) == 1:
        return f"95% interval {_interval(ranked[0].loss)}."
    pair = _pair(ranked[0], ranked[1], pairs)
    corrected = f" after correction for {num_pairs} comparisons" if num_pairs > 1 else ""
    return (
        f"The difference between the first two lies between {_interval(pair.nats_per_step).replace(' to ', ' and ')} nats a "
        f"{ranked[0].words.step} (95% interval); p {p_value_text(pair.p_value_corrected)}{corrected}."
    )


def _sentences(
    ranked: Sequence[ConfigurationResult],
    baselines: Sequence[BaselineResult],
    fingerprints: Mapping[str, str],
    main: ConfigurationResult | None,
) -> list[str]:
    """What there is to say of one domain; `main` is of the main one, None if this is it."""
    result = []
    is_main = main is None
    if main is not None:
        words = ranked[0].words
        others = f"{words.sequences} in another key or range" if words == main.words else words.sequences
        result.append(
            f"{listed([configuration.title for configuration in ranked])} {'stands' if len(ranked) == 1 else 'stand'} apart: "
            f"{'it reads' if len(ranked) == 1 else 'they read'} {others} ({ranked[0].domain}), "
            f"so the figures{'' if words == main.words else f' a {words.step}'} are not comparable with the others."
        )
    result += _baseline_sentences(ranked, baselines)
    if is_main:
        result += [_no_event_sentence(baseline) for baseline in baselines if baseline.name == "no_event"]
    result += _training_data_sentences(ranked, fingerprints.get(ranked[0].representation, ""))
    if is_main and {len(configuration.runs) for configuration in ranked} == {1}:
        result.append(
            f"Each configuration was trained once: the intervals say what other {ranked[0].words.sequences} would change, "
            "not what another random seed would."
        )
    return result


def _baseline_sentences(ranked: Sequence[ConfigurationResult], baselines: Sequence[BaselineResult]) -> list[str]:
    best = next(baseline for baseline in baselines if baseline.name == ranked[0].best_baseline)
    rule = f"the best simple rule, “{best.title.lower()}” at {_number(_loss(best))} nats a {best.words.step}"
    under = [
        configuration.title
        for configuration in ranked
        if configuration.nats_over_baseline.interval is None or configuration.nats_over_baseline.interval[0] <= 0
    ]
    if under:
        return [f"{listed(under)} {'is' if len(under) == 1 else 'are'} not clearly better than {rule}."]
    return [f"{'All are' if len(ranked) > 1 else 'It is'} better than {rule}."]


def _no_event_sentence(baseline: BaselineResult) -> str:
    accuracy = baseline.figures["event.accuracy"].value or 0
    return f"Always answering “no event” is right at {accuracy:.1%} of the steps: read accuracies beside that."


def _training_data_sentences(ranked: Sequence[ConfigurationResult], fingerprint: str) -> list[str]:
    """Which models may have seen what they are judged by."""
    things = ranked[0].words.sequences
    runs = [run for configuration in ranked for run in configuration.runs]
    unknown = [run.name for run in runs if not run.training_fingerprint]
    other = [run.name for run in runs if run.training_fingerprint not in ("", fingerprint)]
    result = []
    if unknown:
        result.append(f"{listed(unknown)}: training data unknown, so these {things} may have been among it.")
    if other:
        result.append(f"{listed(other)}: trained on another dataset, so these {things} may have been among its own.")
    return result


def _pair(first: ConfigurationResult, second: ConfigurationResult, pairs: Sequence[PairResult]) -> PairResult:
    return next(pair for pair in pairs if {pair.first, pair.second} == {first.name, second.name})


def _loss(result: ConfigurationResult | BaselineResult) -> float:
    value = result.loss.value
    return float("inf") if value is None else value


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "\u2212")


def _signed(estimate: Estimate) -> str:
    return "0" if estimate.value is None else _number(estimate.value)


def _interval(estimate: Estimate) -> str:
    return " to ".join(map(_number, estimate.interval)) if estimate.interval else "unknown"


def p_value_text(value: float) -> str:
    """A p-value with its sign, as `= 0.012`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def listed(names: Sequence[str]) -> str:
    """Names with commas and an "and"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
