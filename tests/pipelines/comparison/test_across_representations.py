"""Models of three representations in one comparison, from tunes to the report."""

import html
import json
import re

import numpy as np
import pytest

from etude.models.errors import UsageError
from etude.models.storage import run_pb2
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.compare import compare
from etude.pipelines.dataset import create_dataset
from tests.pipelines.comparison.exact_tunes import REPRESENTATIONS, exact

__all__ = ["exact"]


@pytest.fixture(scope="module")
def results(exact, tmp_path_factory):
    folder = tmp_path_factory.mktemp("across")
    runs = [exact / f"ngram-{name}" for name in REPRESENTATIONS]
    found = compare(runs, [exact / name for name in REPRESENTATIONS], folder)
    return found, json.loads((folder / "results.json").read_text()), (folder / "report.html").read_text()


def test_all_datasets_are_of_the_same_tunes(exact):
    described = [json.loads((exact / name / "dataset.json").read_text()) for name in REPRESENTATIONS]
    assert len({one["pieces_fingerprint"] for one in described}) == 1
    assert all(one["left_out"] == {"has-chords": 1} for one in described)
    assert all(one["num_pieces"] == 60 for one in described)
    assert len({tuple(split["num_melodies"] for split in one["splits"]) for one in described}) == 1
    (line,) = (exact / "melody" / "rejected.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "has-chords"


def test_a_configuration_costs_what_the_same_floor_costs(results):
    """Both are 3-grams: one was trained, stored and evaluated as a model, one was counted here."""
    (pieces,) = results[0].pieces
    titles = {one.name: one.representation for one in results[0].configurations}
    assert set(titles.values()) == set(REPRESENTATIONS)
    for name, representation in titles.items():
        (floor,) = [one for one in pieces.floors if (one.title, one.representation) == ("3-gram", representation)]
        for figure, estimate in floor.figures.items():
            assert pieces.figures[name][figure].value == pytest.approx(estimate.value, rel=1e-6)


def test_figures_are_of_the_same_notes(results):
    (pieces,) = results[1]["pieces"]
    for figures in pieces["figures"].values():
        nats, bits = figures["nats_per_piece"]["value"], figures["bits_per_note"]["value"]
        assert bits == pytest.approx(nats * pieces["num_pieces"] / np.log(2) / pieces["num_notes"], rel=1e-6)
        assert figures["bits_per_note_without_end"]["value"] < bits
        low, high = figures["bits_per_note"]["interval"]
        assert low < bits < high
    assert len(pieces["pairs"]) == 3
    assert {(one["title"], one["representation"]) for one in pieces["floors"]} == {
        (title, name) for title in ("xz", *(f"{order}-gram" for order in range(1, 6))) for name in REPRESENTATIONS
    }


def test_the_answer_says_bits_coverage_and_pieces_apart(results):
    found, values, page = results
    headline = values["verdict"]["headline"]
    best = min(found.pieces[0].figures.values(), key=lambda one: one["bits_per_note"].value)["bits_per_note"]
    assert f"{best.value:.3f} ({best.interval[0]:.3f} to {best.interval[1]:.3f})" in headline
    assert f"{60 / 61:.1%} of 61 pieces" in headline
    assert html.escape(headline) in page
    assert 'id="tunes"' in page
    for one in found.pieces[0].apart:
        assert one.bits_better < one.bits_worse
    # Each is linked to a card that can be played and is seen.
    links = re.findall(r'href="#(piece-\d+)"', page)
    assert len(links) == len(found.pieces[0].apart) > 0
    for link in links:
        (card,) = re.findall(rf'<article class="card" id="{link}".*?</article>', page, re.DOTALL)
        assert "Play" in card
        assert "Score of" in card


def test_a_model_that_moves_tunes_is_refused(exact, tmp_path):
    """Its likelihood is that of another tune, with some of the pitches given away."""
    run = RunDirectory(tmp_path / "moved")
    stored = run_pb2.Run()
    stored.CopyFrom(RunDirectory(exact / "ngram-melody").read())
    stored.configuration.transpose_to_key = 0
    run.path.mkdir()
    for path in (exact / "ngram-melody").rglob("*"):
        target = run.path / path.relative_to(exact / "ngram-melody")
        target.mkdir(parents=True, exist_ok=True) if path.is_dir() else target.write_bytes(path.read_bytes())
    run.config.write_text(str(stored))
    with pytest.raises(UsageError, match="moves tunes into its own key or range"):
        compare([run.path, exact / "ngram-abc_tokens"], [exact / "melody", exact / "abc_tokens"], tmp_path / "report")


def test_what_does_not_carry_tunes_is_refused(exact, tmp_path):
    with pytest.raises(UsageError, match="drums do not carry all of a tune"):
        create_dataset([exact / "notes"], tmp_path / "drums", representation="drums", exact_tunes=True)
    assert not (tmp_path / "drums").exists()


def test_tunes_are_trained_on_in_their_own_key(exact):
    assert RunDirectory(exact / "ngram-melody").configuration().transpose_to_key is None
