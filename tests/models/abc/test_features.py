import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from etude.models.abc.canonical import canonical
from etude.models.abc.features import HEADER, sign_features, text_features
from etude.models.abc.notation.score import Bar, Sound
from etude.models.abc.reading import read_text
from etude.models.representations.abc_text import header_length
from tests.models.abc.tune_strategies import tunes

NOTE = re.compile(r"[\^_=]*[A-Ga-g][,']*[\d/]*-?")


def at(body, header="X:1\nM:6/8\nL:1/8\nK:G\n"):
    """What the body of a tune has, by name, a value a character."""
    found = text_features(header + body, len(header))
    assert (found[HEADER] == (np.arange(len(header + body)) < len(header))).all()
    return {name: values[len(header) :].tolist() for name, values in found.items()}


def without_gaps(values):
    return [None if np.isnan(value) else round(value, 3) for value in values]


def test_notes_rests_and_bars():
    found = at("^c2z|B,3 ")
    assert found["note"] == [1, 1, 1, 0, 0, 1, 1, 1, 0]
    assert found["rest"] == [0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert found["bar line"] == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert without_gaps(found["pitch"]) == [73, 73, 73, None, None, 59, 59, 59, None]
    assert without_gaps(found["note length"]) == [1, 1, 1, None, None, 1.5, 1.5, 1.5, None]
    # Half a bar before the first bar line is the end of one.
    assert without_gaps(found["place in the bar"]) == [0.5, 0.5, 0.5, 0.833, 0, 0, 0, 0, 0.5]
    assert found["beat"] == [1, 1, 1, 0, 0, 1, 1, 1, 0]
    assert found["bars since the start"] == [0, 0, 0, 0, 1, 1, 1, 1, 1]


def test_tuplets_broken_rhythms_and_chords():
    assert without_gaps(at("(3ABc", "M:2/4\nL:1/8\nK:C\n")["place in the bar"]) == [0, 0, 0, 0.167, 0.333]
    assert without_gaps(at("A>Bc", "M:2/4\nL:1/8\nK:C\n")["place in the bar"]) == [0, 0.375, 0.375, 0.5]
    assert without_gaps(at("A<<Bc", "M:2/4\nL:1/8\nK:C\n")["place in the bar"]) == [0, 0.062, 0.062, 0.062, 0.5]
    assert without_gaps(at("[CE]3c", "M:2/4\nL:1/8\nK:C\n")["place in the bar"]) == [0, 0, 0, 0, 0, 0.75]


def test_repeats():
    body = "|:c6|d6:|e6|1f6:|"
    assert without_gaps(at(body)["bars since a repeat"]) == [
        *[0] * 4, *[1] * 3, *[0] * 4, *[0] * 6,
    ]  # fmt: skip
    assert [sign for sign, is_repeat in zip(body, at(body)["repeat sign"], strict=True) if is_repeat] == list(
        "|::||1:|"
    )


def test_what_is_no_music_is_passed_over():
    found = at('"Am"!trill!A {gf}B %c\nw: la la\n[M:3/8]c3|d')
    body = '"Am"!trill!A {gf}B %c\nw: la la\n[M:3/8]c3|d'
    assert [sign for sign, is_note in zip(body, found["note"], strict=True) if is_note] == list("ABc3d")
    # A bar is shorter from there on.
    assert found["place in the bar"][-1] == 0
    assert found["bars since the start"][-1] == 1


@given(tunes())
def test_lengths_and_bar_lines_are_those_of_the_reader(tune):
    text = canonical(tune)
    header = header_length(text)
    found = text_features(text, header)
    elements = read_text(text).score.voices[0].elements
    body = re.sub(r"\[[^\]]*\][\d/]*-?", lambda field: " " * len(field[0]), text[header:])
    starts = [header + match.start() for match in NOTE.finditer(body)]
    lengths = [float(4 * one.duration) for one in elements if isinstance(one, Sound) and len(one.tones) == 1]
    np.testing.assert_allclose(found["note length"][starts], lengths)
    bars = found["bar line"][header:]
    assert (np.diff(bars, prepend=0) == 1).sum() == sum(isinstance(one, Bar) for one in elements)


@given(st.text(alphabet="ABcd^_=,'23/|:[]()<>{}\"!z&%MKL \n", max_size=60), st.integers(0, 60))
def test_any_text_is_read(text, header):
    found = text_features(text, min(header, len(text)))
    assert {len(values) for values in found.values()} == {len(text)}


def test_tokens_are_as_their_text():
    signs = ["", "M:6/8", "K:Cmaj", "|:", "c", "2", "z", "A", "3", ":|", "|1", "[", "C", "E", "]", "2", "|", ""]
    found = sign_features(signs, 3)
    assert found[HEADER].tolist() == [1] * 3 + [0] * 15
    assert found["bar line"][3:17].tolist() == [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1]
    assert found["note"][3:17].tolist() == [0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0]
    assert without_gaps(found["note length"][3:9]) == [None, 1, 1, None, 1.5, 1.5]
    assert without_gaps(found["place in the bar"][3:10]) == [0, 0, 0, 0.333, 0.5, 0.5, 0]
    assert np.isnan(found["note"][[0, -1]]).all()
