"""What each figure means."""

from etude.pipelines.comparison.definitions import EVENT_STEP, PIECES, TUNES, definitions
from etude.pipelines.comparison.words import Words
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, terms
from etude.pipelines.report.sections.tunes import tunes_result

STEP_NAMES = {1: "A quarter note", 2: "An eighth note", 4: "A sixteenth note", 8: "A thirty-second note"}
"""What a step is, by how many a quarter note has."""


def _step(content: Content, words: Words) -> tuple[str, str]:
    """What a step is, or a token."""
    if not words.are_melodies:
        return (
            words.step.capitalize(),
            f"One token of a {words.sequence}. The first one is given; all others are predicted.",
        )
    steps = content.results.dataset_of(content.main_domain).steps_per_quarter
    step = STEP_NAMES.get(steps, f"One of {steps} equal parts of a quarter note")
    return "Step", f"{step}. {EVENT_STEP}"


def definitions_section(content: Content) -> Section:
    """Definitions of all figures, and each baseline's."""
    baselines = {
        baseline.name: (baseline.title, baseline.summary) for baseline in content.baselines(content.main_domain)
    }
    words = content.words(content.main_domain)
    of_pieces = TUNES if tunes_result(content) else PIECES[: len(content.results.pieces)]
    figures = [*definitions(words), *of_pieces]
    defined = terms(
        [_step(content, words), *((one.term, one.text) for one in figures), *baselines.values()],
    )
    return Section("definitions", "What the figures mean", defined)
