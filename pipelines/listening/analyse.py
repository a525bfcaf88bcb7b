"""What the answers of a listening test say.

Set aside are files that are damaged, unfinished, of another test or of a listener who is counted already; then whoever got a
catch trial wrong. A match (a real tune beside a generated piece) is left out for a listener who knows the tune, or has not
heard the minimum of a clip, in any of its trials: both answers or none, so that chance stays one half.
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from etude.models.errors import EtudeError
from etude.pipelines.comparison.statistics.significance import holm
from etude.pipelines.listening.answers import CONFIDENCES, SetAside, Sheet
from etude.pipelines.listening.design import GENERATED, SINGLE, Key
from etude.pipelines.listening.pieces import REAL
from etude.pipelines.listening.statistics import (
    POWER,
    TRUE_SHARE,
    Answers,
    Interval,
    answers_needed,
    d_prime,
    estimate,
    exact_p,
    power,
    right_share,
    wilson,
)

ALL_MODELS = "all models"


@dataclasses.dataclass(frozen=True)
class Group:
    """The figures of one model, or of all.

    Attributes:
      name: of the model.
      num_listeners: with an answer that counts.
      num_answers: that count.
      num_right: of these.
      share: of right answers, over listeners and pieces.
      wilson: its 95% interval as if all answers were independent.
      p_value: of the exact binomial test against chance, two-sided.
      corrected_p: the same, corrected for the number of models after Holm.
      d_prime: how far apart real and generated are for listeners.
      called_real: the share of the generated pieces, then of the real tunes beside them, that were called real; None in
        tests of pairs.
      power: of the exact test with so many answers, at a true share of 65%.
    """

    name: str
    num_listeners: int
    num_answers: int
    num_right: int
    share: Interval
    wilson: tuple[float, float]
    p_value: float
    corrected_p: float
    d_prime: Interval
    called_real: tuple[float, float] | None
    power: float


@dataclasses.dataclass(frozen=True)
class Analysis:
    """The result of a listening test.

    Attributes:
      test: its id.
      kind: of the test.
      num_sheets: whole sheets of answers.
      num_failed: listeners who got a catch trial wrong; they do not count.
      num_known: matches left out since the listener knows a tune of theirs.
      num_unheard: matches left out since the listener did not hear enough.
      set_aside: files that do not count.
      groups: all models together, then each; without answers there is none.
      everything: as the first group, with listeners who failed and matches that were left out.
      by_confidence: answers and right answers by how sure listeners were, 1 to 3.
      answers_needed: of one model, for 80% power at a true share of 65%.
    """

    test: str
    kind: str
    num_sheets: int
    num_failed: int
    num_known: int
    num_unheard: int
    set_aside: tuple[SetAside, ...]
    groups: tuple[Group, ...]
    everything: Group
    by_confidence: tuple[tuple[int, int], ...]
    answers_needed: int

    def to_json(self) -> str:
        """All figures as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"


@dataclasses.dataclass(frozen=True, eq=False)
class _Table:
    """All answers of some sheets, each array [sides, listeners, matches]."""

    right: Any
    known: Any
    heard: Any
    confidence: Any
    models: tuple[str, ...]

    @classmethod
    def of(cls, sheets: Sequence[Sheet], key: Key) -> "_Table":
        sides = 2 if key.kind == SINGLE else 1
        trials = [trial for trial in key.trials if not trial.is_catch]
        matches = sorted({trial.match for trial in trials})
        shape = (sides, len(sheets), len(matches))
        arrays: dict[str, Any] = {name: np.zeros(shape, kind) for name, kind in _KINDS.items()}
        models = [""] * len(matches)
        for trial in trials:
            side, match = int(trial.answer == GENERATED), matches.index(trial.match)
            models[match] = trial.model
            for listener, sheet in enumerate(sheets):
                answer = sheet.answers[trial.id]
                place = side, listener, match
                arrays["right"][place] = answer.choice == trial.answer
                arrays["known"][place] = answer.known
                arrays["heard"][place] = answer.is_heard
                arrays["confidence"][place] = answer.confidence
        return cls(**arrays, models=tuple(models))

    def answers(self, counted: Any, model: str | None = None) -> Answers:
        """The answers of the matches that count, about one model or all."""
        of_model = np.array([model in (None, one) for one in self.models])
        return Answers(self.right[:, :, of_model], counted[:, of_model])


_KINDS = {"right": bool, "known": bool, "heard": bool, "confidence": int}


def analyse(sheets: Sequence[Sheet], set_aside: Sequence[SetAside], key: Key) -> Analysis:
    """The figures of a test.

    Raises:
      EtudeError: if there is no whole sheet.
    """
    if not sheets:
        reasons = "".join(f"; {one.file}: {one.reason}" for one in set_aside)
        raise EtudeError(f"there is not one whole sheet of answers to test {key.test}{reasons}")
    listening = [sheet for sheet in sheets if not sheet.failed_catches(key)]
    table, whole = _Table.of(listening, key), _Table.of(sheets, key)
    known, unheard = table.known.any(axis=0), ~table.heard.all(axis=0)
    counted = ~(known | unheard)
    groups = []
    if counted.any():
        names: list[str | None] = [None, *key.models] if len(key.models) > 1 else list(key.models)
        parts = [(name, part) for name in names if (part := table.answers(counted, name)).counted.any()]
        p_values = [_p(part) for name, part in parts if name is not None]
        corrected = iter(holm(p_values))
        groups = [_group(name or ALL_MODELS, part, next(corrected) if name else _p(part)) for name, part in parts]
    confidences = [table.confidence[:, counted] == level for level in CONFIDENCES]
    right = table.right[:, counted]
    everything = whole.answers(np.ones(whole.right.shape[1:], bool))
    return Analysis(
        test=key.test,
        kind=key.kind,
        num_sheets=len(sheets),
        num_failed=len(sheets) - len(listening),
        num_known=int(known.sum()),
        num_unheard=int((unheard & ~known).sum()),
        set_aside=tuple(set_aside),
        groups=tuple(groups),
        everything=_group("everything", everything, _p(everything)),
        by_confidence=tuple((int(chosen.sum()), int((right & chosen).sum())) for chosen in confidences),
        answers_needed=answers_needed(TRUE_SHARE, POWER),
    )


def _p(answers: Answers) -> float:
    return exact_p(int(answers.num_right().sum()), answers.num_answers)


def _group(name: str, answers: Answers, corrected_p: float) -> Group:
    by_side = answers.num_right()
    num_right, num_matches = int(by_side.sum()), int(answers.counted.sum())
    called_real = None
    if answers.num_sides == 2:
        called_real = (float(1 - by_side[1] / num_matches), float(by_side[0] / num_matches))
    return Group(
        name=name,
        num_listeners=int(answers.counted.any(axis=1).sum()),
        num_answers=answers.num_answers,
        num_right=num_right,
        share=estimate(answers, right_share, 0.5, 0.0, 1.0),
        wilson=wilson(num_right, answers.num_answers),
        p_value=_p(answers),
        corrected_p=corrected_p,
        d_prime=estimate(answers, d_prime, 0.0),
        called_real=called_real,
        power=power(answers.num_answers),
    )


def summary(found: Analysis) -> list[str]:
    """The figures for people: a table, what it rests on, and what can be said."""
    rows = [*found.groups, found.everything]
    width = max(len(row.name) for row in rows)
    titles = ["answers", "right", "95% interval", "Wilson", "p", "d'", "95% interval", *_real_titles(found)]
    cells = [_cells(row) for row in rows]
    widths = [max(len(title), *(len(row[place]) for row in cells)) for place, title in enumerate(titles)]
    lines = ["  ".join([" " * width, *(f"{title:>{size}}" for title, size in zip(titles, widths, strict=True))])]
    for row, those in zip(rows, cells, strict=True):
        lines.append(
            "  ".join([row.name.ljust(width), *(f"{one:>{size}}" for one, size in zip(those, widths, strict=True))])
        )
    return [*lines, "", *sentences(found)]


def sentences(found: Analysis) -> list[str]:
    """What can be said, and what it rests on."""
    said = [_verdict(group) for group in found.groups]
    if not found.groups:
        said.append("No answer counts: every listener failed a catch trial, or knew the tunes.")
    levels = ", ".join(f"{number / total:.0%} of {total}" for total, number in found.by_confidence if total)
    said += [
        f"{found.num_sheets} listeners; {found.num_failed} got a catch trial wrong and are left out. "
        f"{found.num_known} matches of a real tune with a generated piece are left out as known to the listener, "
        f"{found.num_unheard} as not heard for long enough; in the row 'everything' all of these count.",
        "The first interval is over listeners and pieces; Wilson's, and p (exact binomial, two-sided, after Holm for "
        "several models), take all answers for independent.",
        f"With {found.answers_needed} independent answers about a model, a true {TRUE_SHARE:.0%} is found with at least "
        f"{POWER:.0%} power.",
    ]
    if levels:
        said.append(f"Right by how sure listeners were, from guesses up: {levels}.")
    return [*said, *(f"set aside: {one.file}: {one.reason}" for one in found.set_aside)]


def _verdict(group: Group) -> str:
    share = group.share
    right = f"{group.name}: right in {group.num_right} of {group.num_answers} answers ({share.value:.1%})."
    if share.low is None or share.high is None or share.margin is None:
        return f"{right} With one listener or one piece there is no interval."
    tells = "more often than" if share.low > 0.5 else "less often than" if share.high < 0.5 else "not told apart from"
    return (
        f"{right} That is {tells} chance over listeners and pieces. Equivalence: no margin smaller than "
        f"{100 * share.margin:.1f} points around 50% can be claimed (two one-sided tests, 5%); the exact test had "
        f"{group.power:.0%} power for a true {TRUE_SHARE:.0%}."
    )


def _real_titles(found: Analysis) -> list[str]:
    return ["called real", f"{REAL} called real"] if found.kind == SINGLE else []


def _cells(group: Group) -> list[str]:
    return [
        f"{group.num_answers}",
        f"{group.share.value:.1%}",
        _range(group.share, ".1%"),
        f"{group.wilson[0]:.1%} to {group.wilson[1]:.1%}",
        f"{group.corrected_p:.2g}",
        f"{group.d_prime.value:.2f}",
        _range(group.d_prime, ".2f"),
        *(f"{one:.1%}" for one in group.called_real or ()),
    ]


def _range(one: Interval, form: str) -> str:
    return "" if one.low is None or one.high is None else f"{one.low:{form}} to {one.high:{form}}"
