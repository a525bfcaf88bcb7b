"""How the generated melodies compare with real ones, in numbers."""

from etude.pipelines.comparison.music.measures import SCALARS, VECTORS
from etude.pipelines.comparison.music.polyphony import SCALARS as OF_PIECES
from etude.pipelines.comparison.results.results import MusicResult, MusicSetResult
from etude.pipelines.comparison.statistics.set_distances import Similarity
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import (
    MISSING,
    Section,
    Text,
    details,
    estimate,
    join,
    number,
    paragraph,
    percentage,
    table,
)

_LIKELIHOODS = {
    "event_log_likelihood": "Log-likelihood under its model, events",
    "log_likelihood": "Log-likelihood under its model, labels",
    "path_log_likelihood": "Log-likelihood of the labels drawn (path)",
}
_SHARES = (
    "in_one_key",
    "on_the_beat",
    "repeated_bars",
    "polyphony_rate",
    "scale_consistency",
    "empty_beats",
    "groove_consistency",
    "ends_in_loop",
)
_DISTRIBUTIONS = {
    "pitch_class": "Pitch classes",
    "interval": "Intervals",
    "duration": "Note durations",
    "notes_per_bar": "Notes a bar",
}


def measures_section(content: Content) -> Section | None:
    """Tables of measures, one for each domain; None where no melodies were generated."""
    if not content.results.music:
        return None
    tables = [_of_space(content, music) for music in content.results.music]
    return Section("measures", "How it compares with real music", join(*tables))


def _of_space(content: Content, music: MusicResult) -> Text:
    names = [_name(content, generated_set) for generated_set in music.sets]
    scalars = [
        [
            title,
            *(estimate(generated_set.measures[key], 2, as_percentage=key in _SHARES) for generated_set in music.sets),
        ]
        for key, title in {**SCALARS, **OF_PIECES}.items()
        if key in music.sets[0].measures
    ]
    lengths = sorted({n for generated_set in music.sets for n in generated_set.copied})
    scalars += [
        [
            f"Runs of {n} notes copied from training",
            *(percentage(generated_set.copied.get(n)) for generated_set in music.sets),
        ]
        for n in lengths
    ]
    scalars += [
        [title, *(number(generated_set.likelihoods.get(key), 1) for generated_set in music.sets)]
        for key, title in _LIKELIHOODS.items()
    ]
    apart = content.apart(music.domain)
    means = table(f"Means over melodies{apart}", ["Measure", *names], scalars)
    judged = [generated_set for generated_set in music.sets if generated_set.relative]
    if not judged:
        return join(
            paragraph(
                f"The first {music.num_steps} steps of pieces. What the models made should look like the eval pieces."
            ),
            means,
        )
    columns = ["Measure", *(_name(content, judgement) for judgement in judged)]
    titles = {**SCALARS, **VECTORS}
    relative = [
        [titles[key], *(_similarity(judgement.relative[key]) for judgement in judged)] for key in judged[0].relative
    ]
    pooled = [
        [title, *(_similarity(judgement.distributions[key]) for judgement in judged)]
        for key, title in _DISTRIBUTIONS.items()
    ]
    note = (
        f"The first {music.num_steps} steps of melodies. What the models made should look like the eval melodies, in the "
        "first column; how far real training melodies are from them is in the second."
    )
    explained = (
        "Overlapping area, and below it the Kullback-Leibler divergence in nats. The first table compares, for each measure, "
        "the distances of melodies to the eval melodies with those among the eval melodies (Yang and Lerch 2018); the "
        "second compares the notes of all melodies together. An area of 1 and a divergence of 0 mean no difference."
    )
    return join(
        paragraph(note),
        means,
        details(
            "Similarity to the eval melodies" + apart,
            paragraph(explained),
            table(f"By distances between melodies{apart}", columns, relative),
            table(f"By distributions of notes{apart}", columns, pooled),
        ),
    )


def _name(content: Content, one: MusicSetResult) -> str:
    real = {"eval": f"{content.results.dataset.split.capitalize()} melodies", "train": "Training melodies"}
    return f"{real.get(one.name) or content.title(one.name)} ({one.num_melodies:,})"


def _similarity(similarity: Similarity | None) -> Text:
    if similarity is None:
        return MISSING
    return join(number(similarity.overlap, 2), " ", element("small", number(similarity.divergence, 3)))
