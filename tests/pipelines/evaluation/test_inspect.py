import dataclasses
import pathlib

import numpy as np
import pytest

from etude.models.configuration import Configuration
from etude.models.errors import UsageError
from etude.models.inspection.activations import HIDDEN, Part
from etude.models.model import Model, load
from etude.models.registry import configure
from etude.models.sequences.domain import END, START, UNKNOWN
from etude.pipelines.evaluation.inspect import (
    find_unit,
    given_pieces,
    held_out_pieces,
    inspect,
    write_values,
)

UNITS, PLANTED = 12, 7
SYMBOLS = (UNKNOWN, START, END, *"\n /234:ABCDEFGKLMXZ|abcdefgz")


def tune(number):
    random = np.random.default_rng(number)
    bars = ("".join(random.choice(list("ABcdefg"), int(random.integers(3, 9)))) for _ in range(12))
    return f"X:{number}\nM:4/4\nL:1/8\nK:C\n{'|'.join(bars)}|\n"


@pytest.fixture
def planted():
    """A network that remembers nothing, with random units, but for one that is 1 after a bar line and -1 elsewhere."""
    small = {"cell": "rnn", "rnn_layer_sizes": [UNITS]}
    configuration: Configuration = dataclasses.replace(
        configure("abc-characters", small), representation="abc_characters", vocabulary=SYMBOLS, unit="character"
    )
    random = np.random.default_rng(0)
    weights = {
        "layer_0/kernel": random.normal(size=(len(SYMBOLS) + UNITS, UNITS)),
        "layer_0/bias": np.zeros(UNITS),
        "output/kernel": random.normal(size=(UNITS, len(SYMBOLS))),
        "output/bias": np.zeros(len(SYMBOLS)),
    }
    weights["layer_0/kernel"][:, PLANTED] = -9
    weights["layer_0/kernel"][len(SYMBOLS) :] = 0
    weights["layer_0/kernel"][SYMBOLS.index("|"), PLANTED] = 9
    return Model(
        configuration, {name: one.astype(np.float32) for name, one in weights.items()}, pathlib.Path("planted")
    )


def test_a_planted_unit_is_found_first(planted, tmp_path):
    (tmp_path / "tunes.abc").write_text("\n".join(map(tune, range(1, 21))))
    pieces = given_pieces(planted, [str(tmp_path / "tunes.abc")], pytest.fail)
    inspection = inspect(planted, pieces)
    bar_line = next(one for one in inspection.following if one.feature == "bar line")
    best = bar_line.followers[0]
    assert (best.part, best.unit) == (Part(0, HIDDEN), PLANTED)
    assert best.correlation == pytest.approx(1, abs=1e-3)
    assert bar_line.chance < 0.6
    assert find_unit(inspection, "") == (Part(0, HIDDEN), PLANTED)
    shown = inspection.pieces[0].activations.values[Part(0, HIDDEN)][:, PLANTED]
    signs = [SYMBOLS[token] for token in inspection.pieces[0].tokens]
    assert [sign for sign, value in zip(signs, shown, strict=True) if value > 0] == ["|"] * 12
    assert inspection.num_pieces == 20
    assert inspection.num_tokens == sum(len(tune(number)) + 2 for number in range(1, 21))


def test_values_are_kept_as_they_are(trained, tmp_path):
    model = load(trained.runs["lookback-0"])
    inspection = inspect(model, held_out_pieces(model, "", "eval", 6, 0))
    assert len(inspection.pieces) == 4
    write_values(tmp_path / "values.npz", inspection)
    with np.load(tmp_path / "values.npz") as stored:
        for number, piece in enumerate(inspection.pieces):
            np.testing.assert_array_equal(stored[f"{number}/tokens"], piece.tokens)
            for part, values in piece.activations.values.items():
                np.testing.assert_array_equal(stored[f"{number}/{part.layer}/{part.kind}"], values)


def test_what_is_shown_has_a_bound(trained, monkeypatch):
    model = load(trained.runs["lookback-0"])
    pieces = held_out_pieces(model, "", "eval", 6, 0)
    whole = inspect(model, pieces)
    numbers = sum(values.shape[1] for values in whole.pieces[0].activations.values.values())
    first, second, third = (len(piece.tokens) for piece in whole.pieces[:3])
    monkeypatch.setattr("etude.pipelines.evaluation.inspect.SHOWN_NUMBERS", numbers * (first + second + third - 1))
    assert [len(piece.tokens) for piece in inspect(model, pieces).pieces][:2] == [first, second]
    monkeypatch.setattr("etude.pipelines.evaluation.inspect.SHOWN_NUMBERS", numbers * 10)
    cut = inspect(model, pieces)
    assert [len(piece.tokens) for piece in cut.pieces] == [10]
    assert not cut.pieces[0].is_whole
    assert whole.pieces[0].is_whole
    assert cut.following == whole.following


def test_pieces_are_drawn_from_what_the_model_was_trained_on(trained):
    model = load(trained.runs["basic-0"])
    drawn = held_out_pieces(model, "", "eval", 8, 1)
    assert len(drawn) == 8
    assert drawn.ids == held_out_pieces(model, str(trained.dataset), "eval", 8, 1).ids
    assert drawn.ids != held_out_pieces(model, "", "eval", 8, 2).ids
    assert len(held_out_pieces(model, "", "eval", 1000, 0)) == 20
    # A model that is no run directory does not know.
    elsewhere = dataclasses.replace(model, path=pathlib.Path("bundle.mag"))
    with pytest.raises(UsageError, match="name PIECES, or give --dataset"):
        held_out_pieces(elsewhere, "", "eval", 8, 1)


def test_units_that_are_not_there(trained):
    model = load(trained.runs["basic-0"])
    inspection = inspect(model, held_out_pieces(model, "", "eval", 3, 0))
    assert find_unit(inspection, "0/forget gate/7") == (Part(0, "forget gate"), 7)
    for name in ("0/hidden/8", "1/hidden/0", "0/gate/0", "hidden", "0/hidden/-1", "0/hidden/01"):
        with pytest.raises(UsageError, match=r"no unit .*the last ones are 0/hidden/7"):
            find_unit(inspection, name)
