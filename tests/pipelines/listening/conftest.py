"""Sources of listening tests: what two models made, and real tunes with titles."""

import json

import numpy as np
import pytest

from etude.pipelines.generation.generate import GENERATED_FILE
from etude.pipelines.listening.create import TestOptions, create_test
from etude.pipelines.listening.pieces import sort_sources
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import melody_music

MODELS = ("lookback-of-mine", "attention-of-mine")
TITLE = "The Unmistakable Reel"


def write_generated(folder, seed, num=5, quarters=12):
    """What 'etude generate' leaves, as far as a test reads it."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    lines = []
    for number in range(num):
        events = np.full(4 * quarters, -2)
        events[::2] = random.integers(55, 80, size=2 * quarters)
        name = f"{folder.name}-{number:02}.mid"
        (folder / name).write_bytes(to_midi(melody_music(events, steps_per_quarter=4, steps_per_bar=16, qpm=90)))
        lines.append({"file": name, "events": events.tolist(), "num_primer_events": 1, "steps_per_quarter": 4})
    (folder / GENERATED_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="session")
def listening_sources(tmp_path_factory):
    """What is typed: a folder of two models, and a folder of real tunes."""
    folder = tmp_path_factory.mktemp("listening")
    for seed, name in enumerate(MODELS):
        write_generated(folder / "made" / name, seed)
    music = folder / "fiddle-tunes"
    music.mkdir()
    random = np.random.default_rng(9)
    for number in range(8):
        notes = "".join("".join(random.choice(list("GABcdefg"), 8)) + "|" for _ in range(6))
        text = f"X:{number}\nT:{TITLE} No. {number}\nC:Composer\nM:4/4\nL:1/8\nQ:1/4={60 + 20 * number}\nK:G\n{notes}\n"
        (music / f"unmistakable-{number}.abc").write_text(text)
    return [str(folder / "made"), str(music)]


@pytest.fixture(scope="session", params=["single", "pair"])
def made_test(request, listening_sources, tmp_path_factory):
    """The folder of a test and its key, of either kind."""
    folder = tmp_path_factory.mktemp(request.param)
    options = TestOptions(request.param, num_clips=8, seconds=3, minimum_seconds=0.5, seed="a seed")
    return folder, create_test(sort_sources(listening_sources), folder, options)
