from collections.abc import Callable

import pytest

from etude.pipelines.readers.abc import RejectedTune

Play = Callable[[str], list[tuple[int, object, object]]]
LETTERS = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B", 72: "c", 74: "d", 76: "e"}


@pytest.fixture
def order(play: Play) -> Callable[[str], str]:
    return lambda text: "".join(LETTERS[note[0]] for note in play(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CD | EF |]", "CDEF"),
        ("|: CD :| E", "CDCDE"),
        ("CD :| E", "CDCDE"),  # from the beginning
        ("CD || EF :| G", "CDEFEFG"),  # from the latest double bar line
        ("CD |] EF :| G", "CDEFEFG"),
        ("CD [| EF :| G", "CDEFEFG"),
        ("|: CD :| EF :| G", "CDCDEFEFG"),  # from the end of the last repeat
        ("C |: D || E :| F", "CDEDEF"),  # from its start, whatever stands between
        ("|: C :: D :|", "CCDD"),
        ("|: C :|: D :|", "CCDD"),
        ("|: C :||: D :|", "CCDD"),
        ("|: C :|]|: D :|", "CCDD"),
        ("C :: D :|", "CCDD"),
        ("|:: C ::| D", "CCCD"),
        ("C :::| D", "CCCCD"),
        ("C :::: D ::|", "CCCDDD"),  # section 4.8: as if it were ::||::
        ("|:: C :::: D ::|", "CCCDDD"),
        ("|:: C ::|:: D ::|", "CCCDDD"),
        ("|:: C ::||:: D ::|", "CCCDDD"),
        ("|: C :::::: D :|", "CCCCDDDD"),
        ("[|: C :|] D", "CCD"),
        ("C .| D", "CD"),
        ("C [|] D :|", "CDCD"),
        ("C |[| D", "CD"),
        ("|: C [|]:| D", "CCD"),
        ("C :] D", "CCD"),
        ("|: C |: D :|", "CCDD"),  # an end was forgotten
        ("|: C D", "CD"),
        ("C\\\n:| D", "CCD"),
    ],
)
def test_repeats(order: Callable[[str], str], text: str, expected: str) -> None:
    assert order(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|: C |1 D :|2 E || F", "CDCEF"),
        ("C |1 D :|2 E |]", "CDCE"),
        ("C | [1 D :| [2 E |]", "CDCE"),
        ("C |[1 D :|[2 E |]", "CDCE"),
        ("C |1 D | D :|2 E | E |]", "CDDCEE"),
        ("C |1 D :|2 E :| F", "CDCEF"),  # the last ending stops there
        ("C |1,3 D :|2 E :|4 F |]", "CDCECDCF"),
        ("C |1-3 D :|4 F |]", "CDCDCDCF"),
        ("C [1,3-4 D :|[2 E |]", "CDCECDCD"),
        ("C |1 D |2 E |]", "CDCE"),  # an end was forgotten
        ("C |1 D :| E", "CDCE"),  # no second ending
        ("|: C |1 D :|2 E |: F |1 G :|2 A |]", "CDCEFGFA"),
        ("|: C |1 D :|2 E || F |1 G :|2 A |]", "CDCEFGFA"),
        ("|: C |1 D :|2 E | F |1 G :|2 A |]", "CDCEFGFA"),  # the second ending is as long as the first
        ("C |1 D :|\n2 E |]", "CDCE"),
        ("C |1 D :|\n[2 E |]", "CDCE"),
        ("C || [1 D :| [2 E |]", "CDCE"),
        ("C :|2 D |] E", "CCDE"),
    ],
)
def test_variant_endings(order: Callable[[str], str], text: str, expected: str) -> None:
    assert order(text) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("AB", "CDE"),
        ("ABA", "CDEC"),
        ("A2B", "CCDE"),
        ("(AB)2", "CDECDE"),
        ("((AB)2A)2", "CDECDECCDECDEC"),
        ("A.B.A", "CDEC"),
        (".(.A.2.B.).2.", "CCDECCDE"),
        ("AXB", "CDE"),  # a part that does not exist
        ("B", "DE"),
    ],
)
def test_parts(order: Callable[[str], str], parts: str, expected: str) -> None:
    assert order(f"X:1\nL:1/4\nP:{parts}\nK:C\nP:A\nC|\nP:B\nDE|\n") == expected
    assert order(f"X:1\nL:1/4\nP:{parts}\nK:C\n[P:A] C|[P:B] DE|\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P:AB\nK:C\nP:A\n|:C:|\nP:B\nDE:|\n", "CCDEDE"),
        ("P:ABA\nK:C\nP:A\nC|1D:|2E|]\nP:B\nF|\n", "CDCEFCDCE"),
        ("P:A4\nK:C\nP:A\nC|[1D:|[2E:|[3F:|[4G|]\n", "CDCECFCG"),  # section 4.10: one ending each time
        ("P:AB\nK:C\nG|\nP:A\nC|\nP:B\nD|\n", "GCD"),  # what stands before the parts
        ("K:C\nP:A\nC|\nP:B\nD|\n", "CD"),  # no order
        ("P:ABA\nK:C\nC|D|\n", "CD"),  # no parts
        ("P:Slowly\nK:C\nP:Slowly\nC|\nP:Fast\nD|\n", "CD"),  # no order but a name
    ],
)
def test_parts_with_repeats(order: Callable[[str], str], text: str, expected: str) -> None:
    assert order("X:1\nL:1/4\n" + text) == expected


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("A999999", "more than 1000 parts"),
        ("((((A99)99)99)99)99", "more than 1000 parts"),
        ("(" * 5000 + "A" + ")" * 5000, "at most 1,000 characters"),
        ("(AB", "'(' without ')'"),
        ("AB)", "')' without '('"),
    ],
)
def test_bad_parts(reject: Callable[[str], RejectedTune], parts: str, message: str) -> None:
    assert message in reject(f"X:1\nP:{parts}\nK:C\nP:A\nC\n").detail


def test_bounds(reject: Callable[[str], RejectedTune]) -> None:
    assert "up to 100" in reject("X:1\nK:C\nC |[1-999999 D :|\n").detail
    assert "stretches" in reject("X:1\nP:A1000\nK:C\nP:A\n" + "|: C :|" * 30 + "\n").detail
    assert "when played out" in reject("X:1\nP:A900\nK:C\nP:A\n" + "C/16" * 300 + "\n").detail
    assert "whole notes" in reject("X:1\nP:A900\nK:C\nP:A\nC999\n").detail
    assert "at most 60 signs" in reject("X:1\nK:C\nC " + ":" * 1000 + "| D\n").detail


VOICES = "".join(f"V:{number}\n" + "{}" for number in range(100))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("P:A900\nK:C\nP:A\n" + '"C"' * 300 + "C", "when played out"),
        ("P:A900\nK:C\nP:A\n" + "[Q:100][Q:90]" * 200 + "C", "when played out"),
        ("P:A900\nK:C\nP:A\n[CE]" + "z/16" * 300, "when played out"),
        ("K:C\n" + VOICES.replace("{}", "C/16" * 60 + ":" * 50 + "|\n"), "when played out"),
        ("K:C\n" + VOICES.replace("{}", "C/16|[1-100D/16:|" * 6 + "\n"), "stretches"),
        (
            "P:A\nK:C\n" + "".join(f"P:{chr(500 + i)}\n" + "C/16|[1-100D/16:|" * 9 + "\n" for i in range(40)),
            "stretches",
        ),
        ("K:C\n" + VOICES.replace("{}", "C\n").replace("C\n", "C/16:|" * 6000 + "\n", 1), "bar lines and parts"),
    ],
)
def test_what_repeats_and_voices_multiply_is_counted_before_it_is_played(
    reject: Callable[[str], RejectedTune], text: str, message: str
) -> None:
    tune = reject(f"X:1\n{text}\n")
    assert tune.reason == "too-large"
    assert message in tune.detail
