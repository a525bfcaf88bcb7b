"""The ladder, against texts whose faults are known and against abc2midi."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.models.abc.validity import Validity, shares, validity
from etude.pipelines.rendering.abc2midi import ask_abc2midi, find_abc2midi

HEADER = "X:1\nM:6/8\nL:1/8\nK:Ador\n"
GOOD = "e|A3 B3|c3 A2:|\n|:e|a3 g3|1 e3 d2:|2 B3 A2|]\n"


def test_a_good_tune():
    assert validity(HEADER + GOOD, clean=True) == Validity(True, True, True, True, True, True)


@pytest.mark.parametrize(
    ("text", "rung", "problem"),
    [
        ("X:1\nK:C\nC4|\n", "header", "there is no M: and K:"),
        ("X:1\nM:six\nK:C\nC4|\n", "parses", "expected a metre"),
        ("C4|\n", "parses", "there is no M: and K:"),
        (HEADER + "A3 [B3|\n", "parses", "expected"),
        (HEADER + "z6|\n", "parses", "no notes"),
        (HEADER + "A3 B3|A3 B2|A6|\n", "bars", "bar 2 lasts 5/8 of a whole note instead of 3/4"),
        (HEADER + "A3 B4|A6|\n", "bars", "bar 1 lasts 7/8"),
        (HEADER + "A3 B3|A6 A:|\n", "bars", "bar 2 lasts 7/8"),
        (HEADER + "A6|[M:2/4]A4|A6|\n", "bars", "bar 3 lasts 3/4 of a whole note instead of 1/2"),
        (HEADER + "|:A6|A6|\n", "repeats", "a repeat has no end"),
        (HEADER + "|:A6|:A6:|\n", "repeats", "a repeat starts within another"),
        (HEADER + "A6:| :|A6|\n", "repeats", "nothing to repeat"),
        (HEADER + "|:A6|1A6:|A6|\n", "repeats", "a first ending has no second one"),
        (HEADER + "|:A6:|2A6|\n", "repeats", "ending 2 follows no ending 1"),
        (HEADER + "A6|B6|\n", "tonic", "not the tonic"),
    ],
)
def test_faults(text, rung, problem):
    found = validity(text)
    assert getattr(found, rung) is False
    assert problem in found.problem


@pytest.mark.parametrize(
    "music",
    [
        "A6|A6|\n",  # implicit starts of repeats, as the standard has them
        "A6:|A6:|\n",
        "|:A6:|\n|:A6|1A6:|2A6:|3A6|]\n",
        "|:A6::A6:|\n",
        "A|A6|A5||A|A6|A5|]\n",
        "P:A\nA|A6|A5\nP:B\nA|A6|A5|]\n",
        "A6 & c6|A6|\n",
    ],
)
def test_what_is_allowed(music):
    assert validity(HEADER + music) == Validity(True, True, None, True, True, True)


def test_what_cannot_be_told():
    found = validity("X:1\nM:none\nL:1/8\nK:none\nABc|d|\n")
    assert (found.bars, found.tonic, found.problem) == (True, None, "")
    unread = validity(HEADER + "[")
    assert (unread.bars, unread.repeats, unread.tonic) == (None, None, None)


def test_shares():
    """What cannot be read holds on no rung above; what cannot be told is left out."""
    texts = [HEADER + GOOD, HEADER + "[", HEADER + "A6|B6|\n", "X:1\nM:none\nL:1/8\nK:none\nABc|\n"]
    found = shares(map(validity, texts))
    assert found == {"header": 1.0, "parses": 0.75, "bars": 0.75, "repeats": 0.75, "tonic": 1 / 3}


@settings(max_examples=20)
@given(st.lists(st.lists(st.sampled_from([1, 2, 3]), min_size=2, max_size=4), min_size=2, max_size=5))
def test_bars_as_abc2midi_counts_them(bars):
    """abc2midi warns of every bar of the wrong length but the first, which may be a pickup."""
    program = find_abc2midi()
    assert program
    music = "".join("".join(f"A{length}" for length in bar) + "|" for bar in [[6], *bars, [6]])
    verdict = ask_abc2midi(HEADER + music + "\n", program)
    assert verdict.is_clean
    warned = [text for text in verdict.warnings if re.search(r"has .* time units while", text)]
    assert validity(HEADER + music + "\n").bars == (not warned)


def test_abc2midi_finds_errors():
    program = find_abc2midi()
    assert ask_abc2midi(HEADER + GOOD, program).is_clean
    assert ask_abc2midi("M:4/4\nL:1/8\nK:C\nCDEF|\n", program).is_clean
    assert not ask_abc2midi(HEADER + "A3 [B3|\n", program).is_clean
    assert not ask_abc2midi("nothing", program).is_clean
