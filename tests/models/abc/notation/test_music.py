from collections.abc import Callable
from fractions import Fraction

import pytest

F = Fraction
Melody = Callable[[str], list[tuple[int, F]]]
Pitches = Callable[[str], list[int]]
Play = Callable[[str], list[tuple[int, F, F]]]
C, D, E, G, A, B = 60, 62, 64, 67, 69, 71
FA = 65


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C,, C, C c c' c''", [36, 48, 60, 72, 84, 96]),
        ("C,' c,, C', c'", [60, 48, 60, 84]),  # marks may be mixed
        ("^C _D ^^C __D =C", [61, 61, 62, 60, 60]),
        ("CDEFGAB", [60, 62, 64, 65, 67, 69, 71]),
    ],
)
def test_pitches(pitches: Pitches, text: str, expected: list[int]) -> None:
    assert pitches(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^C C c | C", [61, 61, 73, 60]),  # until the bar line, in all octaves
        ("^C =C C | C", [61, 60, 60, 60]),
        ("^C || C", [61, 60]),
        ("^C- | C C", [61, 60]),  # a tie carries it, for one note only
        ("^C-|C-|C C", [61, 60]),
        ("{^c} c", [72]),  # that of a grace note is its own
        ("[^CE] C", [61, 64, 61]),
        ("^C [K:D] C", [61, 61]),
        ("^C [K:F] C", [61, 60]),  # a new key cancels it
    ],
)
def test_scope_of_accidentals(pitches: Pitches, text: str, expected: list[int]) -> None:
    assert pitches(text) == expected


@pytest.mark.parametrize(
    ("scope", "expected"), [("not", [61, 60, 72]), ("octave", [61, 61, 72]), ("pitch", [61, 61, 73])]
)
@pytest.mark.parametrize("sign", ["%%", "I:"])
def test_scope_can_be_chosen(pitches: Pitches, scope: str, expected: list[int], sign: str) -> None:
    assert pitches(f"{sign}propagate-accidentals {scope}\n^C C c") == expected


@pytest.mark.parametrize(
    ("text", "length"),
    [("C", 1), ("C2", 2), ("C/", F(1, 2)), ("C//", F(1, 4)), ("C/4", F(1, 4)), ("C3/2", F(3, 2)), ("C3/", F(3, 2))],
)
def test_lengths(melody: Melody, text: str, length: F) -> None:
    assert melody(text + " D") == [(C, length), (D, 1)]


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("C>D", [F(3, 2), F(1, 2)]),
        ("C<D", [F(1, 2), F(3, 2)]),
        ("C>>D", [F(7, 4), F(1, 4)]),
        ("C<<D", [F(1, 4), F(7, 4)]),
        ("C>>>D", [F(15, 8), F(1, 8)]),
        ("C > D", [F(3, 2), F(1, 2)]),
        ("C>|D", [F(3, 2), F(1, 2)]),
        ("C{g}>D", [F(3, 2), F(1, 2)]),
        ("C>{g}D", [F(3, 2), F(1, 2)]),
        ("C>!trill!D", [F(3, 2), F(1, 2)]),
        ("C>\nD", [F(3, 2), F(1, 2)]),
        ("C>D/", [F(3, 2), F(1, 2)]),  # written short already
        ("C2>D", [3, 1]),
        ("C3>D", [3, 1]),  # no pair: as written
        ("C>D>E", [F(3, 2), F(1, 2), 1]),
        ("(3C>DE", [1, F(1, 3), F(2, 3)]),
    ],
)
def test_broken_rhythm(melody: Melody, text: str, lengths: list[F]) -> None:
    assert [length for _, length in melody(text)] == lengths


def test_rests(play: Play) -> None:
    assert play("C z D x2 E z/ F") == [(C, 0, 1), (D, 2, 1), (E, 5, 1), (FA, F(13, 2), 1)]
    assert play("z>C D") == [(C, F(3, 2), F(1, 2)), (D, 2, 1)]
    assert play("Z C Z2 D X3 [M:3/4] Z E") == [(C, 4, 1), (D, 13, 1), (E, 29, 1)]
    assert play("C y D y20 E") == [(C, 0, 1), (D, 1, 1), (E, 2, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C-C D", [(C, 2), (D, 1)]),
        ("C- C D", [(C, 2), (D, 1)]),
        ("C -C D", [(C, 2), (D, 1)]),  # against the standard, but met
        ("C-|C", [(C, 2)]),
        ("C-C-C", [(C, 3)]),
        ("C-\nC", [(C, 2)]),
        ("C.-C", [(C, 2)]),
        ("C-D C", [(C, 1), (D, 1), (C, 1)]),  # no tie but a slur
        ("C-c", [(C, 1), (72, 1)]),
        ("C-[Q:60]C", [(C, 2)]),
    ],
)
def test_ties(melody: Melody, text: str, expected: list[tuple[int, F]]) -> None:
    assert melody(text) == expected


def test_a_rest_ends_a_tie(play: Play) -> None:
    assert play("C-zC") == [(C, 0, 1), (C, 2, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C- |: C D :|", [(C, 2), (D, 1), (C, 1), (D, 1)]),
        ("|: C D- :| D", [(C, 1), (D, 1), (C, 1), (D, 2)]),
        ("|: D C D- :|", [(D, 1), (C, 1), (D, 2), (C, 1), (D, 1)]),  # from the end back to the start
        ("|: C- |1 C D :|2 C E |]", [(C, 2), (D, 1), (C, 2), (E, 1)]),
    ],
)
def test_ties_across_repeats(melody: Melody, text: str, expected: list[tuple[int, F]]) -> None:
    assert melody(text) == expected


def test_chords(play: Play) -> None:
    assert play("[CE]2 D") == [(C, 0, 2), (E, 0, 2), (D, 2, 1)]
    assert play("[C2E2]/ D") == [(C, 0, 1), (E, 0, 1), (D, 1, 1)]
    assert play("[C2E]D") == [(C, 0, 2), (E, 0, 1), (D, 2, 1)]  # the first note is the length of the chord
    assert play("[CE2]>D") == [(C, 0, F(3, 2)), (E, 0, 3), (D, F(3, 2), F(1, 2))]
    assert play("[CC] D") == [(C, 0, 1), (D, 1, 1)]  # a unison sounds once
    assert play('["Am"C!1!E.G] D') == [(C, 0, 1), (E, 0, 1), (G, 0, 1), (D, 1, 1)]
    assert play("+CE+ D") == [(C, 0, 1), (E, 0, 1), (D, 1, 1)]  # as in ABC 1


@pytest.mark.parametrize("text", ["[CE]-[CE]", "[C-E-][CE]", "[CE]- | [CE]"])
def test_ties_between_chords(play: Play, text: str) -> None:
    assert play(text) == [(C, 0, 2), (E, 0, 2)]


def test_ties_of_some_notes_of_a_chord(play: Play) -> None:
    assert play("[C-E][CE]") == [(C, 0, 2), (E, 0, 1), (E, 1, 1)]
    assert play("[CE-]E") == [(C, 0, 1), (E, 0, 2)]


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("(3CDE F", [F(2, 3)] * 3 + [1]),
        ("(2CD E", [F(3, 2)] * 2 + [1]),
        ("(4CDEF G", [F(3, 4)] * 4 + [1]),
        ("(5CDEFG A", [F(2, 5)] * 5 + [1]),
        ("(6CDEFGA B", [F(1, 3)] * 6 + [1]),
        ("(8CDEFGABc d", [F(3, 8)] * 8 + [1]),
        ("[M:6/8](5CDEFG A", [F(3, 5)] * 5 + [1]),
        ("(3:2:4CDEF G", [F(2, 3)] * 4 + [1]),
        ("(3:2CDE F", [F(2, 3)] * 3 + [1]),
        ("(3::2CD E", [F(2, 3)] * 2 + [1]),
        ("(3::CDE F", [F(2, 3)] * 3 + [1]),
        ("(3C2DE F", [F(4, 3), F(2, 3), F(2, 3), 1]),
        ("(3 C D | E F", [F(2, 3)] * 3 + [1]),
        ("((3CDE) F", [F(2, 3)] * 3 + [1]),
        ("(3C{g}DE F", [F(2, 3)] * 3 + [1]),
        ("(11:8:11CDEFGABcdef g", [F(8, 11)] * 11 + [1]),
    ],
)
def test_tuplets(melody: Melody, text: str, lengths: list[F]) -> None:
    assert [length for _, length in melody(text)] == lengths


def test_rests_and_chords_count_in_tuplets(play: Play) -> None:
    assert play("(3[CE]zD F") == [
        (C, 0, F(2, 3)),
        (E, 0, F(2, 3)),
        (D, F(4, 3), F(2, 3)),
        (FA, 2, 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "(C D) E",
        ".(C D) E",
        "C{ge}D{/b}E",
        "{a3/2b/}C{a>b}D E",
        "!trill!C!>!D!crescendo(!E",
        "+fermata+C+D.C.+D E",
        "~C .D vE",
        "uC TD HE",
        "JC kD QE",
        'C"^slow"D"_f"E',
        'C"Am7"D"2nd time"E',
        "C`D``E",
        "C! D! E!",  # an older sign for the end of a line
        "!D.C. al fine!C D E",
        "C$D*E;",
        "C\\\nD E % a comment with ABC",
        "C D\n% only a comment\nE",
        "C D\n%%stretchstaff\nE",
        "C D\nw: words to sing\nE",
        "C D\nW: more words\nN: notes\nE",
        "C [r:remark]D [I:setbarnb 10]E",
        "C D [R:reel] E",
        "C D =\nE",
        "C D=20\nE",
        "C D\n%%begintext\nABC\n%%endtext\nE",
        "C D\nU: p = !plus!\npE",
    ],
)
def test_what_is_not_heard(melody: Melody, text: str) -> None:
    assert melody(text) == [(C, 1), (D, 1), (E, 1)]


@pytest.mark.parametrize("text", ["C2 [CE][D\nF]", "C2 [C\nE][DF]", "C\n2 [CE][DF]", "C\\\n2 [CE][DF]"])
def test_signs_that_the_end_of_a_line_cuts(play: Play, text: str) -> None:
    assert play(text) == [(C, 0, 2), (C, 2, 1), (E, 2, 1), (D, 3, 1), (FA, 3, 1)]


def test_overlays(play: Play) -> None:
    assert play("C2 D2 & E4 | F4") == [(C, 0, 2), (E, 0, 4), (D, 2, 2), (FA, 4, 4)]
    assert play("C4 & E4 & G4 | D4 & F4") == [(C, 0, 4), (E, 0, 4), (G, 0, 4), (D, 4, 4), (FA, 4, 4)]
    assert play("C4- & E4- | C4 & E4") == [(C, 0, 8), (E, 0, 8)]


def test_inline_fields(play: Play) -> None:
    assert play("C [L:1/8] D [K:D] F [M:3/4] Z G") == [
        (C, 0, 1),
        (D, 1, F(1, 2)),
        (66, F(3, 2), F(1, 2)),
        (G, 5, F(1, 2)),
    ]


def test_music_that_looks_like_a_field(pitches: Pitches) -> None:
    assert pitches("C D\nE:|F") == [C, D, E, C, D, E, FA]
    assert pitches("C D\nd:|F") == [C, D, 74, C, D, 74, FA]
