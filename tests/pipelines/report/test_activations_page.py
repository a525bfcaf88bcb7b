"""The page of `etude inspect`: what it holds, and that a browser makes something of it."""

import base64
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from etude.models.model import load
from etude.pipelines.evaluation.inspect import find_unit, held_out_pieces, inspect
from etude.pipelines.report.activations_page import activations_page
from tests.pipelines.report.test_page import Reader

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def seen(trained):
    model = load(trained.runs["lookback-0"])
    inspection = inspect(model, held_out_pieces(model, "", "eval", 12, 0))
    return inspection, activations_page(inspection, *find_unit(inspection, "0/cell/3"))


def shown(text):
    return json.loads(re.search(r'<script type="application/json" id="shown">(.*?)</script>', text, re.DOTALL)[1])


def test_it_is_whole_and_needs_nothing_else(seen):
    _, text = seen
    reader = Reader()
    reader.feed(text)
    reader.close()
    identifiers = [values["id"] for _, values in reader.elements if "id" in values]
    assert len(set(identifiers)) == len(identifiers)
    addresses = [values[name] for _, values in reader.elements for name in ("href", "src") if name in values]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "default-src 'none'" in html.unescape(text)
    assert len(text) < 10_000_000


def test_packed_values_are_the_activations(seen):
    inspection, text = seen
    held = shown(text)
    assert held["start"] == [0, "cell", 3]
    assert len(held["pieces"]) == len(inspection.pieces)
    for piece, kept in zip(inspection.pieces, held["pieces"], strict=True):
        for part, values in piece.activations.values.items():
            packed = np.frombuffer(base64.b64decode(kept["values"][f"{part.layer}/{part.kind}"]), np.int8)
            expected = np.tanh(values) if part.kind == "cell" else values
            np.testing.assert_allclose(packed.reshape(values.shape) / 127, expected, atol=0.5 / 127 + 1e-6)


def test_likeliest_symbols_are_the_models(seen):
    inspection, text = seen
    held = shown(text)
    labels = inspection.model.encoding.label_tokens()
    assert held["symbols"][int(np.flatnonzero(labels == 60)[0])] == "C4"
    for piece, kept in zip(inspection.pieces, held["pieces"], strict=True):
        for row, likeliest in zip(piece.activations.probabilities, kept["likeliest"], strict=True):
            assert [share for _, share in likeliest] == pytest.approx(sorted(row)[::-1][:5], abs=1e-4)
            assert [row[label] for label, _ in likeliest] == pytest.approx([share for _, share in likeliest], abs=1e-4)


def test_table_is_the_ranking(seen):
    inspection, text = seen
    for one in inspection.following:
        row = re.search(rf'scope="row">{one.feature}</th>(.*?)</tr>', text, re.DOTALL)[1]
        units = re.findall(r'data-unit="(.*?)"', row)
        assert units == [f"{found.part.layer}/{found.part.kind}/{found.unit}" for found in one.followers]
        pale = [abs(found.correlation) <= one.chance for found in one.followers]
        assert ["faint" in name for name in re.findall(r'class="(follower.*?)"', row)] == pale


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_draws_it(seen, tmp_path):
    inspection, text = seen
    (tmp_path / "page.html").write_text(text)
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    steps = re.findall(r'<span class="step[^>]*rgb\(var\(--(high|low)\) ?/ ?([0-9.]+)\)', done.stdout)
    first = inspection.pieces[0]
    assert len(steps) == len(first.tokens)
    # How strong the colour is, and which of the two, is the value: that of unit 3, and of the first step in the grid.
    cells = np.tanh(first.activations.values[(0, "cell")])
    drawn = [float(strength) * (-1 if colour == "low" else 1) for colour, strength in steps]
    np.testing.assert_allclose(drawn, cells[:, 3] * 0.85, atol=0.01)
    assert f'id="value">{"−" if round(float(cells[0, 3]), 2) < 0 else "+"}{abs(cells[0, 3]):.2f}' in done.stdout
