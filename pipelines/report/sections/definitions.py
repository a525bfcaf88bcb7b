"""What each figure means."""

from etude.pipelines.comparison.learning_curves import ALPHA, SMALLEST_FALL, WINDOW
from etude.pipelines.comparison.statistics.bootstrap import NUM_RESAMPLES
from etude.pipelines.comparison.statistics.significance import NUM_SAMPLES
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, terms

STEP_NAMES = {1: "A quarter note", 2: "An eighth note", 4: "A sixteenth note", 8: "A thirty-second note"}
"""What a step is, by how many a quarter note has."""

_STEP = (
    "At every step a melody has one event: a note begins, the sounding note ends, or nothing new happens (“no event”). The "
    "first event of a melody is given; all others are predicted."
)
DEFINITIONS = (
    (
        "Event loss (nats a step)",
        "Minus the natural logarithm of the probability of the true event, on average over all predicted steps. Where "
        "several labels of an encoding stand for one event, their probabilities are added. Comparable between "
        "configurations; this is what ranks them.",
    ),
    ("Bits a note", "The same, summed over all steps, in bits, divided by the number of notes that begin."),
    ("Accuracy", "How often the event with the highest probability is the true one."),
    ("Log-likelihood a melody", "The sum of the logarithms over a melody, on average over melodies, in nats."),
    (
        "Label figures",
        "Loss, perplexity and accuracy over the labels of the encoding as Magenta defines them, with dropout off and every "
        "melody counted once. Event and no-event accuracy are those at steps whose true label is, or is not, another than "
        "“no event”. Mean inverse probability is what Magenta called perplexity until 2017.",
    ),
    (
        "95% interval",
        f"Of {NUM_RESAMPLES:,} resamples, each with as many melodies drawn with replacement and, where a configuration was "
        "trained with several seeds, as many seeds, the middle 95%. The same melodies are drawn for all configurations, so "
        "that the interval of a difference is that of paired figures. With few seeds it says little about seeds.",
    ),
    (
        "Corrected p",
        "If neither configuration were better, the difference on each melody could as well have the other sign: the share "
        f"of sign patterns ({NUM_SAMPLES:,} drawn, or all where melodies are few) with a difference at least as large, "
        "two-sided, on the mean log-likelihood over seeds. Corrected for the number of pairs after Holm.",
    ),
    (
        "Told apart",
        "The corrected p is below 0.05 and the interval of the difference does not hold zero. Otherwise this data does not "
        "say which is better.",
    ),
    (
        "Simple rules (baselines)",
        "Fitted on the training melodies and scored on the very same steps. “No event” gives every other event no "
        "probability, so that only its accuracy means anything.",
    ),
    (
        "Not converged",
        f"The event loss of the last {WINDOW} evaluations of a run falls along a straight line (slope test, one-sided, p "
        f"below {ALPHA}) by at least {SMALLEST_FALL} nats, so that training was ended before its time.",
    ),
    ("New and repeated bars", "A bar is repeated if the melody had the very same bar, event for event, before."),
)


def definitions_section(content: Content) -> Section:
    """Definitions of all figures, and each baseline's."""
    baselines = {
        baseline.name: (baseline.title, baseline.summary) for baseline in content.baselines(content.main_pitch_range)
    }
    steps = content.results.dataset.steps_per_quarter
    step = STEP_NAMES.get(steps, f"One of {steps} equal parts of a quarter note")
    defined = terms([("Step", f"{step}. {_STEP}"), *DEFINITIONS, *baselines.values()])
    return Section("definitions", "What the figures mean", defined)
