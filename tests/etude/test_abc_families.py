"""ABC as text, from tunes to generated tunes, by the commands."""

import json
import random

import pytest

from etude import load
from etude.models.registry import families_of, family

TINY = {"abc-characters": "batch_size=4,chunk_steps=40", "abc-tokens": "batch_size=8"}
TUNE = "X:1\nT:Given\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|dcBA GFED|\n"


def tune(number):
    chooser = random.Random(number)
    bars = "|".join("".join(chooser.choice("CDEFGABcde") for _ in range(8)) for _ in range(4))
    return f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:C\n{bars}|\n"


@pytest.mark.parametrize("config", TINY)
def test_from_tunes_to_tunes(etude, config):
    representation = family(config).representation
    (etude.folder / "tunes.abc").write_text("\n".join(map(tune, range(1, 31))))
    etude("convert", "tunes.abc", "--output", "notes")
    etude("dataset", "notes", "--output", "data", "--representation", representation, "--eval-ratio", "0.3")
    # A family is also known by the name of its representation.
    training = ("--num-steps", 2, "--hparams", f"rnn_layer_sizes=[8],{TINY[config]}")
    etude("train", "--config", representation, "--dataset", "data", "--run-dir", "run", *training)
    figures = json.loads(etude("evaluate", "run", "--dataset", "data", "--json", "-").stdout)
    assert {"num_sequences", "token", "log_likelihood"} <= set(figures)
    etude("generate", "run", "--output", "made", "--num-outputs", 2, "--num-steps", 60, "--seed", 1)
    written = sorted(path.name for path in (etude.folder / "made").glob("*.abc"))
    assert written == [f"{config}-stochastic-seed1-0{number}.abc" for number in (1, 2)]
    (etude.folder / "given.abc").write_text(TUNE)
    line = json.loads(etude("score", "run", "--text", "given.abc").stdout)
    model = load(etude.folder / "run")
    tokens = model.domain.parse_whole(TUNE)
    assert line["num_tokens"] == len(tokens)
    assert line["log_likelihood"] == pytest.approx(model.log_likelihood([tokens])[0], rel=1e-6)


def test_datasets_lead_to_the_families_that_read_them():
    assert families_of("abc_characters") == ["abc-characters", "ngram"]
    assert families_of("abc_tokens") == ["abc-tokens", "ngram"]
