"""`etude inspect`, on runs of melodies, characters and tokens."""

import json

import numpy as np

from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import melody_music


def test_from_runs_to_pages(workshop, tmp_path):
    page, figures = tmp_path / "units.html", tmp_path / "units.json"
    done = workshop(
        "inspect", "runs/lookback", "--output", page, "--json", figures, "--num-pieces", 6, "--shuffles", 19
    )
    assert "What the units of lookback do" in page.read_text()
    told = json.loads(figures.read_text())
    assert told["config"] == "lookback"
    assert told["num_pieces"] == 6
    rows = {line[:26].strip(): line[26:] for line in done.stdout.splitlines()}
    for one in told["features"]:
        best = one["units"][0]
        assert f"{best['layer']}/{best['kind']}/{best['unit']} {best['correlation']:+.2f}" in rows[one["feature"]]
        assert f" {one['chance_95']:.2f} " in rows[one["feature"]]
        assert best["p"] >= 1 / 20
    assert "name 10 or more" in done.stderr


def test_a_folder_takes_the_values_too(workshop, tmp_path):
    done = workshop(
        "inspect",
        "runs/basic",
        "tunes/tune03.mid",
        "--output",
        tmp_path / "inside",
        "--unit",
        "0/cell/5",
        "--json",
        "-",
    )
    assert json.loads(done.stdout)["num_tokens"] == 128
    assert '"start": [0, "cell", 5]' in (tmp_path / "inside" / "activations.html").read_text()
    with np.load(tmp_path / "inside" / "activations.npz") as values:
        assert values["0/0/hidden"].shape == (128, 8)


def test_what_cannot_be_looked_at(workshop, tmp_path):
    page = tmp_path / "units.html"

    def refused(*words, status=1):
        message = workshop("inspect", *words, "--output", page, status=status).stderr
        assert not page.exists()
        return message

    workshop("train", "--config", "ngram", "--dataset", "dataset", "--run-dir", tmp_path / "counted")
    assert "has no units" in refused(tmp_path / "counted")
    empty = to_midi(melody_music(np.full(16, -2), steps_per_quarter=4, steps_per_bar=16))
    (tmp_path / "empty.mid").write_bytes(empty)
    assert "there is no melody in" in refused("runs/basic", tmp_path / "empty.mid")
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    assert "broken.mid" in refused("runs/basic", tmp_path / "broken.mid")
    assert "there is no unit '0/hidden/99'" in refused("runs/basic", "--unit", "0/hidden/99", status=2)
    assert "no split 'valid'" in refused("runs/basic", "--split", "valid")
    assert "no dataset folder" in refused("runs/basic", "--dataset", "nothing")
    assert "from 19 to" in refused("runs/basic", "--shuffles", 5, status=2)
