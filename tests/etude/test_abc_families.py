"""ABC as text, from tunes to generated tunes, by the commands."""

import dataclasses
import itertools
import json
import random
import re

import numpy as np
import pytest

from etude import load
from etude.models.abc.validity import validity
from etude.models.dataset import read_description, read_for_model
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


def lines_of(folder):
    return [json.loads(line) for line in (folder / "generated.jsonl").read_text().splitlines()]


def check_figures(etude, figures):
    """From the saved weights, by the plain equations in float64: the whole, and header and body by themselves."""
    model = load(etude.folder / "run")
    tunes = read_for_model(etude.folder / "data", "eval", model.configuration)
    nats = {"header": [], "body": []}
    for number in range(len(tunes)):
        tokens, num_header = tunes.tokens(number), int(tunes.attributes["num_header_tokens"][number])
        found = plain_log_likelihoods(model, tokens)
        nats["header"] += found[: num_header - 1].tolist()
        nats["body"] += found[num_header - 1 :].tolist()
    every = nats["header"] + nats["body"]
    assert figures["log_likelihood"] == pytest.approx(sum(every) / len(tunes), rel=1e-6)
    assert figures["token"]["loss"] == pytest.approx(-np.mean(every), rel=1e-6)
    assert figures["token"]["bits_per_step"] == pytest.approx(-np.mean(every) / np.log(2), rel=1e-6)
    for part, values in nats.items():
        assert figures["by"]["part"][part]["num_steps"] == len(values)
        assert figures["by"]["part"][part]["loss"] == pytest.approx(-np.mean(values), rel=1e-6)
        assert figures["by"]["part"][part]["perplexity"] == pytest.approx(np.exp(-np.mean(values)), rel=1e-6)


def plain_log_likelihoods(model, tokens):
    """The log-likelihood of every token but the first, by an LSTM as it is printed in books."""
    weights = {name: array.astype(np.float64) for name, array in model.weights.items()}
    kernel, bias = weights["layer_0/kernel"], weights["layer_0/bias"]
    units = len(bias) // 4
    cell = output = np.zeros(units)
    found = []
    for token, following in itertools.pairwise(tokens.tolist()):
        gates = kernel[token] + output @ kernel[-units:] + bias
        into, new, forget, out = np.split(gates, 4)
        forget = forget + model.configuration.hyperparameters.forget_bias
        cell = sigmoid(forget) * cell + sigmoid(into) * np.tanh(new)
        output = sigmoid(out) * np.tanh(cell)
        logits = output @ weights["output/kernel"] + weights["output/bias"]
        found.append(logits[following] - np.log(np.exp(logits).sum()))
    return np.array(found)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def check_generation(etude):
    """Headers, opening bars and valid bars; every file, and what is said of tunes that cannot be read."""
    for line in lines_of(etude.folder / "made"):
        text = (etude.folder / "made" / line["file"]).read_text()
        assert line["text"] == text
        is_read = line["validity"]["parses"]
        assert (etude.folder / "made" / line["file"].replace(".abc", ".mid")).exists() == is_read
        assert bool(line["problem"]) != is_read
    header = ("--metre", "4/4", "--key", "C")
    words = ("--num-outputs", 2, "--seed", 3, "--valid-bars", *header, "--num-steps", 120, "--svg")
    done = etude("generate", "run", "--output", "valid", *words)
    for line in lines_of(etude.folder / "valid"):
        stem = line["file"].removesuffix(".abc")
        assert {path.suffix for path in (etude.folder / "valid").glob(f"{stem}.*")} == {".abc", ".mid", ".svg"}
        assert line["text"].startswith("X:1\nM:4/4\nL:1/8\nK:C")
        found = validity(line["text"])
        assert found.bars
        assert found.repeats
        own = {name: value for name, value in dataclasses.asdict(found).items() if name not in ("clean", "problem")}
        assert own.items() <= line["validity"].items()
        assert line["allowed_log_probability"] < 0
    assert re.search(r"^bars +100\.0% +\d", done.stderr, re.MULTILINE)
    assert "valid bars cost " in done.stderr
    etude("generate", "run", "--output", "opening", "--primer", "tunes.abc#3", "--primer-bars", 1, "--num-outputs", 1)
    (line,) = lines_of(etude.folder / "opening")
    opening = tune(3).splitlines()[-1].split("|")[0] + "|"
    assert f"\n{opening}" in line["text"]
    assert line["primer"] == "tunes.abc#3"
    for wrong in (("--primer-melody", "[60]"), ("--primer", "tunes.abc", "--key", "C"), ("--key", "C")):
        etude("generate", "run", "--output", "no", *wrong, status=2)


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
    check_figures(etude, figures)
    etude("generate", "run", "--output", "made", "--num-outputs", 2, "--num-steps", 60, "--seed", 1)
    written = sorted(path.name for path in (etude.folder / "made").glob("*.abc"))
    assert written == [f"{config}-stochastic-seed1-0{number}.abc" for number in (1, 2)]
    check_generation(etude)
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
