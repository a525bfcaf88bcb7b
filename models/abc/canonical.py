"""Canonical ABC: one text for a tune, which says its notes, its metre, its key and its bars, and nothing else.

Repeats are played out. The unit is an eighth note, whatever the metre; lengths are `A2`, `A`, `A/2`, `A3/4`; thirds and
other odd parts are tuplets. Pitches are spelled as is usual in the key. A note has an accidental if it is not in the key
signature, or if its letter had one before in the bar, so that it does not matter in which octaves a reader lets
accidentals hold. Ties stand only where a bar line cuts a note; a rest is as long as it can be within its bar. There are
no beams, slurs, decorations, titles or words, no rest after the last note, and no bar line, which would give the end away.
"""

from collections.abc import Iterator
from fractions import Fraction

from etude.models.abc.notation.music import MAX_TUPLET
from etude.models.abc.notation.score import Metre
from etude.models.abc.pitch import note_name
from etude.models.abc.unfolded import Signature, UnfoldedTune
from etude.models.melodies.scales import Key

UNIT = Fraction(1, 8)
MODES = {
    "major": "maj",
    "minor": "min",
    "mixolydian": "mix",
    "dorian": "dor",
    "phrygian": "phr",
    "lydian": "lyd",
    "locrian": "loc",
}
Segment = tuple[tuple[int, ...], Fraction, bool]
"""Pitches, none for a rest; length in units; whether a tie follows."""


def canonical(tune: UnfoldedTune) -> str:
    """The canonical text of a tune, which ends with a line feed."""
    signature = tune.signatures[0][1]
    lines = ["X:1", f"M:{metre_name(signature.metre)}", "L:1/8", f"K:{key_name(signature.key)}"]
    return "\n".join([*lines, "".join(_body(tune)), ""])


def metre_name(metre: Metre | None) -> str:
    """A metre as `M:` has it."""
    return "none" if metre is None else f"{metre[0]}/{metre[1]}"


def key_name(key: Key) -> str:
    """A key as `K:` has it: `Gmaj`, `F#min`, `Ddor`."""
    tonic, mode = key.name.split(" ")
    return tonic + MODES[mode]


def _body(tune: UnfoldedTune) -> Iterator[str]:
    changes = dict(tune.signatures[1:])
    lines = set(tune.bars)
    cuts = sorted({*lines, *changes, tune.end})
    start, place = Fraction(0), 0
    signature = tune.signatures[0][1]
    altered: set[str] = set()
    for cut in cuts:
        segments: list[Segment] = []
        now = start
        while now < cut:
            chord = tune.chords[place]
            if chord.start > now:
                until = min(chord.start, cut)
                segments.append(((), (until - now) / UNIT, False))
            else:
                until = min(chord.end, cut)
                segments.append((chord.pitches, (until - now) / UNIT, chord.end > cut))
                place += chord.end <= cut
            now = until
        yield from _measure(segments, signature.key, altered)
        if cut in lines:
            yield "|"
            altered = _tied_letters(segments[-1], signature.key, at_least=2)
        if cut in changes:
            yield from _changes(signature, changes[cut])
            # What a tie carries over is said again in the new key.
            altered |= _tied_letters(segments[-1], signature.key)
            signature = changes[cut]
        start = cut


def _changes(before: Signature, after: Signature) -> Iterator[str]:
    if before.metre != after.metre:
        yield f"[M:{metre_name(after.metre)}]"
    if before.key != after.key:
        yield f"[K:{key_name(after.key)}]"


def _tied_letters(segment: Segment, key: Key, at_least: int = 1) -> set[str]:
    """Letters of which a tied note or chord has so many notes: of F and F sharp, readers take one over the bar line."""
    pitches, _, is_tied = segment
    letters = [key.spell(pitch % 12)[0] for pitch in pitches]
    return {letter for letter in letters if is_tied and letters.count(letter) >= at_least}


def _measure(segments: list[Segment], key: Key, altered: set[str]) -> Iterator[str]:
    """What stands between two bar lines or changes; `altered` are letters that had an accidental in the bar before it."""
    place = 0
    while place < len(segments):
        count, notes, time = _tuplet([length for _, length, _ in segments[place:]])
        if count:
            yield f"({notes}" if (count, notes, time) == (3, 3, 2) else f"({notes}:{time}:{count}"
        for pitches, length, is_tied in segments[place : place + max(count, 1)]:
            written = [note_name(pitch, key, altered) for pitch in pitches]
            sign = f"[{''.join(written)}]" if len(written) > 1 else "".join(written) or "z"
            yield sign + length_name(length * Fraction(notes, time)) + "-" * is_tied
        place += max(count, 1)


def length_name(length: Fraction) -> str:
    """A length in units, as it stands after a note: nothing for 1, else `2`, `/2`, `3/2`."""
    above = "" if length.numerator == 1 else str(length.numerator)
    return above if length.denominator == 1 else f"{above}/{length.denominator}"


def _tuplet(lengths: list[Fraction]) -> tuple[int, int, int]:
    """How many of the next notes are a tuplet, of how many in the time of how many: (0, 1, 1) if they are none.

    It is the shortest run that ends on a plain part of a bar, as far as all its notes are plain within the tuplet, or else
    the next note by itself.
    """
    notes = _odd_part(lengths[0].denominator)
    if notes == 1 or notes > MAX_TUPLET:
        return 0, 1, 1
    time = 1 << (notes.bit_length() - 1)
    total = Fraction(0)
    for count, length in enumerate(lengths[:MAX_TUPLET], start=1):
        total += length
        if _odd_part((length * notes / time).denominator) > 1:
            break
        if _odd_part(total.denominator) == 1:
            return count, notes, time
    return 1, notes, time


def _odd_part(number: int) -> int:
    return number // (number & -number)
