"""What each figure means, and how to make the report again."""

from etude.pipelines.comparison.results.results import ConfigurationResult
from etude.pipelines.comparison.statistics.bootstrap import NUM_RESAMPLES
from etude.pipelines.comparison.statistics.significance import NUM_SAMPLES
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import details, element, escape, paragraph, section, table

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
    ("New and repeated bars", "A bar is repeated if the melody had the very same bar, event for event, before."),
)


def definitions_section(content: Content) -> str:
    """Definitions of all figures, and each baseline's."""
    baselines = {
        baseline.name: (baseline.title, baseline.summary) for baseline in content.baselines(content.main_pitch_range)
    }
    steps = content.results.dataset.steps_per_quarter
    step = STEP_NAMES.get(steps, f"One of {steps} equal parts of a quarter note")
    terms = [("Step", f"{step}. {_STEP}"), *DEFINITIONS, *baselines.values()]
    pairs = "".join(element("dt", escape(term)) + element("dd", escape(text)) for term, text in terms)
    return section("definitions", "What the figures mean", element("dl", pairs))


def reproduction_section(content: Content) -> str:
    """The command, and every configuration in full."""
    results = content.results
    command = element("pre", element("code", escape(content.presentation.command)), tabindex="0", aria_label="Command")
    names = list(
        dict.fromkeys(name for configuration in results.configurations for name in configuration.hyperparameters)
    )
    rows = [
        [
            escape(name),
            *(escape(configuration.hyperparameters.get(name, "")) for configuration in results.configurations),
        ]
        for name in names
    ]
    rows.append(["training steps", *(escape(_length(configuration)) for configuration in results.configurations)])
    columns = ["", *(configuration.title for configuration in results.configurations)]
    hyperparameters = table("Hyperparameters", columns, rows)
    weights = f"Weights: the {results.checkpoint} checkpoint of each run"
    if results.checkpoint == "best":
        weights += ", that is the one with the lowest event loss on the eval split"
    if results.checkpoint == "best" and results.dataset.split == "eval":
        weights += ", which makes every figure here a little better than on melodies that played no part in that choice"
    version = paragraph(f"Etude {results.version}. {weights}.")
    files = paragraph("The same figures as data: results.json and results.csv, beside this page.")
    return section("again", "The same again", command, version, files, details("Hyperparameters", hyperparameters))


def _length(one: ConfigurationResult) -> str:
    if one.num_training_steps:
        return f"{one.num_training_steps:,}"
    return "differ by run" if len(one.runs) > 1 else "unknown"
