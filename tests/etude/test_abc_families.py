"""ABC as text, from tunes to generated tunes, by the commands."""

import json
import random

import pytest

from etude import load
from etude.models.dataset import read_description
from etude.models.registry import families_of, family
from etude.models.representations.registry import make_representation
from etude.models.representations.vocabulary import Vocabulary
from etude.models.storage.records import read_records

TINY = {"abc-characters": "batch_size=4,chunk_steps=40", "abc-tokens": "batch_size=8"}
TUNE = "X:1\nT:Given\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|dcBA GFED|\n"


def tune(number):
    chooser = random.Random(number)
    bars = "|".join("".join(chooser.choice("CDEFGABcde") for _ in range(8)) for _ in range(4))
    return f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:C\n{bars}|\n"


def held_out_texts(folder):
    """The texts of the eval split; those of tokens as tokens, for they may have been moved into C."""
    description = read_description(folder)
    stored = description.representation
    vocabulary = Vocabulary(tuple(stored.vocabulary))
    representation = make_representation(stored.name, dict(stored.options))
    for name in next(split.files for split in description.splits if split.name == "eval"):
        for record in read_records(folder / name):
            tokens = representation.decode(record).tokens
            is_token = stored.name == "abc_tokens"
            yield " ".join(vocabulary.decode(tokens[1:-1])) if is_token else representation.render(tokens, vocabulary)


@pytest.mark.parametrize("config", TINY)
def test_from_tunes_to_tunes(etude, config):
    representation = family(config).representation
    (etude.folder / "tunes.abc").write_text("\n".join(map(tune, range(1, 31))))
    etude("convert", "tunes.abc", "--output", "notes")
    options = ("--option", "marks=text") if config == "abc-characters" else ()
    etude("dataset", "notes", "--output", "data", "--representation", representation, "--eval-ratio", "0.3", *options)
    # A family is also known by the name of its representation.
    training = ("--num-steps", 2, "--hparams", f"rnn_layer_sizes=[8],{TINY[config]}")
    etude("train", "--config", representation, "--dataset", "data", "--run-dir", "run", *training)
    figures = json.loads(etude("evaluate", "run", "--dataset", "data", "--json", "-").stdout)
    assert {"num_sequences", "token", "log_likelihood"} <= set(figures)
    # The held-out tunes as text, one by one, have the same likelihoods: marks, header and end are all counted.
    texts = []
    for number, text in enumerate(held_out_texts(etude.folder / "data")):
        (etude.folder / f"{number}.abc").write_text(text)
        texts += ["--text", f"{number}.abc"]
    scored = [json.loads(line)["log_likelihood"] for line in etude("score", "run", *texts).stdout.splitlines()]
    assert len(scored) == figures["num_sequences"] > 1
    assert sum(scored) / len(scored) == pytest.approx(figures["log_likelihood"], rel=1e-5)
    etude("generate", "run", "--output", "made", "--num-outputs", 2, "--num-steps", 60, "--seed", 1)
    written = sorted(path.name for path in (etude.folder / "made").glob("*.abc"))
    assert written == [f"{config}-stochastic-seed1-0{number}.abc" for number in (1, 2)]
    (etude.folder / "given.abc").write_text(TUNE)
    line = json.loads(etude("score", "run", "--text", "given.abc").stdout)
    model = load(etude.folder / "run")
    tokens = model.domain.parse_whole(TUNE)
    assert line["num_tokens"] == len(tokens)
    assert line["log_likelihood"] == pytest.approx(model.log_likelihood([tokens])[0], rel=1e-6)
    inspected = etude("inspect", "run", "given.abc", "--output", "units.html").stdout
    assert {"header", "bar line", "pitch", "place in the bar"} <= {line[:26].strip() for line in inspected.splitlines()}
    # Counted models know the same sequences, so that both are compared step by step.
    etude("train", "--config", "ngram", "--dataset", "data", "--run-dir", "counted")
    assert load(etude.folder / "counted").domain == model.domain
    etude("generate", "counted", "--output", "counts", "--num-outputs", 2, "--num-steps", 60, "--seed", 1)
    generated = ("--generated", "made", "counts")
    etude("compare", "run", "counted", "--dataset", "data", "--output", "report", *generated)
    results = json.loads((etude.folder / "report" / "results.json").read_text())
    assert [{pair["first"], pair["second"]} for pair in results["pairs"]] == [{config, "ngram"}]


def test_datasets_lead_to_the_families_that_read_them():
    assert families_of("abc_characters") == ["abc-characters", "ngram"]
    assert families_of("abc_tokens") == ["abc-tokens", "ngram"]
