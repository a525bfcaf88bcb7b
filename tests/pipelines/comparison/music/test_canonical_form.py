import numpy as np
import pytest

from etude.pipelines.comparison.music.canonical_form import is_canonical_melody, is_canonical_text

HEADER = "X:1\nM:4/4\nL:1/8\nK:Cmaj\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C2E2G4|c8", True),
        ("C2E2G4|c6z2", False),  # a rest at the end
        ("C2 E2G4|c8", False),
        ("C2E2^FG3|c8", True),
        ("C2E2_GG3|c8", False),
        ("C2E2G4|c8|", False),
        ("[CE", False),
        ("", False),
    ],
)
def test_texts(body, expected):
    assert is_canonical_text(f"{HEADER}{body}\n") == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([60, -2, 62, -1, -2, 64], True),
        ([-2, -2, 60, -2], True),
        ([60, -1, -1, 62], False),
        ([-1, 60, -2], False),
        ([60, -2, -1], True),
    ],
)
def test_melodies(events, expected):
    assert is_canonical_melody(np.array(events)) == expected
