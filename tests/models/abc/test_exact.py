from fractions import Fraction

import pytest

from etude.models.abc.exact import events_of_tune, exact_tune, tune_of_events
from etude.models.abc.reading import read_text
from etude.models.abc.unfolded import unfold
from etude.models.melodies.quantisation import UnusableError


def tune(body, key="D", metre="4/4", length="1/8"):
    return unfold(read_text(f"X:1\nM:{metre}\nL:{length}\nK:{key}\n{body}\n").performance)


def test_a_tune_is_moved_into_c_and_given_back_by_its_events():
    found = exact_tune(tune("A|d2 fd A2 zA|B4- B3 A|d7|]"))
    assert found.signatures[0][1].key.name == "C major"
    events = events_of_tune(found)
    # The pickup of an eighth ends a bar of silence; D is two semitones above C.
    assert events.tolist() == [
        *[-2] * 14, *(67, -2),
        *(72, -2, -2, -2, 76, -2, 72, -2, 67, -2, -2, -2, -1, -2, 67, -2),
        *(69, *[-2] * 13, 67, -2),
        *(72, *[-2] * 13),
    ]  # fmt: skip
    assert tune_of_events(events, found.signatures[0][1]) == found


def test_the_mode_stays_and_octaves_bring_a_tune_into_range():
    found = exact_tune(tune("E,F,G,A, B,3 E,|E,8|", key="Emin"))
    assert found.signatures[0][1].key.name == "C minor"
    assert found.chords[0].pitches == (48,)
    # In C, three semitones up, A would lie above the range.
    high = exact_tune(tune("a8|g8|", key="A"))
    assert [chord.pitches for chord in high.chords] == [(72,), (71,)]


@pytest.mark.parametrize(
    ("body", "reason", "options"),
    [
        ("D8|", "one-note", {}),
        ("[DF]8|D8|", "has-chords", {}),
        ("D8|[M:3/4]D6|", "changes-within", {}),
        ("D8|[K:G]D8|", "changes-within", {}),
        ("D4 E4|D8|", "free-metre", {"metre": "none"}),
        ("(3DEF D6|D8|", "off-sixteenths", {}),
        ("D/4E/4 D/2 D7|D8|", "off-sixteenths", {}),
        ("z8|D8|E8|", "begins-with-rest", {}),
        ("D,,8|d''8|", "beyond-range", {}),
        ("D8|DEF|D8|D8|", "uneven-bars", {}),
    ],
)
def test_what_one_representation_does_not_carry_is_left_out(body, reason, options):
    with pytest.raises(UnusableError) as raised:
        exact_tune(tune(body, **options))
    assert raised.value.reason == reason


def test_bars_without_a_pickup_begin_at_once():
    found = exact_tune(tune("D2E2F2|G4A2|B6|", metre="3/4", key="C"))
    assert found.bars == (Fraction(3, 4), Fraction(3, 2))
    assert events_of_tune(found)[0] == 62
