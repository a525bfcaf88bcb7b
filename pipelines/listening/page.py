"""The page that people listen with. The curious can read all that it holds: nothing may tell real from generated."""

import base64
import functools
from collections.abc import Mapping, Sequence
from importlib import resources

import jinja2
from markupsafe import Markup

from etude.pipelines.listening.design import CHOICES, PAIR, Key
from etude.pipelines.report.parts import POLICY, inlined

_POLICY = f"{POLICY}; media-src blob:"

_LABELS = {
    "real": "A real tune",
    "generated": "Made by a computer",
    "first": "The first is the real tune",
    "second": "The second is the real tune",
}
_SECONDS_TO_DECIDE = 8


def page(key: Key, sounds: Mapping[str, Sequence[bytes]]) -> str:
    """The page as HTML: no other file and no network is needed.

    Args:
      key: of the test; its ids, lengths and kind go into the page, nothing else.
      sounds: the clips of each trial, as MP3, by its id.
    """
    trials = [
        {"id": name, "sounds": [base64.b64encode(sound).decode() for sound in sounds[name]]} for name in sorted(sounds)
    ]
    num_clips = len(trials[0]["sounds"])
    minutes = round(len(trials) * (num_clips * key.seconds + _SECONDS_TO_DECIDE) / 60)
    test = {
        "test": key.test,
        "seconds": key.seconds,
        "minimum": key.minimum_seconds,
        "trials": trials,
    }
    return (
        _environment()
        .get_template("listen.html.j2")
        .render(
            policy=_POLICY,
            style=inlined("style.css") + _read("listen.css"),
            script=_read("listen.js"),
            is_pair=key.kind == PAIR,
            choices=[(value, _LABELS[value]) for value in CHOICES[key.kind]],
            num_trials=len(trials),
            num_clips=num_clips,
            minimum=f"{key.minimum_seconds:g}",
            minutes=max(minutes, 1),
            test=test,
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("etude.pipelines.listening"), autoescape=True, undefined=jinja2.StrictUndefined
    )


def _read(name: str) -> Markup:
    return Markup((resources.files("etude.pipelines.listening") / name).read_text(encoding="utf-8"))
