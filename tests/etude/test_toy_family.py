"""A family and two representations of a stranger's go through every command; `tests/toy_family.py` is all that they are."""

import csv
import json
import pathlib
import random
import re

import numpy as np
import pytest

from etude.command_line import main
from etude.models import registry
from etude.models.dataset import read_sequences
from etude.models.model import load
from etude.models.networks.network import log_softmax

TOY, PAIRED = "tests.toy_family:FAMILY", "tests.toy_family:PAIRED"
FAMILIES = ("--family", TOY, "--family", PAIRED)


def tune(number):
    chooser = random.Random(number)
    bars = "|".join("".join(chooser.choice("CDEFGABcde") for _ in range(8)) for _ in range(8))
    return f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:C\n{bars}|\n"


@pytest.fixture(autouse=True, scope="module")
def no_other_test_sees_them():
    known = dict(registry.FAMILIES)
    yield
    registry.FAMILIES.clear()
    registry.FAMILIES.update(known)
    registry.USED.clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty tunes, their signs, pairs and melodies, and a run of each family."""
    folder = tmp_path_factory.mktemp("toys")
    (folder / "music").mkdir()
    for number in range(40):
        (folder / "music" / f"{number}.abc").write_text(tune(number))
    run("convert", folder / "music", "--output", folder / "notes")
    ratio = ("--eval-ratio", "0.3")
    run("dataset", folder / "notes", "--output", folder / "melodies", *ratio)
    for name, options in (("Signs", ["--option", "max_tokens=900"]), ("Pairs", [])):
        made = ("--output", folder / name.lower(), "--representation", f"tests.toy_family:{name}")
        run("dataset", folder / "notes", *made, *ratio, *options)
    for config, name, data in ((TOY, "toy", "signs"), (PAIRED, "paired", "pairs"), ("ngram", "counted", "pairs")):
        steps = () if config == "ngram" else ("--num-steps", "8", "--eval-every", "4")
        run("train", "--config", config, "--dataset", folder / data, "--run-dir", folder / name, *steps)
    run("generate", folder / "toy", "--output", folder / "texts", "--num-outputs", "20", "--seed", "3", *FAMILIES)
    return folder


@pytest.fixture(scope="module")
def report(folder):
    """Both families and a counted model, each on its representation of the same pieces."""
    models = [folder / name for name in ("toy", "paired", "counted")]
    datasets = ("--dataset", folder / "signs", folder / "pairs")
    run("compare", *models, *datasets, "--output", folder / "report", "--generated", folder / "texts", *FAMILIES)
    return folder / "report"


def run(*words, status=0):
    assert main([str(word) for word in words]) == status


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def token_log_likelihood(model, tokens):
    """Step by step, in float64: the token's own label and the alias, where that stands for it, together."""
    inputs = model.encoding.inputs(tokens[None, :-1], {})
    log_probabilities = log_softmax(model.network.logits(inputs).astype(np.float64))[0]
    total = 0.0
    for step, token in enumerate(tokens[1:]):
        probability = np.exp(log_probabilities[step, token])
        before = tokens[step - 1] if step >= 1 else 0
        total += np.log(probability + (np.exp(log_probabilities[step, -1]) if before == token else 0.0))
    return total


def test_a_run_keeps_the_vocabulary_as_data(folder):
    stored = load(folder / "toy").configuration
    description = json.loads((folder / "signs" / "dataset.json").read_text())["representation"]
    assert stored.representation == description["name"] == "signs"
    assert stored.vocabulary == tuple(description["vocabulary"])
    assert len(stored.vocabulary) > 300
    assert stored.representation_options == {"max_tokens": "900"}
    assert stored.unit == "sign"
    assert "tests." not in (folder / "toy" / "config.textproto").read_text()


def test_figures_are_those_of_every_sequence(folder, capfd):
    run("evaluate", folder / "toy", "--dataset", folder / "signs", "--json", "-", *FAMILIES)
    figures = json.loads(capfd.readouterr().out)
    model, sequences = load(folder / "toy"), read_sequences(folder / "signs", "eval")
    expected = [token_log_likelihood(model, sequences.tokens(index)) for index in range(len(sequences))]
    assert figures["num_sequences"] == len(sequences) > 5
    assert figures["token"]["log_likelihood"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert figures["token"]["loss"] == pytest.approx(-np.sum(expected) / (sequences.lengths - 1).sum(), rel=1e-5)
    assert figures["token"]["loss"] < figures["label"]["loss"]
    assert figures["num_notes"] == 64 * len(sequences)
    assert figures["note"] == pytest.approx(
        {"bits_per_note": -np.sum(expected) / np.log(2) / figures["num_notes"]}, rel=1e-5
    )
    assert "melod" not in json.dumps(figures)
    assert "event" not in json.dumps(figures)


def test_a_beam_job_gives_the_same(folder, capfd):
    words = ("evaluate", folder / "toy", "--dataset", folder / "signs", "--json", "-", *FAMILIES)
    run(*words)
    alone = json.loads(capfd.readouterr().out)
    run(*words, "--workers", "2")
    by_beam = json.loads(capfd.readouterr().out)
    assert by_beam.keys() == alone.keys()
    for group in ("label", "token", "note"):
        assert by_beam[group] == pytest.approx(alone[group])


def test_texts_are_scored_whole(folder, capfd, tmp_path):
    """A text of the dataset costs what its sequence costs, and one that was generated what was said of it."""
    model, sequences = load(folder / "toy"), read_sequences(folder / "signs", "eval")
    text = tmp_path / "text"
    text.write_text(model.domain.render(sequences.tokens(2)))
    # Those that ended, and in which no mark occurs: a text does not write marks.
    lines = json_lines(folder / "texts" / "generated.jsonl")
    generated = [line for line in lines if model.domain.parse_whole(line["text"]).tolist() == line["tokens"]]
    assert generated
    files = [text, *(folder / "texts" / line["file"] for line in generated)]
    run("score", folder / "toy", *(word for file in files for word in ("--text", file)), *FAMILIES)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["source"] for line in lines] == list(map(str, files))
    assert lines[0]["num_tokens"] == sequences.lengths[2]
    assert lines[0]["token_log_likelihood"] == pytest.approx(token_log_likelihood(model, sequences.tokens(2)), rel=1e-5)
    for line, one in zip(lines[1:], generated, strict=True):
        for name in ("token_log_likelihood", "log_likelihood"):
            assert line[name] == pytest.approx(one[name], abs=1e-3)


def test_music_is_scored_as_the_representation_reads_it(folder, capfd):
    """A file of music costs what its sequence in the dataset costs."""
    model, sequences = load(folder / "toy"), read_sequences(folder / "signs", "eval")
    name = sequences.sources[0]
    file = next(path for path in (folder / "music").iterdir() if path.name == name.rpartition("/")[2].partition("#")[0])
    run("score", folder / "toy", file, *FAMILIES)
    (line,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert line["token_log_likelihood"] == pytest.approx(token_log_likelihood(model, sequences.tokens(0)), rel=1e-5)


def test_symbols_that_nobody_knows_are_the_unknown(folder, capfd, tmp_path):
    (tmp_path / "text").write_text("CD\u2603")
    run("score", folder / "toy", "--text", tmp_path / "text", *FAMILIES)
    model = load(folder / "toy")
    known = model.configuration.vocabulary
    tokens = np.array([known.index(symbol) for symbol in ("<start>", "C", "D", "<unknown>", "<end>")])
    (line,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert line["token_log_likelihood"] == pytest.approx(token_log_likelihood(model, tokens), rel=1e-5)


def test_a_primer_goes_on(folder, tmp_path):
    words = ("generate", folder / "toy", "--output", tmp_path, "--num-outputs", "2", "--seed", "1", "--new-steps", "9")
    run(*words, "--primer-text", "CDE|", *FAMILIES)
    for line in json_lines(tmp_path / "generated.jsonl"):
        assert line["text"].startswith("CDE|")
        assert (tmp_path / line["file"]).read_text() == line["text"]
        assert line["num_primer_tokens"] == 5
        assert set(line["ngram_overlap"]) == {"4", "8"}


def test_training_goes_on_where_it_stopped(folder, tmp_path):
    words = ("--config", TOY, "--dataset", folder / "signs", "--run-dir", tmp_path / "run", "--eval-every", "4")
    for steps in (4, 8):
        run("train", *words, "--num-steps", steps)
    whole, resumed = ([line["token"] for line in json_lines(path / "metrics.jsonl") if line["split"] == "eval"]
                      for path in (folder / "toy", tmp_path / "run"))  # fmt: skip
    assert resumed == [pytest.approx(line) for line in whole]


def test_pieces_pair_representations(folder, report):
    results = json.loads((report / "results.json").read_text())
    (pieces,) = results["pieces"]
    assert pieces["representations"] == ["signs", "pairs"]
    sets = {name: read_sequences(folder / name, "eval") for name in ("signs", "pairs")}
    assert pieces["num_pieces"] == len(sets["signs"]) == len(set(sets["signs"].sources) & set(sets["pairs"].sources))
    costs = {}
    for name, data in (("toy", "signs"), ("paired", "pairs"), ("counted", "pairs")):
        sums = load(folder / name).evaluate(sets[data])["token_log_likelihood"]
        costs[name] = dict(zip(sets[data].sources, -sums, strict=True))
    names = {"toy": "toy", "paired": "paired", "counted": "ngram"}
    for name, found in costs.items():
        figures = pieces["figures"][names[name]]
        assert figures["nats_per_piece"]["value"] == pytest.approx(np.mean(list(found.values())), rel=1e-5)
        bits = sum(found.values()) / np.log(2) / pieces["num_notes"]
        assert figures["bits_per_note"]["value"] == pytest.approx(bits, rel=1e-5)
    assert pieces["num_notes"] == 64 * pieces["num_pieces"]
    (pair,) = [one for one in pieces["pairs"] if {one["first"], one["second"]} == {"toy", "paired"}]
    difference = np.mean([costs["toy"][piece] - costs["paired"][piece] for piece in costs["toy"]])
    assert abs(pair["nats_per_piece"]["value"]) == pytest.approx(abs(difference), rel=1e-5)
    assert "pieces best" in results["verdict"]["headline"]


def test_nothing_in_a_report_is_a_melody(report):
    page = (report / "report.html").read_text()
    visible = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    text = " ".join(re.findall(r">([^<]+)<", visible) + re.findall(r'aria-label="([^"]+)"', visible))
    assert "Nats a sign" in text
    assert "Sign loss" in text
    assert "What they write" in text
    assert not re.search(r"melod|\bevents?\b", text, re.IGNORECASE)
    for name in ("results.json", "results.csv"):
        assert not re.search(r"num_melodies\": [1-9]|event|pitch_range", _without_descriptions(report / name))


def _without_descriptions(path):
    """What a file holds apart from the dataset.json in it, whose fields are older than other representations."""
    if path.suffix == ".csv":
        return path.read_text()
    results = json.loads(path.read_text())
    for dataset in (results["dataset"], *results["datasets"]):
        del dataset["description"]
    return json.dumps(results)


def test_the_table_has_every_representation(report):
    rows = list(csv.DictReader((report / "results.csv").read_text().splitlines()))
    found = {(row["domain"].partition(",")[0], row["name"]) for row in rows if row["kind"] == "configuration"}
    assert found == {("signs", "toy"), ("pairs", "paired"), ("pairs", "ngram")}
    breakdowns = {row["breakdown"] for row in rows if row["kind"] == "breakdown"}
    assert breakdowns == {"place", "length", "kind_odd"}
    assert {row["kind"] for row in rows} >= {"pieces", "pieces-pair"}


def test_a_study_makes_the_datasets_that_its_families_read(folder, tmp_path, capfd):
    study = tmp_path / "toys.toml"
    study.write_text(
        f'title = "Toys"\nsources = ["{folder / "music"}"]\nnum_steps = 4\neval_every = 4\n[dataset]\neval_ratio = 0.3\n'
        '[configurations.toy]\nprimer_text = "CC"\n'
        '[configurations.counted]\nconfig = "ngram"\nrepresentation = "pairs"\n'
        "[configurations.basic]\nhparams = { rnn_layer_sizes = [4], batch_size = 8 }\n"
        "[representations.signs]\nmax_tokens = 900\n[generate]\nnum_outputs = 2\nnum_steps = 24\n"
    )
    run("study", study, "--output", tmp_path / "study", *FAMILIES)
    assert "Toy" in capfd.readouterr().out
    results = json.loads((tmp_path / "study" / "results.json").read_text())
    assert [dataset.get("representation", "melody") for dataset in results["datasets"]] == ["signs", "pairs", "melody"]
    fingerprints = {dataset["description"]["pieces_fingerprint"] for dataset in results["datasets"]}
    assert len(fingerprints) == 1
    assert [one["num_pieces"] for one in results["pieces"]] == [results["datasets"][0]["num_sequences"]]
    texts = json_lines(tmp_path / "study" / "generated" / "toy-seed0" / "generated.jsonl")
    assert [line["text"][:2] for line in texts] == ["CC", "CC"]
    page = (tmp_path / "study" / "report.html").read_text()
    assert "What they play" in page
    assert "What they write" in page
    assert "stands apart" in " ".join(results["verdict"]["sentences"])


WRONG = {
    "of-another-representation": (
        lambda folder: ("evaluate", folder / "toy", "--dataset", folder / "pairs"),
        "toy reads sequences of signs, but .*pairs holds sequences of pairs",
    ),
    "melodies": (
        lambda folder: ("compare", folder / "toy", "--dataset", folder / "melodies", "--output", folder / "no"),
        "toy reads sequences of signs, but .*melodies holds melodies",
    ),
    "to-train": (
        lambda folder: ("train", "--config", "basic", "--dataset", folder / "signs", "--run-dir", folder / "no"),
        "basic reads melodies, but .*signs holds sequences of signs; .*--representation melody",
    ),
    "toy-to-train": (
        lambda folder: ("train", "--config", TOY, "--dataset", folder / "melodies", "--run-dir", folder / "no"),
        r"toy reads sequences of signs, but .*melodies holds melodies; .*--representation tests\.toy_family:Signs",
    ),
    "two-of-one": (
        lambda folder: (
            "compare", folder / "toy", "--dataset", folder / "signs", "--dataset", folder / "signs", "--output", folder / "no"
        ),
        "are both of the representation signs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_go_together_is_said(folder, name, capfd):
    words, message = WRONG[name]
    families = () if "train" in words(folder) else FAMILIES
    run(*words(folder), *families, status=1)
    assert re.search(message, " ".join(capfd.readouterr().err.split()))
    assert not (folder / "no").exists()


def test_datasets_of_other_pieces_do_not_pair(folder, tmp_path, capfd):
    words = ("--output", tmp_path / "pairs", "--representation", "tests.toy_family:Pairs", "--eval-ratio", "0.3")
    run("dataset", folder / "notes", *words, "--salt", "other")
    data = ("--dataset", folder / "signs", tmp_path / "pairs")
    run("compare", folder / "toy", *data, "--output", tmp_path / "report", *FAMILIES, status=1)
    assert "not of the same pieces with the same split" in capfd.readouterr().err


def test_another_vocabulary_is_refused(folder, tmp_path, capfd):
    for number in range(40):
        (tmp_path / f"{number}.abc").write_text(tune(number).replace("e", "f"))
    run("convert", tmp_path, "--output", tmp_path / "notes")
    words = ("--representation", "tests.toy_family:Signs", "--option", "max_tokens=900", "--eval-ratio", "0.3")
    run("dataset", tmp_path / "notes", "--output", tmp_path / "signs", *words)
    run("evaluate", folder / "toy", "--dataset", tmp_path / "signs", *FAMILIES, status=1)
    assert re.search(r"vocabulary of \d+ symbols, but that of .* 'f' among", capfd.readouterr().err)


def test_nothing_that_is_read_is_imported(folder, monkeypatch, tmp_path, capfd):
    """Only a name that the user typed is: a run says the family's own name, and one that names a module is none."""
    monkeypatch.delitem(registry.FAMILIES, "toy")
    monkeypatch.setattr(registry, "USED", {})
    run("evaluate", folder / "toy", "--dataset", folder / "signs", status=1)
    assert "'toy'; say where it is with --family MODULE:NAME" in " ".join(capfd.readouterr().err.split())
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    run_dir = pathlib.Path(tmp_path / "run")
    run_dir.mkdir()
    config = (folder / "toy" / "config.textproto").read_text()
    (run_dir / "config.textproto").write_text(config.replace('config: "toy"', 'config: "trap:FAMILY"'))
    run("evaluate", run_dir, "--dataset", folder / "signs", status=1)
    assert "'trap:FAMILY'" in capfd.readouterr().err
    study = tmp_path / "trap.toml"
    study.write_text('sources = ["x"]\nnum_steps = 1\n[configurations.a]\nconfig = "trap:FAMILY"\n')
    run("study", study, "--output", tmp_path / "study", status=1)
    assert "unknown configuration 'trap:FAMILY'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_module:FAMILY", "no family"),
        ("tests.toy_family:NONE", "no family"),
        ("tests.toy_family:BACK", "not a Family"),
    ],
)
def test_families_that_are_none(name, message, folder, capfd):
    run("evaluate", folder / "toy", "--dataset", folder / "signs", "--family", name, status=2)
    assert message in capfd.readouterr().err
