import html.parser
import json
import re

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.models.generation import GenerationOptions, generate
from etude.models.model import load
from etude.pipelines.compare import compare
from etude.pipelines.comparison.learning_curves import learning_curve, working_minutes
from etude.pipelines.comparison.presentation import Presentation
from etude.pipelines.generation.generate import write_melodies

VOID = {"meta", "link"}


class Reader(html.parser.HTMLParser):
    """Collects elements, and checks that they nest."""

    def __init__(self):
        super().__init__()
        self.elements = []
        self.text = []
        self._open = []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def close(self):
        super().close()
        assert not self._open


@pytest.fixture(scope="session")
def report(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    names = ["basic-0", "lookback-0"]
    for name in names:
        options = GenerationOptions(num_outputs=3, num_steps=40, seed=1)
        model = load(trained.runs[name])
        write_melodies(model, generate(model, [60], options), options, folder / "generated" / name, qpm=120.0)
    results = compare(
        [trained.runs[name] for name in names],
        trained.dataset,
        folder,
        generated=[folder / "generated" / name for name in names],
        presentation=Presentation(
            title="A <study>",
            question="Is 1 < 2 & so on?",
            command="etude study <x>",
            published={"basic": {"accuracy": 0.6, "loss": 1.675}},
            published_notes=["Other music."],
        ),
    )
    text = (folder / "report.html").read_text()
    reader = Reader()
    reader.feed(text)
    reader.close()
    return results, text, reader


def test_question_and_answer_come_first(report):
    results, text, reader = report
    headings = [tag for tag, _ in reader.elements if tag in ("h1", "h2")]
    assert headings[0] == "h1"
    assert "Is 1 < 2 & so on?" in reader.text
    assert results.verdict.headline in reader.text
    assert reader.text.index(results.verdict.headline) < reader.text.index("The figures")
    assert "<study>" not in text


def test_nothing_is_loaded(report):
    _, text, reader = report
    assert not re.search(r"(https?:)?//(?!\s)[a-z]", re.sub(r"<!doctype.*?>", "", text).replace("'use strict'", ""))
    for tag, attributes in reader.elements:
        assert tag not in ("img", "iframe", "object", "embed", "audio", "video")
        assert not attributes.get("src")
        assert attributes.get("href", "data:,") == "data:,"
    assert any("default-src 'none'" in attributes.get("content", "") for _, attributes in reader.elements)


def test_drawings_and_tables_have_text_alternatives(report):
    _, _, reader = report
    drawings = [attributes for tag, attributes in reader.elements if tag == "svg"]
    assert len(drawings) > 10
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") == "true" for drawing in drawings)
    assert sum(tag == "caption" for tag, _ in reader.elements) == sum(tag == "table" for tag, _ in reader.elements) > 5
    identifiers = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_melodies_are_embedded_for_the_player(report):
    _, text, reader = report
    embedded = json.loads(re.search(r'id="melodies">(.*?)</script>', text)[1])
    assert len(embedded) == 4
    assert {len(value["events"]) for value in embedded} == {40}
    assert {value["secondsPerStep"] for value in embedded} == {0.125}
    buttons = [attributes for tag, attributes in reader.elements if tag == "button"]
    assert [button["data-melody"] for button in buttons] == ["0", "1", "2", "3"]


def test_published_figures_stand_beside_ours(report):
    results, _, reader = report
    assert "60.0 %" in reader.text
    assert "1.675" in reader.text
    assert "Other music." in reader.text
    assert results.published == {"basic": {"accuracy": 0.6, "loss": 1.675}}


def test_melodies_of_another_model_are_refused(trained, tmp_path):
    options = GenerationOptions(num_outputs=1, num_steps=20)
    model = load(trained.runs["basic-1"])
    write_melodies(model, generate(model, [60], options), options, tmp_path / "basic-1", qpm=120.0)
    with pytest.raises(EtudeError, match="are of basic-1, but one of these models is expected: basic-0"):
        compare([trained.runs["basic-0"]], trained.dataset, tmp_path / "report", generated=[tmp_path / "basic-1"])
    with pytest.raises(EtudeError, match="no melodies"):
        compare([trained.runs["basic-0"]], trained.dataset, tmp_path / "report", generated=[tmp_path / "none"])


def test_learning_curve_of_a_run(trained):
    curve = learning_curve(trained.runs["basic-0"])
    lines = [json.loads(line) for line in (trained.runs["basic-0"] / "metrics.jsonl").read_text().splitlines()]
    evaluations = [line for line in lines if line["split"] == "eval"]
    assert curve.steps == (20, 40)
    assert curve.losses == tuple(line["event"]["loss"] for line in evaluations)
    assert curve.minutes[1] - curve.minutes[0] == pytest.approx(
        (evaluations[1]["wall_time"] - evaluations[0]["wall_time"]) / 60
    )


def test_pauses_are_no_work():
    times = np.array([0.0, 6.0, 12.0, 18.0, 5000.0, 5006.0])
    assert working_minutes(times) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert working_minutes(np.zeros(0)).size == 0


def test_models_of_another_key_stand_apart(trained, tmp_path):
    names = ("basic-0", "basic-1", "lookback-0", "mono-0")
    results = compare([trained.runs[name] for name in names], trained.dataset, tmp_path)
    text = (tmp_path / "report.html").read_text()
    charts = re.findall(r'aria-label="Event loss against training steps(.*?)"', text)
    assert len(charts) == 2
    assert "Mono" not in charts[0]
    assert all(name in charts[0] for name in ("Basic RNN, run 1", "Basic RNN, run 2", "Lookback RNN, run 1"))
    (pitch_range,) = {
        configuration.pitch_range for configuration in results.configurations if configuration.config == "mono"
    }
    assert charts[1].startswith(f", apart: {pitch_range}: Mono RNN, run 1 ends at")


def test_tables_are_ranked(report):
    results, text, _ = report
    (table,) = re.findall(r"<caption>Event figures</caption>.*?</table>", text)
    num_models = len(results.configurations)
    cells = [row.split(" <small>")[0] for row in re.findall(r'scope="row">.*?</th><td>(.*?)</td>', table)]
    losses = [float(cell) for cell in cells if cell != "–"]
    assert losses == sorted(losses[:num_models]) + sorted(losses[num_models:])
    assert len(losses) == num_models + len(results.baselines) - 1
