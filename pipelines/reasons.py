"""Why music is rejected, by name, and what its owner can do about it."""

import collections
from collections.abc import Mapping

REMEDIES = {
    # While reading files.
    "unreachable": "the file was found and could not be read for the reason given; see to that and convert again",
    "unreadable": "the file is damaged or is not what its extension says; open and save it again in a music program",
    "too-large": "the file is larger than any real score; check where it comes from",
    "absurd-time": "a time in the file is absurd, which a damaged file has; open and save it again in a music program",
    "no-notes": "there is nothing to learn from it",
    "reader-failed": "the reader met something that it does not expect; please report it together with the file",
    "reader-crashed": "the process that read the file died of it; please report it together with the file",
    "out-of-time": "reading it took longer than any piece should; please report it together with the file",
    "out-of-memory": "reading it took more memory than any piece should; please report it together with the file",
    "abc-syntax": "the tune is not what the ABC standard describes at the line and column given; correct it there",
    # While extracting melodies.
    "already-quantised": "give NoteSequences with times in seconds",
    "bad-time": "a time in it is not a sensible number; convert the file again",
    "negative-time": "a note lies before the start; convert the file again",
    "bad-note": "a note ends before it starts; convert the file again",
    "pitch-out-of-range": "a pitch is outside 0 to 127; convert the file again",
    "bad-time-signature": "the metre is none that a bar can have; correct the file",
    "non-integer-steps-per-bar": "a bar is not a whole number of steps; raise --steps-per-quarter",
    "drums": "drum tracks have no melody",
    "no-audible-notes": "all notes of the track have velocity 0",
    "transposition-out-of-range": "a transposed copy leaves the pitches 0 to 127; give smaller transpositions",
    "polyphonic": "several notes of a track start together; --polyphony highest keeps the highest",
    "several-voices": "notes overlap that one voice cannot hold; give tunes of one voice",
    "off-grid": "its times lie on no grid that one could write down; quantise it in a music program",
    "unusual-key": "the key signature is none of a mode; --option text=canonical writes it with accidentals",
    "not-in-tokens": "folk-rnn's tokens have no word for something in it; --option text=canonical writes it out",
    "no-text": "it was not written as ABC; --option text=canonical writes it",
    "one-note": "it has not two notes; there is nothing to predict",
    "has-chords": "--exact-tunes keeps tunes of one voice without chords; take the upper notes alone",
    "changes-within": "--exact-tunes keeps tunes of one metre and one key; cut it where they change",
    "free-metre": "--exact-tunes keeps tunes with a metre; give it one (M:)",
    "off-sixteenths": "--exact-tunes keeps tunes whose notes lie on sixteenths; tuplets and shorter notes do not",
    "begins-with-rest": "--exact-tunes keeps tunes that begin with a note; remove the rest",
    "beyond-range": "--exact-tunes keeps tunes that lie within three octaves in C; move its notes by octaves",
    "uneven-bars": "--exact-tunes keeps tunes whose bars are as long as their metre says; correct them",
    "comes-back-changed": "its text, its tokens or its grid do not give the same tune back; please report it",
    "no-drums": "no note plays on the drum channel and no track is called drums; call the track so in a music program",
    "drums-too-short": "the drums play for fewer bars than wanted; lower --option min_bars",
    "unknown-drums": "the kit has no such drums, so they are left out; the rest of the track is used",
    "several-programs": "it is for several instruments, and polyphony is for one; split it in a music program",
    "too-few-steps": "it is shorter than wanted; lower --option min_steps",
    "too-many-steps": "it is longer than wanted; --option long=cut takes its beginning, --option max_steps=0 any length",
    "too-many-tokens": "it has more notes at once than any score; check where it comes from",
    "too-short": "the melody has fewer bars than wanted; lower --min-bars",
    "too-long": "the melody is longer than any real one; set --max-steps",
    "no-chords": "no chord stands over the melody; --option infer_chords=true infers them for pieces without any",
    "coincident-chords": "two different chords start on one step; correct the piece, or raise --steps-per-quarter",
    "too-few-pitches": "the melody has too few different pitches; lower --min-unique-pitches",
}
"""Reason and remedy."""

REMARKS = {
    "chords-inferred": "have chords that were inferred from the notes of their piece, which has no chord symbols",
    "chords-not-understood": "have chord symbols that were not understood: the triad of their root stands for them",
    "chords-without-triad": "have chords such as sus4, 5 or 7b5: encodings of triads see that of their root",
}
"""What is said of sequences that were not rejected, by name."""

MACHINE = ("reader-crashed", "out-of-time", "out-of-memory")
"""Reasons that lie in the machine as much as in the file: on another one the same file might be read."""


def remedy(reason: str) -> str:
    """What can be done about a rejection."""
    return REMEDIES[reason]


def unexpected(error: Exception) -> str:
    """The reason to give for an error that a reader does not expect."""
    return "out-of-memory" if isinstance(error, MemoryError) else "reader-failed"


def describe_most_frequent(counts: Mapping[str, int], most: int = 3) -> str:
    """The most frequent reasons with their counts and remedies, one a line."""
    ranked = sorted(collections.Counter(counts).items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"  {count:,} x {reason}: {remedy(reason)}" for reason, count in ranked[:most])
