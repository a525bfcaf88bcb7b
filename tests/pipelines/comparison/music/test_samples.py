"""Loops and copies against brute force."""

import json

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.pipelines.comparison.music import samples
from etude.pipelines.comparison.music.samples import COPIED_RUNS, MEASURES, ends_in_loop, evenly

TUNE = "X:1\nM:4/4\nL:1/4\nK:C\nCDEC|CDEC|\n"


@pytest.mark.parametrize("period", [1, 7, 19, 20, 21, 100, 250])
def test_a_run_again_and_again_is_a_loop(period):
    random = np.random.default_rng(period)
    run, before = random.permutation(period), 1000 + random.permutation(50)
    times = max(3, -(-60 // period))
    assert ends_in_loop(np.concatenate([before, np.tile(run, times)]))
    assert ends_in_loop(np.concatenate([before, np.tile(run, times + 2), run[: period // 2]]))
    if period > 20:
        assert not ends_in_loop(np.concatenate([before, np.tile(run, 2)]))
    assert not ends_in_loop(np.concatenate([np.tile(run, times), before]))


def test_what_is_short_or_never_repeats_is_none():
    assert not ends_in_loop(np.zeros(59, int))
    assert ends_in_loop(np.zeros(60, int))
    assert not ends_in_loop(np.zeros(0, int))
    assert not ends_in_loop(np.random.default_rng(0).permutation(3000))


def test_evenly():
    assert evenly(5, 100) == [0, 1, 2, 3, 4]
    assert evenly(11, 3) == [0, 5, 10]


def test_shares_are_those_of_brute_force():
    random = np.random.default_rng(0)
    train = [random.integers(2, size=200).astype(np.uint64) for _ in range(5)]
    known = {size: np.unique(samples.hash_runs(train, size)) for size in COPIED_RUNS}
    bodies = [np.concatenate([train[0][20:80], random.integers(2, size=40)]).astype(int), np.zeros(70, int)]
    texts = [TUNE, "no tune"]
    rows = [samples._Sample(text, body, True) for text, body in zip(texts, bodies, strict=True)]
    found = samples._shares([samples._sums(rows, known)])
    assert found["parses"].value == found["bars"].value == found["whole"].value == 0.5
    assert found["loops"].value == 0.5
    assert found["ended"].value == 1
    assert list(found) == list(MEASURES)
    for size in COPIED_RUNS:
        seen = {tuple(sequence[at : at + size]) for sequence in train for at in range(len(sequence) - size + 1)}
        runs = [tuple(body[at : at + size]) for body in bodies for at in range(len(body) - size + 1)]
        assert found[f"copied_{size}"].value == pytest.approx(np.mean([run in seen for run in runs]))
        low, high = found[f"copied_{size}"].interval
        assert 0 <= low <= found[f"copied_{size}"].value <= high <= 1


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "lstm-seed0-samples.jsonl"
    path.write_text(json.dumps({"sampling": "Arg-max", "tokens": [1]}) + "\n")
    with pytest.raises(EtudeError, match=r"lstm-seed0-samples\.jsonl is damaged"):
        samples._read(path)
