import pytest

from etude.models.errors import UsageError
from etude.pipelines.sequences.event_lists import parse_events


@pytest.mark.parametrize("text", ["[60, -2, 62, -1]", "60 -2 62 -1", " [60,-2,62,-1] "])
def test_events(text):
    assert parse_events(text, "--events", 4).tolist() == [60, -2, 62, -1]


@pytest.mark.parametrize("text", ["C4 D4 Eb4", "[c4, D4, E♭4]", "C4 62 D#4"])
def test_notes_last_a_quarter(text):
    assert parse_events(text, "--events", 2).tolist() == [60, -2, 62, -2, 63, -2]
    assert parse_events(text, "--events", 1).tolist() == [60, 62, 63]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "--primer-melody holds no event"),
        ("C4 D E4", "quarter notes such as 'C4 D4 E4'.*not 'C4 D E4': a pitch is"),
        ("60 x", "not '60 x': 'x' is neither an event nor a note"),
        ("60.5", "'60.5' is neither an event nor a note"),
        ("130", "event 130 at step 0 is outside"),
        ("9" * 5000, "is neither an event nor a note"),
        ("C4 -2", "a pitch is"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(UsageError, match=message):
        parse_events(text, "--primer-melody", 4)
