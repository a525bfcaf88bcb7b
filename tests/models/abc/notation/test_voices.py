from collections.abc import Callable

from etude.pipelines.readers.abc import Tune

Read = Callable[[str], Tune]
HEADER = "X:1\nM:4/4\nL:1/4\n"


def voices(tune: Tune) -> dict[str, list[tuple[int, float]]]:
    """Pitch and onset in quarter notes, by voice."""
    played: dict[str, list[tuple[int, float]]] = {name: [] for name in tune.performance.instruments}
    for note in tune.performance.notes:
        name = tune.performance.instruments[note.instrument]
        played[name].append((note.pitch, 4 * note.start / tune.performance.units))
    return played


def test_voices_by_line_and_inline(read: Read) -> None:
    expected = {"1": [(60, 0), (62, 1), (64, 2), (65, 3)], "2": [(48, 0), (50, 2)]}
    assert voices(read(HEADER + "K:C\nV:1\nCD|\nV:2\nC,2|\nV:1\nEF|\nV:2\nD,2|\n")) == expected
    assert voices(read(HEADER + "K:C\n[V:1]CD|\n[V:2]C,2|\n[V:1]EF|\n[V:2]D,2|\n")) == expected
    assert voices(read(HEADER + "V:1\nV:2\nK:C\nCD|EF|\nV:2\nC,2|D,2|\n")) == expected


def test_names_and_transposition(read: Read) -> None:
    tune = read(HEADER + 'V:T1 name="Violin I" octave=1\nV:B clef=bass transpose=-2\nK:C\nV:T1\nC|\nV:B\nC|\n')
    assert voices(tune) == {"Violin I": [(72, 0)], "B": [(58, 0)]}
    assert voices(read(HEADER + "K:C\nV:1 clef=treble-8\nC|\nV:2 t=7\nC|\n")) == {"1": [(48, 0)], "2": [(67, 0)]}
    assert voices(read(HEADER + "K:C transpose=-2\nC|\n")) == {"1": [(58, 0)]}


def test_fields_hold_in_their_voice(read: Read) -> None:
    text = HEADER + "K:C\nV:1\nF[K:D]F|\nV:2\nF[L:1/8]FF|\nV:1\nF|\nV:2\nF|\n"
    assert voices(read(text)) == {"1": [(65, 0), (66, 1), (66, 2)], "2": [(65, 0), (65, 1), (65, 1.5), (65, 2)]}


def test_fields_before_the_first_voice_hold_for_all(read: Read) -> None:
    assert voices(read(HEADER + "K:C\nK:D\nV:1\nF|\nV:2\nF|\n")) == {"1": [(66, 0)], "2": [(66, 0)]}


def test_accidentals_hold_in_their_voice(read: Read) -> None:
    assert voices(read(HEADER + "K:C\nV:1\n^C\nV:2\nC\nV:1\nC|\n")) == {"1": [(61, 0), (61, 1)], "2": [(60, 0)]}


def test_repeats_of_all_voices(read: Read) -> None:
    expected = {"1": [(60, 0), (60, 4), (62, 8)], "2": [(48, 0), (48, 4), (50, 8)]}
    assert voices(read(HEADER + "K:C\nV:1\n|:C4:|D4|\nV:2\n|:C,4:|D,4|\n")) == expected
    assert voices(read(HEADER + "K:C\nV:1\n|:C4:|D4|\nV:2\nC,4|D,4|\n")) == expected  # only one writes them
    assert voices(read(HEADER + "K:C\nV:1\nC4|D4|\nV:2\n|:C,4:|D,4|\n")) == expected


def test_parts_of_all_voices(read: Read) -> None:
    text = "X:1\nM:4/4\nL:1/4\nP:ABA\nK:C\nP:A\n[V:1] C4:|\n[V:2] C,4:|\nP:B\n[V:1] D4|\n[V:2] D,4|\n"
    expected = [(0, 0), (0, 4), (2, 8), (0, 12), (0, 16)]
    played = voices(read(text))
    assert played["1"] == [(60 + pitch, onset) for pitch, onset in expected]
    assert played["2"] == [(48 + pitch, onset) for pitch, onset in expected]


def test_a_voice_without_music(read: Read) -> None:
    tune = read(HEADER + "K:C\n|\nV:1\n|\nV:2\n[K:D]F|\n")
    assert voices(tune) == {"2": [(66, 0)]}
    assert [signature.key for signature in tune.note_sequence().key_signatures] == [2]
    tune = read(HEADER + "P:B\nK:C\nV:1\nP:A\nC|\nP:B\nV:2\nCC|\n")
    assert [note.end_time for note in tune.note_sequence().notes] == [0.5]


def test_overlays_are_voices_of_their_own(read: Read) -> None:
    tune = read(HEADER + "K:C\nC4 & E4 | D4 & F4 |\n")
    assert [(note.pitch, note.instrument) for note in tune.performance.notes] == [(60, 0), (64, 1), (62, 0), (65, 1)]
