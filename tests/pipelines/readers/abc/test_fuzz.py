"""Whatever stands in a file, the reader comes to an end in bounded time and says what it found."""

import random
import time

import pytest

from etude.pipelines.readers.abc import RejectedTune, Tune, read_tunebook

SIGNS = [
    *"ABCDEFGabcdefgzxZXy0123456789/|:[](){}<>-&.~^_=,'`\"!+% \n\\",
    "X:1\n",
    "K:C\n",
    "M:6/8\n",
    "V:2\n",
    "P:AB\n",
]
SIGNS += ["|:", ":|", "::", "[1", "|2", "(3", ">>", "[K:G]", "[V:1]", "\n\n", "%%begintext\n", "L:1/16\n", "Q:1/4=90\n"]
TUNES = [
    'X:1\nT:One\nM:6/8\nL:1/8\nK:Gdor\n|:(3DEF "Am"G>A B2-|B{c}d e4|1 [CEG]2 z4:|2 ~g3 .f2 e|]\n',
    "X:2\nT:Two\nM:C|\nL:1/8\nP:A2(BA)2\nQ:1/2=90\nK:Hp\nP:A\nA2 B>>c & E4|(5abcde [M:3/4] Z2::\nP:B\n!f!^f'3/2-f' =c,|]\n",
    "X:3\nM:2/4\nV:1 clef=treble-8\nV:2 transpose=-2\nK:Bb exp ^f\n[V:1] A2-[Ac]2|\\\n[V:2] z4|\nI:linebreak $\n",
]


def check(data: bytes) -> None:
    start = time.process_time()
    for tune in read_tunebook(data, "fuzz.abc"):
        if isinstance(tune, Tune):
            sequence = tune.note_sequence()
            assert len(sequence.notes) > 0
            assert all(0 <= note.start_time < note.end_time and 0 <= note.pitch <= 127 for note in sequence.notes)
        else:
            assert tune.detail.startswith("fuzz.abc:")
            assert tune.reason in ("abc-syntax", "too-large", "no-notes")
    assert time.process_time() - start < 5


def test_random_bytes() -> None:
    source = random.Random(1)
    for _ in range(200):
        check(source.randbytes(source.randrange(400)))


def test_random_signs() -> None:
    source = random.Random(2)
    read = 0
    for _ in range(1000):
        music = "".join(source.choices(SIGNS, k=source.randrange(60)))
        data = f"X:1\nL:1/8\nK:C\n{music}\n".encode()
        check(data)
        read += any(isinstance(tune, Tune) for tune in read_tunebook(data))
    assert read > 25


def test_mutated_tunes() -> None:
    source = random.Random(3)
    read = rejected = 0
    for _ in range(1000):
        text = source.choice(TUNES)
        for _ in range(source.randrange(1, 6)):
            position = source.randrange(len(text))
            length = source.choice((0, 0, 1, 1, 5))
            text = text[:position] + source.choice(["", *SIGNS]) + text[position + length :]
        data = text.encode()
        check(data)
        for tune in read_tunebook(data):
            read += isinstance(tune, Tune)
            rejected += isinstance(tune, RejectedTune)
    assert read > 100
    assert rejected > 100


@pytest.mark.parametrize(
    "music",
    [
        "[" * 200_000,
        '"' * 200_001,
        '["' * 100_000,
        "{" * 200_000,
        "!" * 200_001,
        "!D.C." * 50_000,
        "+" * 200_000,
        "(" * 200_000,
        "(3" * 100_000,
        ":" * 200_000,
        "|:" * 100_000,
        "|:C" * 30_000 + ":|C" * 30_000,
        "|1C:|2D" * 30_000,
        "&C" * 50_000,
        "C>" * 20_000,
        "C-" * 50_000,
        "(3:2:97C" * 20_000,
        "C/1021 D/1019 E/1013 F/1009 G/997 A/991 B/983 c/977 " * 1000,
        "[Q:1/4=97/C][M:C]C" * 5000,
        "[K:G][M:3/4]C" * 10_000,
        "[V:1]C[V:2]C" * 10_000,
        "".join(f"[V:{number}]C" for number in range(5000)),
        '"Am"C' * 30_000 + ":|",
        "[CEG]" * 15_000,
        "[" + "CEG" * 60_000 + "]",
        "[C\n" * 50_000,
        ("[" * 100_000 + "|\n") * 3,
        "C\n" + "[C" * 100_000 + "|\nC",
        '"' + "Amino" * 20_000 + '!"C',
        "!a" * 100_000,
        "C." * 100_000,
        "|" * 200_000,
        "C\n/" * 50_000,
        "y" * 200_000,
        "=" * 200_000,
        "\\\n" * 100_000,
        "C" + "1" * 200_000 + "-",
        "C" + "/" * 200_000 + "-",
        "+" + "C11" * 30 + "x+",
        "[" + "C" + "1" * 200_000 + "x]",
        "C [1" + "1" * 200_000,
        "(" + "1" * 200_000,
        "Z" + "1" * 200_000,
        "".join(f"[Q:1/4={60 + number / 1000:.3f}]C" for number in range(15_000)),
    ],
)
def test_hostile_music(music: str) -> None:
    check(b"X:1\nL:1/8\nK:C\n" + music.encode() + b"\n")


@pytest.mark.parametrize(
    "text",
    [
        "X:1\n" * 5_000,
        "K:C\n\n" * 5_000,
        "X:1\nP:" + "(" * 100_000 + "\nK:C\nC\n",
        "X:1\nP:" + "A9" * 50_000 + "\nK:C\nP:A\nC\n",
        "X:1\nQ:" + "1/4 " * 50_000 + "\nK:C\nC\n",
        "X:1\nQ:" + "1/4 " * 200 + "\nK:C\nC\n",
        "X:1\nQ:1/" + "111/" * 28 + "\nK:C\nC\n",
        "X:1\n" + ("Q:1/4" + " " * 900 + "1/4\n") * 400 + "K:C\nC\n",
        "X:1\n" + "".join(f"Q:C{number}" + " " * 900 + "\n" for number in range(400)) + "K:C\nC\n",
        "X:1\n" + "".join(f"M:{number}" + " " * 900 + "\n" for number in range(400)) + "K:C\nC\n",
        "X:1\nT:&#" + "1" * 100_000 + ";\nK:C\nC\n",
        "X:" + "1" * 100_000 + "\nK:C\nC\n",
        "X:1\nL:1/" + "1" * 900 + "\nK:C\nC\n",
        "X:1\nK:C" + "\r" * 200_000 + "C",
        "".join(f"M:{number}/4\n" for number in range(1, 900)) + "\n" + "X:1\nK:C\nC\n\n" * 1000,
        "X:1\nM:" + "1+" * 100_000 + "1/4\nK:C\nC\n",
        "X:1\nQ:" + "1/4 " * 50_000 + "=100\nK:C\nC\n",
        "X:1\nT:" + "\\" * 200_000 + "\nK:C\nC\n",
        "X:1\nK:C" + "^c" * 100_000 + "\nC\n",
        "X:1\nK:C" + " octave=1" * 20_000 + "\nC\n",
        "X:1\nT:a\n" + "+:b\n" * 50_000 + "K:C\nC\n",
        "%%begintext\n" * 50_000,
        "%%begin" + "a" * 100_000 + "\n" * 50_000,
        "X:" + "9" * 100_000 + "\nK:C\nC\n",
    ],
)
def test_hostile_fields(text: str) -> None:
    check(text.encode())
