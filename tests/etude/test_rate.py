"""`etude rate`, on datasets of melodies, characters and tokens."""

import json
import random

import numpy as np
import pytest

SCALE = "CDEFGABcdefg"


def abc(number, letters=SCALE):
    chooser = random.Random(number)
    place, body = 4, []
    for _ in range(64):
        place = min(max(place + chooser.choice([-2, -1, 1, 2]), 0), len(letters) - 1)
        body.append(letters[place])
    bars = "|".join("".join(body[start : start + 8]) for start in range(0, 64, 8))
    return f"X:{number}\nM:4/4\nL:1/8\nK:C\n{bars}|\n"


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    from tests.etude.conftest import Etude

    run = Etude(tmp_path_factory.mktemp("rated"))
    (run.folder / "tunes.abc").write_text("\n".join(map(abc, range(1, 61))))
    (run.folder / "usual.abc").write_text(abc(99))
    chooser = random.Random(0)
    strange = "|".join("".join(chooser.choice(["^C", "b'", "_E,", "^F"]) for _ in range(8)) for _ in range(8))
    (run.folder / "strange.abc").write_text(f"X:1\nM:4/4\nL:1/8\nK:C\n{strange}|\n")
    (run.folder / "broken.abc").write_text("X:1\nK:C\n[\n")
    run("convert", "tunes.abc", "--output", "notes")
    return run


@pytest.mark.parametrize(
    ("representation", "unit"), [("melody", "step"), ("abc_characters", "character"), ("abc_tokens", "token")]
)
def test_what_is_usual_and_what_is_not(rated, representation, unit):
    dataset = f"dataset-{representation}"
    rated("dataset", "notes", "--output", dataset, "--representation", representation, "--eval-ratio", 0.3)
    done = rated("rate", "usual.abc", "strange.abc", "tunes.abc", "broken.abc", "--against", dataset)
    lines = {line["source"]: line for line in map(json.loads, done.stdout.splitlines())}
    usual = next(line for name, line in lines.items() if "usual" in name)
    strange = next(line for name, line in lines.items() if "strange" in name)
    assert strange["log_likelihood_per_symbol"] < usual["log_likelihood_per_symbol"]
    assert strange["divergence"] > usual["divergence"] > 0
    assert strange["percentile"]["log_likelihood_per_symbol"] == 0
    assert strange["percentile"]["divergence"] == 100
    assert 0 < usual["percentile"]["divergence"] < 100
    for line in lines.values():
        assert line["log_likelihood"] == pytest.approx(line["log_likelihood_per_symbol"] * line["num_symbols"])
    # The tunes that the dataset was made of: those in train are no better than others by much, and none is off the scale.
    own = [line["percentile"]["divergence"] for name, line in lines.items() if "tunes" in name]
    assert len(own) == 60
    assert 25 < np.mean(own) < 75
    assert f"nats a {unit}" in done.stderr
    assert "broken.abc: abc-syntax" in done.stderr
    assert "held out" in done.stderr


def test_what_cannot_be_rated(rated):
    assert "no dataset folder" in rated("rate", "usual.abc", "--against", "nothing", status=1).stderr
    rated("dataset", "notes", "--output", "whole", "--representation", "abc_tokens", "--eval-ratio", 0)
    done = rated("rate", "usual.abc", "--against", "whole")
    assert "percentile" not in json.loads(done.stdout)
    assert "no percentiles" in done.stderr
    assert "nothing to rate" in rated("rate", "broken.abc", "--against", "whole", status=1).stderr
