"""How the generated melodies compare with real ones, in numbers."""

from etude.pipelines.comparison.music.measures import SCALARS, VECTORS
from etude.pipelines.comparison.results.results import MusicResult, MusicSetResult
from etude.pipelines.comparison.statistics.set_distances import Likeness
from etude.pipelines.rendering.markup import element, escape
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import MISSING, details, estimate, number, paragraph, percentage, section, table

_LIKELIHOODS = {
    "event_log_likelihood": "Log-likelihood under its model, events",
    "log_likelihood": "Log-likelihood under its model, labels",
    "path_log_likelihood": "Log-likelihood of the labels drawn (path)",
}
_SHARES = ("in_one_key", "on_the_beat", "repeated_bars")
_DISTRIBUTIONS = {
    "pitch_class": "Pitch classes",
    "interval": "Intervals",
    "duration": "Note durations",
    "notes_per_bar": "Notes a bar",
}


def measures_section(content: Content) -> str:
    """Tables of measures, one for each space; nothing where no melodies were generated."""
    if not content.results.music:
        return ""
    return section(
        "measures", "How it compares with real music", *(_of_space(content, one) for one in content.results.music)
    )


def _of_space(content: Content, music: MusicResult) -> str:
    names = [_name(content, one) for one in music.sets]
    scalars = [
        [escape(title), *(estimate(one.measures[key], 2, as_percentage=key in _SHARES) for one in music.sets)]
        for key, title in SCALARS.items()
    ]
    lengths = sorted({n for one in music.sets for n in one.copied})
    scalars += [
        [f"Runs of {n} notes copied from training", *(percentage(one.copied.get(n)) for one in music.sets)]
        for n in lengths
    ]
    scalars += [
        [escape(title), *(number(one.likelihoods.get(key), 1) for one in music.sets)]
        for key, title in _LIKELIHOODS.items()
    ]
    judged = [one for one in music.sets if one.relative]
    columns = ["", *(_name(content, one) for one in judged)]
    titles = {**SCALARS, **VECTORS}
    relative = [[escape(titles[key]), *(_likeness(one.relative[key]) for one in judged)] for key in judged[0].relative]
    pooled = [
        [escape(title), *(_likeness(one.distributions[key]) for one in judged)] for key, title in _DISTRIBUTIONS.items()
    ]
    apart = "" if music.space == content.main_space else f", apart: {music.space}"
    note = (
        f"The first {music.num_steps} steps of melodies. What the models made should look like the eval melodies, in the "
        "first column; how far real training melodies are from them is in the second."
    )
    explained = (
        "Overlapping area, and below it the Kullback-Leibler divergence in nats. The first table compares, for each measure, "
        "the distances of melodies to the eval melodies with those among the eval melodies (Yang and Lerch 2018); the "
        "second compares the notes of all melodies together. An area of 1 and a divergence of 0 mean no difference."
    )
    return (
        paragraph(note)
        + table(f"Means over melodies{apart}", ["", *names], scalars)
        + details(
            "Likeness to the eval melodies" + apart,
            paragraph(explained),
            table("By distances between melodies", columns, relative),
            table("By distributions of notes", columns, pooled),
        )
    )


def _name(content: Content, one: MusicSetResult) -> str:
    real = {"eval": f"{content.results.dataset.split.capitalize()} melodies", "train": "Training melodies"}
    return f"{real.get(one.name) or content.title(one.name)} ({one.num_melodies:,})"


def _likeness(likeness: Likeness | None) -> str:
    if likeness is None:
        return MISSING
    return number(likeness.overlap, 2) + " " + element("small", number(likeness.divergence, 3))
