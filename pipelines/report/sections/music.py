"""What the models made: scores, piano rolls and a player."""

import json

from etude.pipelines.comparison.music.generated_sets import Example, GeneratedSet
from etude.pipelines.rendering.engraving import engrave, score_svg
from etude.pipelines.rendering.mei import to_mei
from etude.pipelines.rendering.piano_roll import piano_roll
from etude.pipelines.report.content import Content
from etude.pipelines.report.markup import element, escape, number, paragraph, section

EXAMPLES = 2
"""Melodies shown of each configuration: the first ones, not the best ones."""


def music_section(content: Content) -> str:
    """Examples of every configuration; nothing where none were generated."""
    if not content.generated:
        return ""
    parts = []
    shown: list[Example] = []
    for configuration in dict.fromkeys(generated_set.configuration for generated_set in content.generated):
        first = next(
            generated_set for generated_set in content.generated if generated_set.configuration == configuration
        )
        parts.append(element("h3", escape(content.title(configuration))))
        parts.append(element("div", _examples(content, first, shown), class_="examples"))
    note = (
        f"The first {EXAMPLES} melodies of the first run of each configuration, not chosen, in the key that the model works "
        "in. The primer is drawn in grey."
    )
    seconds = [60 / (item.qpm * item.steps_per_quarter) for item in shown]
    melodies = [
        {"events": one.events.tolist(), "secondsPerStep": step} for one, step in zip(shown, seconds, strict=True)
    ]
    data = element("script", json.dumps(melodies).replace("<", "\\u003c"), type="application/json", id="melodies")
    return section("music", "What they play", paragraph(note), *parts) + data


def _examples(content: Content, generated: GeneratedSet, shown: list[Example]) -> str:
    cards = []
    for number_, example in enumerate(generated.examples[:EXAMPLES], start=1):
        name = f"{content.title(generated.configuration)}, melody {number_}"
        button = element(
            "button",
            "Play",
            type="button",
            data_melody=len(shown),
            aria_label=f"Play {name}",
            class_="play",
            disabled="",
        )
        nats = f"{number(example.event_log_likelihood, 1)} nats"
        head = element("div", button + element("span", escape(f"Melody {number_} · {nats}")), class_="card-head")
        roll = piano_roll(example.music, f"Piano roll of {name}")
        (engraved,) = engrave([to_mei(example.music)])
        staves = score_svg(engraved, f"Score of {name}") if engraved else ""
        cards.append(element("article", head + str(roll) + str(staves), class_="card", aria_label=name))
        shown.append(example)
    return "".join(cards)
