"""What each figure means."""

from etude.pipelines.comparison.learning_curves import ALPHA, SMALLEST_FALL, WINDOW
from etude.pipelines.comparison.statistics.bootstrap import NUM_RESAMPLES
from etude.pipelines.comparison.statistics.significance import NUM_SAMPLES
from etude.pipelines.comparison.words import Words
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, terms

STEP_NAMES = {1: "A quarter note", 2: "An eighth note", 4: "A sixteenth note", 8: "A thirty-second note"}
"""What a step is, by how many a quarter note has."""

_STEP = (
    "At every step a melody has one event: a note begins, the sounding note ends, or nothing new happens (“no event”). The "
    "first event of a melody is given; all others are predicted."
)
_NO_EVENT = "Event and no-event accuracy are those at steps whose true label is, or is not, another than “no event”. "
_NO_EVENT_RULE = " “No event” gives every other event no probability, so that only its accuracy means anything."
_PIECES = (
    (
        "Nats a piece",
        "Minus the logarithm of the probability of all predicted tokens of a piece, on average over pieces: comparable "
        "between representations that cover the same of a piece. Intervals and tests are over pieces. Bits a note: the same, "
        "in bits, over the notes of the pieces, which are counted once for all representations.",
    ),
)
_REPEATED_BARS = (
    "New and repeated bars",
    "A bar is repeated if the melody had the very same bar, event for event, before.",
)


def _definitions(words: Words) -> list[tuple[str, str]]:
    """Terms and what they mean for sequences that are called so."""
    token, step, one, several = words.token, words.step, words.sequence, words.sequences
    found = [
        (
            f"{token.capitalize()} loss (nats a {step})",
            f"Minus the natural logarithm of the probability of the true {token}, on average over all predicted "
            f"{words.steps}. Where several labels of an encoding stand for one {token}, their probabilities are added. "
            "Comparable between configurations; this is what ranks them.",
        ),
        (
            "Bits a note",
            f"The same, summed over all {words.steps}, in bits, divided by the number of notes that begin.",
        ),
        ("Accuracy", f"How often the {token} with the highest probability is the true one."),
        (
            f"Log-likelihood a {one}",
            f"The sum of the logarithms over a {one}, on average over {several}, in nats.",
        ),
        (
            "Label figures",
            "Loss, perplexity and accuracy over the labels of the encoding as Magenta defines them, with dropout off and "
            f"every {one} counted once. {_NO_EVENT if words.are_melodies else ''}Mean inverse probability is what Magenta "
            "called perplexity until 2017.",
        ),
        (
            "95% interval",
            f"Of {NUM_RESAMPLES:,} resamples, each with as many {several} drawn with replacement and, where a configuration "
            f"was trained with several seeds, as many seeds, the middle 95%. The same {several} are drawn for all "
            "configurations, so that the interval of a difference is that of paired figures. With few seeds it says little "
            "about seeds.",
        ),
        (
            "Corrected p",
            f"If neither configuration were better, the difference on each {one} could as well have the other sign: the "
            f"share of sign patterns ({NUM_SAMPLES:,} drawn, or all where {several} are few) with a difference at least as "
            "large, two-sided, on the mean log-likelihood over seeds. Corrected for the number of pairs after Holm.",
        ),
        (
            "Told apart",
            "The corrected p is below 0.05 and the interval of the difference does not hold zero. Otherwise this data does "
            "not say which is better.",
        ),
        (
            "Simple rules (baselines)",
            f"Fitted on the training {several} and scored on the very same {words.steps}."
            + (_NO_EVENT_RULE if words.are_melodies else ""),
        ),
        (
            "Not converged",
            f"The {token} loss of the last {WINDOW} evaluations of a run falls along a straight line (slope test, one-sided, "
            f"p below {ALPHA}) by at least {SMALLEST_FALL} nats, so that training was ended before its time.",
        ),
    ]
    return [*found, _REPEATED_BARS] if words.are_melodies else found


def _step(content: Content, words: Words) -> tuple[str, str]:
    """What a step is, or a token."""
    if not words.are_melodies:
        return (
            words.step.capitalize(),
            f"One token of a {words.sequence}. The first one is given; all others are predicted.",
        )
    steps = content.results.dataset_of(content.main_domain).steps_per_quarter
    step = STEP_NAMES.get(steps, f"One of {steps} equal parts of a quarter note")
    return "Step", f"{step}. {_STEP}"


def definitions_section(content: Content) -> Section:
    """Definitions of all figures, and each baseline's."""
    baselines = {
        baseline.name: (baseline.title, baseline.summary) for baseline in content.baselines(content.main_domain)
    }
    words = content.words(content.main_domain)
    defined = terms(
        [_step(content, words), *_definitions(words), *_PIECES[: len(content.results.pieces)], *baselines.values()]
    )
    return Section("definitions", "What the figures mean", defined)
