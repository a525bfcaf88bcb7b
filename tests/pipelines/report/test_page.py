import base64
import datetime
import html.parser
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import symusic

from etude.models.errors import EtudeError
from etude.models.generation import GenerationOptions, generate
from etude.models.model import load
from etude.pipelines.compare import compare
from etude.pipelines.comparison.music.real_tunes import REAL_TUNES
from etude.pipelines.comparison.presentation import Presentation
from etude.pipelines.comparison.results.results import Verdict
from etude.pipelines.comparison.units import PIECES, SHUFFLES
from etude.pipelines.evaluation.inspect import held_out_pieces, inspect, unit_name
from etude.pipelines.generation.generate import write_melodies
from etude.pipelines.readers.abc.reader import read as read_abc
from etude.pipelines.report.parts import number
from etude.pipelines.report.sections.answer import remarks

VOID = {"meta", "link", "br", "input"}


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
            notes=["Other music."],
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


def test_notes_stand_beside_the_answer_unless_they_are_of_published_figures():
    def shown(published):
        results = SimpleNamespace(verdict=Verdict("It is so.", "Surely.", ["More."]), published=published)
        return remarks(SimpleNamespace(results=results, presentation=Presentation(notes=["Mind this."])))

    assert [line in shown({}) for line in ("More.", "Mind this.")] == [True, True]
    assert [line in shown({"basic": {"loss": 1.0}}) for line in ("More.", "Mind this.")] == [True, False]


def test_nothing_is_loaded(report):
    _, text, reader = report
    assert not re.search(
        r"(https?:)?//(?!\s)[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text).replace("'use strict'", "")
    )
    for tag, attributes in reader.elements:
        assert tag not in ("img", "iframe", "object", "embed", "audio", "video")
        assert not attributes.get("src")
        assert attributes.get("href", "data:,").startswith(("data:", "#"))
    assert any("default-src 'none'" in attributes.get("content", "") for _, attributes in reader.elements)


def test_drawings_and_tables_have_text_alternatives(report):
    _, _, reader = report
    drawings = [attributes for tag, attributes in reader.elements if tag == "svg"]
    assert len(drawings) > 10
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") == "true" for drawing in drawings)
    assert sum(tag == "caption" for tag, _ in reader.elements) == sum(tag == "table" for tag, _ in reader.elements) > 5
    identifiers = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_every_piece_is_there_to_hear_see_and_download(report):
    _, text, reader = report
    pieces = json.loads(re.search(r'id="pieces">(.*?)</script>', text)[1])
    made, real = pieces[:6], pieces[6:]
    assert {piece["numSteps"] for piece in made} == {40}
    assert {piece["secondsPerStep"] for piece in pieces} == {0.125}
    assert len(real) == REAL_TUNES
    buttons = [attributes for tag, attributes in reader.elements if tag == "button"]
    assert [int(button["data-piece"]) for button in buttons] == list(range(len(pieces)))
    scores = [attributes for tag, attributes in reader.elements if attributes.get("class") == "score"]
    assert len(scores) == len(pieces)
    links = [attributes for tag, attributes in reader.elements if tag == "a" and "download" in attributes]
    assert len({link["download"] for link in links}) == 2 * len(pieces)
    for link, other, piece in zip(links[::2], links[1::2], pieces, strict=True):
        midi, abc = (base64.b64decode(one["href"].partition(",")[2]) for one in (link, other))
        notes = symusic.Score.from_midi(midi).tracks[0].notes if piece["notes"] else []
        assert [[note.time // 120, note.duration // 120, note.pitch] for note in notes] == piece["notes"]
        (tune,) = read_abc(abc)
        assert [note.pitch for note in tune.sequence.notes] == [pitch for _, _, pitch in piece["notes"]]


def test_glyphs_are_held_once(report):
    _, _, reader = report
    glyphs = [attributes["id"] for tag, attributes in reader.elements if tag == "g" and "id" in attributes]
    used = {attributes["href"] for tag, attributes in reader.elements if tag == "use"}
    assert used == {f"#{name}" for name in glyphs}
    assert len(glyphs) == len(set(glyphs)) > 5


def test_contents_lead_to_every_section(report):
    _, _, reader = report
    sections = [attributes["id"] for tag, attributes in reader.elements if tag == "section" and "id" in attributes]
    links = [
        attributes["href"] for tag, attributes in reader.elements if tag == "a" and attributes["href"].startswith("#")
    ]
    assert links == [f"#{name}" for name in sections] * 2  # the contents, then the headings
    assert len(sections) >= 7


def test_published_figures_stand_beside_ours(report):
    results, _, reader = report
    assert "60.0%" in reader.text
    assert "1.675" in reader.text
    assert "Other music." in reader.text
    assert results.published == {"basic": {"accuracy": 0.6, "loss": 1.675}}


def test_percentages_are_written_one_way(report):
    _, _, reader = report
    assert not [text for text in reader.text if re.search(r"\d\s%", text)]


def test_what_it_took(report, trained):
    """Parameters by counting the weights that are stored, minutes from the run's own times."""
    _, text, reader = report
    with np.load(trained.runs["basic-0"] / "checkpoints" / "best.npz") as stored:
        count = sum(stored[name].size for name in stored.files if name.startswith("weights/"))
    assert f"{count:,}" in reader.text
    (table,) = re.findall(r"What it took</caption>.*?</table>", text, re.DOTALL)
    assert "<td>40</td>" in table


def test_its_circumstances_are_told(report):
    _, text, _ = report
    told = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))
    assert datetime.datetime.fromisoformat(told["Date"]).date() == datetime.datetime.now().date()
    assert re.fullmatch(r"\S+, commit [0-9a-f]{7,}(, with changes)?", told["Etude"])
    assert re.search(r"\d+ cores, Python 3", told["Compared on"])
    assert "TensorFlow" in told["Trained with"]


def test_each_pair_is_told_once(report):
    results, _, reader = report
    (pair,) = results.pairs
    told = [text for text in reader.text if f"{number(pair.nats_per_step.interval[0])} to" in text]
    assert len(told) == 1


def test_melodies_of_another_model_are_refused(trained, tmp_path):
    options = GenerationOptions(num_outputs=1, num_steps=20)
    model = load(trained.runs["basic-1"])
    write_melodies(model, generate(model, [60], options), options, tmp_path / "basic-1", qpm=120.0)
    with pytest.raises(EtudeError, match="was made by basic-1, but a folder for each of these is expected: basic-0"):
        compare([trained.runs["basic-0"]], trained.dataset, tmp_path / "report", generated=[tmp_path / "basic-1"])
    with pytest.raises(EtudeError, match="no melodies"):
        compare([trained.runs["basic-0"]], trained.dataset, tmp_path / "report", generated=[tmp_path / "none"])


def test_models_of_another_key_stand_apart(trained, tmp_path):
    names = ("basic-0", "basic-1", "lookback-0", "mono-0")
    results = compare([trained.runs[name] for name in names], trained.dataset, tmp_path)
    text = (tmp_path / "report.html").read_text()
    charts = re.findall(r'aria-label="Event loss against epochs(.*?)"', text)
    assert len(charts) == 2
    assert "Mono" not in charts[0]
    assert all(name in charts[0] for name in ("Basic RNN, run 1", "Basic RNN, run 2", "Lookback RNN, run 1"))
    (domain,) = {configuration.domain for configuration in results.configurations if configuration.config == "mono"}
    assert charts[1].startswith(f", apart: {domain}: Mono RNN, run 1 ends at")


def test_tables_are_ranked(report):
    results, text, _ = report
    (table,) = re.findall(r">Event figures</caption>.*?</table>", text, re.DOTALL)
    num_models = len(results.configurations)
    cells = [row.split(" <small")[0] for row in re.findall(r'scope="row">.*?</th><td>(.*?)</td>', table)]
    losses = [float(cell) for cell in cells if cell != "–"]
    assert losses == sorted(losses[:num_models]) + sorted(losses[num_models:])
    assert len(losses) == num_models + len(results.baselines) - 1


def test_units_are_those_that_inspect_finds(trained, report):
    _, text, _ = report
    (section,) = re.findall(r'<section id="units".*?</section>', text, re.DOTALL)
    for column, name in enumerate(["basic-0", "lookback-0"]):
        model = load(trained.runs[name])
        for one in inspect(model, held_out_pieces(model, "", "eval", PIECES, 0), SHUFFLES).following:
            row = re.search(rf'scope="row">{one.feature}</th>(.*?)</tr>', section)
            cells = re.findall(r"<td>(.*?)</td>", row[1]) if row else []
            if one.is_clear:
                assert cells[column].startswith(number(one.followers[0].correlation, 2))
                assert unit_name(one.followers[0].part, one.followers[0].unit) in cells[column]
            else:
                assert not cells or cells[column] == "–"
