"""The answer to a question about certain pairs of configurations, or about settings that were varied one at a time."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from etude.pipelines.comparison.learning_curves import SMALLEST_FALL, WINDOW, LearningCurve
from etude.pipelines.comparison.music.samples import COPIED_RUNS, REAL
from etude.pipelines.comparison.presentation import Presentation, Sweep
from etude.pipelines.comparison.results.results import ConfigurationResult, PairResult, SamplesResult, Verdict
from etude.pipelines.comparison.results.verdict import listed, p_value_text
from etude.pipelines.comparison.statistics.figures import Estimate

_LOSS = "loss"


@dataclasses.dataclass(frozen=True)
class Answers:
    """What was found, by name, to answer with.

    Attributes:
      configurations: the figures of each configuration.
      pairs: every two of one domain.
      curves: of the runs of each configuration that kept them.
      samples: what tunes are like by how they were sampled.
    """

    configurations: Mapping[str, ConfigurationResult]
    pairs: Sequence[PairResult]
    curves: Mapping[str, Sequence[LearningCurve]]
    samples: Sequence[SamplesResult] = ()

    def answer(self, general: Verdict, presentation: Presentation) -> Verdict:
        """A verdict that begins with what was asked; the general one where nothing in particular was."""
        sentences = self._sampled()
        sentences += [self._contrast(*names) for names in presentation.contrasts]
        sentences += [self._sweep(sweep) for sweep in presentation.sweeps]
        if presentation.sweeps and not presentation.contrasts:
            sentences.insert(0, self._best_change(presentation.sweeps))
        found = general
        if sentences:
            others = [*sentences[1:], *self._beside(presentation.published), *general.sentences]
            found = Verdict(sentences[0], self._basis(), others)
        if not (presentation.floor or presentation.is_to_level):
            return found
        lacking = self._not_level() + (self._under(presentation.floor) if presentation.floor else [])
        if lacking:
            unfinished = f"This is unfinished, and does not count yet: {' '.join(lacking)}"
            return Verdict(f"Unfinished: {found.headline}", found.sureness, [unfinished, *found.sentences])
        counts = "This counts: the loss of every run has levelled off"
        if presentation.floor:
            beats = self._contrast(self._first(presentation.floor).name, presentation.floor)
            counts += f", and the floor is beaten. {beats}"
        else:
            counts += "."
        return dataclasses.replace(found, sentences=[counts, *found.sentences])

    def _contrast(self, first: str, second: str) -> str:
        """By how many bits one is better than the other."""
        pair = self._pair(first, second)
        better, worse = self.configurations[pair.first], self.configurations[pair.second]
        difference = f"{_bits(pair.nats_per_step)} bits a {better.words.step}"
        if better.words.are_melodies and pair.bits_per_note.value is not None:
            difference = f"{_interval(pair.bits_per_note)} bits a note"
        if not pair.is_told_apart:
            return (
                f"{better.title} and {worse.title} cannot be told apart: the difference is {difference}; "
                f"p {p_value_text(pair.p_value_corrected)}."
            )
        return f"{better.title} beats {worse.title} by {difference}."

    def _basis(self) -> str:
        if self.samples:
            return "In brackets: 95% intervals over the tunes and over the seeds."
        seeds = sorted({len(one.runs) for one in self.configurations.values()})
        runs = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        sequences = next(iter(self.configurations.values())).words.sequences
        return (
            f"In brackets: 95% intervals over the same {sequences} and over the seeds ({runs} of each configuration); "
            f"differences count where p < 0.05 after correction for {len(self.pairs)} comparisons, and the interval is "
            "on one side of 0."
        )

    def _sweep(self, sweep: Sweep) -> str:
        """The best value of a setting, which others are as good, and what the worst costs."""
        ranked = sorted(sweep.points, key=lambda point: self._loss(point[1]))
        (label, best), (worst_label, worst) = ranked[0], ranked[-1]
        words = self.configurations[best].words
        equals = [other for other, name in ranked[1:] if not self._pair(best, name).is_told_apart]
        sentence = f"{sweep.title}: {label} is best, at {_number(self._loss(best))} nats a {words.step}"
        if equals:
            sentence += f"; {listed(equals)} cannot be told apart from it"
        if worst_label not in equals:
            pair = self._pair(best, worst)
            sentence += f"; {worst_label} is worst, by {_bits(pair.nats_per_step)} bits a {words.step}"
        return f"{sentence}."

    def _sampled(self) -> list[str]:
        """Which way of sampling makes whole tunes, and what each does; nothing where none was sampled."""
        of_first = [one for one in self.samples if one.configuration == self.samples[0].configuration]
        made = [one for one in of_first if one.label != REAL]
        if not made:
            return []
        best = max(made, key=lambda one: one.figures["whole"].value or 0.0)
        looping = max(made, key=lambda one: one.figures["loops"].value or 0.0)
        real = [f"; of real tunes {_share(one, 'whole')}" for one in of_first if one.label == REAL]
        step = self.configurations[best.configuration].words.step
        answer = (
            f"{best.label} writes most whole tunes: {_share(best, 'whole')} end, with every bar and repeat right"
            if best.figures["whole"].value
            else "No way of sampling writes a whole tune"
        )
        answer += "".join(real)
        if looping.figures["loops"].value:
            label = f"{looping.label[:1].lower()}{looping.label[1:]}"
            answer += f"; {label} ends in a loop most often, in {_share(looping, 'loops')}"
        each = [
            f"{one.label}: {_share(one, 'whole')} are whole, {_share(one, 'bars')} have every bar right, "
            f"{_share(one, 'ended')} end, {_share(one, 'loops')} end in a loop; of runs of {COPIED_RUNS[-1]} {step}s "
            f"{_share(one, f'copied_{COPIED_RUNS[-1]}')} are copied from training."
            for one in of_first
        ]
        return [f"{answer}.", *each]

    def _best_change(self, sweeps: Sequence[Sweep]) -> str:
        """The single change that gains most over the base, which is in every sweep."""
        names = [{name for _, name in sweep.points} for sweep in sweeps]
        shared = set.intersection(*names) if len(names) > 1 else set()
        candidates = sorted({name for found in names for name in found}, key=self._loss)
        best = candidates[0]
        if not shared:
            return f"{self.configurations[best].title} comes first."
        base = shared.pop()
        if best == base or not self._pair(best, base).is_told_apart:
            return f"No single change is better than {self.configurations[base].title} beyond doubt."
        return f"The change that gains most: {self._contrast(best, base)}"

    def _beside(self, published: Mapping[str, Mapping[str, float]]) -> list[str]:
        """Published losses beside ours, and whether they come in the same order."""
        theirs = {name: figures[_LOSS] for name, figures in published.items() if _LOSS in figures}
        if not theirs:
            return []
        words = self.configurations[next(iter(theirs))].words
        both = [
            f"{self.configurations[name].title} {_interval(self.configurations[name].loss)}, published {_number(loss)}"
            for name, loss in theirs.items()
        ]
        beside = f"Nats a {words.step}, on other music: {'; '.join(both)}."
        if len(theirs) == 1:
            return [beside]
        order, ours = sorted(theirs, key=theirs.__getitem__), sorted(theirs, key=self._loss)
        named = " before ".join(self.configurations[name].title for name in order)
        if order == ours:
            return [beside, f"The published order holds: {named}."]
        own = " before ".join(self.configurations[name].title for name in ours)
        return [beside, f"The published order, {named}, does not hold: here it is {own}."]

    def _not_level(self) -> list[str]:
        """What training lacks, where a loss was still falling, or was looked at too seldom to tell."""
        falls, lacking_epochs, lacking_minutes = [], 0.0, 0.0
        for name, curves in self.curves.items():
            # What is counted has no training.
            trained = [curve for curve in curves if curve.train and curve.lacking_steps()]
            if not trained:
                continue
            fall = max(curve.fall() for curve in trained)
            title = self.configurations[name].title
            fell = f"still fell by {fall:.3f} nats over the last {WINDOW} evaluations"
            falls.append(f"{title} {fell if fall else 'has too few evaluations to tell'}")
            for curve in trained:
                steps = curve.lacking_steps()
                lacking_epochs = max(lacking_epochs, steps / curve.steps_per_epoch if curve.steps_per_epoch else 0.0)
                lacking_minutes = max(lacking_minutes, steps * curve.minutes[-1] / curve.steps[-1])
        if not falls:
            return []
        epochs = f"{lacking_epochs:.0f} epochs, " if lacking_epochs else ""
        return [
            f"the loss has not levelled off ({'; '.join(falls)}). It lacks {epochs}{lacking_minutes:.1f} minutes a run at "
            f"most, if the fall halves with every {WINDOW} evaluations until it is below {SMALLEST_FALL} nats."
        ]

    def _under(self, floor: str) -> list[str]:
        """Whether the configuration that the comparison is about fails to beat the floor."""
        first = self._first(floor)
        pair = self._pair(first.name, floor)
        if pair.first == first.name and pair.is_told_apart:
            return []
        return [
            f"{first.title} ({_number(first.loss.value)} nats a {first.words.step}) does not beat "
            f"{self.configurations[floor].title} ({_number(self.configurations[floor].loss.value)}); it lacks training, "
            "units or data."
        ]

    def _first(self, floor: str) -> ConfigurationResult:
        return next(one for name, one in self.configurations.items() if name != floor)

    def _loss(self, name: str) -> float:
        value = self.configurations[name].loss.value
        return math.inf if value is None else value

    def _pair(self, first: str, second: str) -> PairResult:
        return next(pair for pair in self.pairs if {pair.first, pair.second} == {first, second})


def _share(result: SamplesResult, name: str) -> str:
    """A share with its interval."""
    figure = result.figures[name]
    if figure.value is None or figure.interval is None:
        return "an unknown share"
    low, high = figure.interval
    return f"{figure.value:.0%} ({low:.0%} to {high:.0%})"


def _bits(nats: Estimate) -> str:
    """A difference in bits, with its interval."""
    low, high = nats.interval or (None, None)
    bounds = None if low is None or high is None else (low / math.log(2), high / math.log(2))
    return _interval(Estimate((nats.value or 0.0) / math.log(2), bounds))


def _interval(estimate: Estimate) -> str:
    """A figure with its interval."""
    value, *bounds = (_number(number) for number in (estimate.value or 0.0, *(estimate.interval or ())))
    return f"{value} ({' to '.join(bounds)})" if bounds else value


def _number(value: float | None) -> str:
    return f"{value or 0.0:.3f}".replace("-", "\u2212")
