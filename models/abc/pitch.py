"""Pitches as ABC notation writes them."""

from etude.models.melodies.scales import Key
from etude.models.melodies.spelling import Spelling

_ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}


def note_name(pitch: int, key: Key, altered: set[str]) -> str:
    """A note without its length: `^F,`, `c'`.

    Once a letter has had an accidental in a bar, all later notes of that letter get theirs: readers differ on whether
    an accidental holds in other octaves.

    Args:
      pitch: MIDI pitch, 0 to 127.
      key: what the key signature says.
      altered: letters that had an accidental before in the bar; the note's own is added where it gets one.
    """
    spelling = Spelling.of(pitch, key)
    mark = ""
    if not spelling.is_in_signature or spelling.letter in altered:
        mark = _ACCIDENTALS[spelling.accidental]
        altered.add(spelling.letter)
    octave = spelling.octave - 4
    if octave >= 1:
        return mark + spelling.letter.lower() + "'" * (octave - 1)
    return mark + spelling.letter + "," * -octave
