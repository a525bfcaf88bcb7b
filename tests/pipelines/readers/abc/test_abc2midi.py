"""Agreement with abc2midi, an independent reader, on tunes of our own. The bench does it on whole corpora."""

import importlib.util
import pathlib

import pytest

from etude.pipelines.readers.abc import Tune, read_tunebook
from scripts.bench.abc_agreement import agree, our_notes, run_abc2midi

TUNES = {
    "jig": "M:6/8\nL:1/8\nK:Ddor\n|:A|DED FED|c2A GFE|{d}c2B- B2^c|d3 d2:|\n|:e|fed cAG|F2E D2z:|\n",
    "reel": "M:C|\nL:1/8\nQ:1/2=100\nK:Gmix\nG2BG dGBG|(3ABA GA F>GA<c|1 B2GA G2z2:|2 B2GA G4||\n|:g>>f d/e/f gfed:|\n",
    "accidentals": "M:4/4\nL:1/4\nK:Ebm\n^C C c =C|C _d ^^f F|G- G- | G =G|[^F=A]- | [FA] F2 |]\n",
    "lengths": "M:3/4\nL:1/8\nK:A\nA/B/c// d//e/4 f3/2g/|a3 b3-|b2 a/>g/ f2|z/A/ x2 [A2c2e2]|(5:4:5abcde (2fg|(4abab c'2|]\n",
    "parts": "M:2/4\nL:1/8\nP:A2BA\nK:F\nP:A\nFAcf|\nP:B\n|:b2 a2:|\n",
    "endings": "M:2/4\nL:1/4\nK:Bb\n|:BF|[1,3 Bc:|[2 de:|[4 f2|]\n",
    "voices": "M:4/4\nL:1/4\nV:1\nV:2 clef=bass octave=-1\nK:D\nV:1\nDEFG|A4-|A4|\nV:2\nD4|FA2F|Z|\n",
    "overlay": "M:4/4\nL:1/4\nK:C\ncdef & C2G2|g4 & E4|\n",
    "changes": "M:4/4\nL:1/8\nK:C\nc4 d4|[K:Bb][L:1/4]B2 e2|[M:3/4]Z|[K:HP]c f g|[K:D _b]c f b|\n",
    "transposed": "M:4/4\nL:1/4\nK:C clef=treble-8 transpose=2\nCDEF|\n",
}


def binary() -> str:
    package = importlib.util.find_spec("symusic")
    if package is None or not package.submodule_search_locations:
        pytest.skip("abc2midi is not installed (it is in symusic's wheels: pip install symusic==0.5.9)")
    return str(pathlib.Path(package.submodule_search_locations[0], "bin", "abc2midi"))


@pytest.mark.parametrize("name", TUNES)
def test_agrees_with_abc2midi(name: str) -> None:
    lines = TUNES[name].splitlines()
    (tune,) = read_tunebook("\n".join(["X:1", *lines]).encode())
    assert isinstance(tune, Tune), tune
    theirs, log = run_abc2midi(binary(), lines)
    assert theirs, log
    assert agree(our_notes(tune), theirs), (sorted(our_notes(tune)), sorted(theirs), log)
