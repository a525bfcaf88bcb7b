"""Tunes of every kind, for tests with hypothesis."""

from fractions import Fraction

from hypothesis import strategies as st

from etude.models.abc.unfolded import Chord, Signature, UnfoldedTune
from etude.models.melodies.scales import Key

lengths = st.sampled_from(
    [Fraction(n, d) for n in (1, 2, 3, 5, 7) for d in (1, 2, 4)] + [Fraction(n, 3) for n in (1, 2, 4)]
)
keys = st.builds(
    Key, st.integers(0, 11), st.sampled_from(["major", "minor", "mixolydian", "dorian", "phrygian", "lydian"])
)
metres = st.sampled_from([(4, 4), (6, 8), (3, 4), (9, 8), (2, 4), (5, 8), None])
sounds = st.tuples(st.lists(st.integers(30, 100), max_size=3, unique=True), lengths)


@st.composite
def tunes(draw):
    """Tunes whose bars stand anywhere, with changes of metre and key anywhere."""
    chords, now = [], Fraction(0)
    for pitches, length in draw(st.lists(sounds, min_size=1, max_size=30)):
        length /= 8
        if pitches:
            chords.append(Chord(now, now + length, tuple(sorted(pitches))))
        now += length
    if not chords:
        chords.append(Chord(Fraction(0), Fraction(1, 8), (60,)))
    end = chords[-1].end
    drawn = draw(st.lists(st.integers(1, 200), max_size=12))
    bars = tuple(sorted({Fraction(number, 16) for number in drawn if Fraction(number, 16) < end}))
    signatures = [(Fraction(0), Signature(draw(metres), draw(keys)))]
    for number in sorted(set(draw(st.lists(st.integers(1, 100), max_size=2)))):
        signature = Signature(draw(metres), draw(keys))
        if Fraction(number, 16) < end and signature != signatures[-1][1]:
            signatures.append((Fraction(number, 16), signature))
    return UnfoldedTune(tuple(chords), bars, tuple(signatures))
