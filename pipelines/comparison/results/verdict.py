"""The answer in words: which configuration is better, by how much, and how sure that is."""

from collections.abc import Sequence

from etude.pipelines.comparison.results.results import BaselineResult, ConfigurationResult, PairResult, Verdict
from etude.pipelines.comparison.statistics.figures import Estimate

_NAMED = 2
"""Configurations that the headline names as equals; more are counted."""


def verdict(
    configurations: Sequence[ConfigurationResult],
    baselines: Sequence[BaselineResult],
    pairs: Sequence[PairResult],
    fingerprint: str,
) -> Verdict:
    """Says what the figures say, and no more.

    Args:
      configurations: the figures; those of different pitch ranges are not comparable and get sentences of their own.
      baselines: of the same pitch ranges.
      pairs: of configurations of one pitch range.
      fingerprint: of the dataset that they were compared on.
    """
    pitch_ranges = list(dict.fromkeys(configuration.pitch_range for configuration in configurations))
    parts = []
    for pitch_range in pitch_ranges:
        members = sorted(
            (configuration for configuration in configurations if configuration.pitch_range == pitch_range), key=_loss
        )
        parts.append(
            (
                members,
                [baseline for baseline in baselines if baseline.pitch_range == pitch_range],
                [pair for pair in pairs if pair.pitch_range == pitch_range],
            )
        )
    # The pitch range with most configurations is what the comparison is about.
    parts.sort(key=lambda part: -len(part[0]))
    headline = _headline(parts[0][0], parts[0][2])
    sentences = [
        sentence for part in parts for sentence in _sentences(part[0], part[1], fingerprint, is_main=part is parts[0])
    ]
    return Verdict(headline, _sureness(parts[0][0], parts[0][2], len(pairs)), sentences)


def _headline(ranked: Sequence[ConfigurationResult], pairs: Sequence[PairResult]) -> str:
    best = ranked[0]
    if len(ranked) == 1:
        return f"{best.title} predicts melodies at {_number(_loss(best))} nats a step."
    equals = [configuration for configuration in ranked[1:] if not _pair(best, configuration, pairs).is_told_apart]
    if not equals:
        margin = _pair(best, ranked[1], pairs)
        return (
            f"{best.title} predicts melodies best: by {_signed(margin.nats_per_step)} nats a step "
            f"({_signed(margin.bits_per_note)} bits a note) over {ranked[1].title}."
        )
    worse = [configuration.title for configuration in ranked[1:] if configuration not in equals]
    names = _list([value.title for value in equals]) if len(equals) <= _NAMED else f"{len(equals)} others"
    better = f"; it predicts better than {_list(worse)}" if worse else ""
    return f"{best.title} comes first but cannot be told apart from {names}{better}."


def _sureness(ranked: Sequence[ConfigurationResult], pairs: Sequence[PairResult], num_pairs: int) -> str:
    """How sure it is that the first two differ."""
    if len(ranked) == 1:
        return f"95% interval {_interval(ranked[0].figures['event.loss'])}."
    pair = _pair(ranked[0], ranked[1], pairs)
    corrected = f" after correction for {num_pairs} comparisons" if num_pairs > 1 else ""
    return (
        f"The difference between the first two lies between {_interval(pair.nats_per_step).replace(' to ', ' and ')} nats a "
        f"step (95% interval); p {_p_value(pair.p_value_corrected)}{corrected}."
    )


def _sentences(
    ranked: Sequence[ConfigurationResult],
    baselines: Sequence[BaselineResult],
    fingerprint: str,
    is_main: bool,
) -> list[str]:
    result = []
    if not is_main:
        result.append(
            f"{_list([configuration.title for configuration in ranked])} {'stands' if len(ranked) == 1 else 'stand'} apart: "
            f"{'it reads' if len(ranked) == 1 else 'they read'} melodies in another key or range ({ranked[0].pitch_range}), "
            "so the figures are not comparable with the others."
        )
    result += _baseline_sentences(ranked, baselines)
    if is_main:
        result += [_no_event_sentence(baseline) for baseline in baselines if baseline.name == "no_event"]
    result += _training_data_sentences(ranked, fingerprint)
    if is_main and {len(configuration.runs) for configuration in ranked} == {1}:
        result.append(
            "Each configuration was trained once: the intervals say what other melodies would change, not what another "
            "random seed would."
        )
    return result


def _baseline_sentences(ranked: Sequence[ConfigurationResult], baselines: Sequence[BaselineResult]) -> list[str]:
    best = next(baseline for baseline in baselines if baseline.name == ranked[0].best_baseline)
    rule = f"the best simple rule, “{best.title.lower()}” at {_number(_loss(best))} nats a step"
    under = [
        configuration.title
        for configuration in ranked
        if configuration.nats_over_baseline.interval is None or configuration.nats_over_baseline.interval[0] <= 0
    ]
    if under:
        return [f"{_list(under)} {'is' if len(under) == 1 else 'are'} not clearly better than {rule}."]
    return [f"{'All are' if len(ranked) > 1 else 'It is'} better than {rule}."]


def _no_event_sentence(baseline: BaselineResult) -> str:
    accuracy = baseline.figures["event.accuracy"].value or 0
    return f"Always answering “no event” is right at {accuracy:.1%} of the steps: read accuracies beside that."


def _training_data_sentences(ranked: Sequence[ConfigurationResult], fingerprint: str) -> list[str]:
    """Which models may have seen the melodies that they are judged by."""
    runs = [run for configuration in ranked for run in configuration.runs]
    unknown = [run.name for run in runs if not run.training_fingerprint]
    other = [run.name for run in runs if run.training_fingerprint not in ("", fingerprint)]
    result = []
    if unknown:
        result.append(f"{_list(unknown)}: training data unknown, so these melodies may have been among it.")
    if other:
        result.append(f"{_list(other)}: trained on another dataset, so these melodies may have been among its own.")
    return result


def _pair(first: ConfigurationResult, second: ConfigurationResult, pairs: Sequence[PairResult]) -> PairResult:
    return next(pair for pair in pairs if {pair.first, pair.second} == {first.name, second.name})


def _loss(result: ConfigurationResult | BaselineResult) -> float:
    value = result.figures["event.loss"].value
    return float("inf") if value is None else value


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "\u2212")


def _signed(estimate: Estimate) -> str:
    return "0" if estimate.value is None else _number(estimate.value)


def _interval(estimate: Estimate) -> str:
    return " to ".join(map(_number, estimate.interval)) if estimate.interval else "unknown"


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
