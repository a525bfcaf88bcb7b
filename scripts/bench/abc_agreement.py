"""How far our ABC reader and abc2midi agree, note for note, on the corpora that music21 carries.

    python scripts/bench/abc_agreement.py [CORPUS...] [--details FILE] [--speed]

abc2midi is the binary in symusic's wheels (`pip install symusic==0.5.9`); another one is named by `--abc2midi`. Compared
are pitch, onset and duration of all notes as played, in fractions of a quarter note. abc2midi is told to leave out grace
notes, guitar chords, fermatas and the delay within chords; ornaments that it would play out are taken from its copy.

Where the two differ, the copy that abc2midi gets is written more explicitly, in ways that change nothing by the standard
(see `REWRITINGS`). If they agree then, the disagreement is explained by that rule.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import gc
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction

import mido

from etude.models.abc.notation.text import decode, split_lines
from etude.pipelines.readers.abc import RejectedTune, Tune, read_tunebook
from etude.pipelines.readers.abc.tunebook import Lines, split_tunebook

CORPORA = ("ryansMammoth", "oneills1850", "airdsAirs", "essenFolksong", "miscFolk")
TICKS = 480  # abc2midi's, in a quarter note
TOLERANCE = 3  # ticks, for abc2midi's rounding
OPTIONS = ("-NGRA", "-NFER", "-NGUI")

_FIELD = re.compile(r"\s*(?:[A-Za-z+]:(?![|:])|%)")
_PROTECTED = re.compile(r'("[^"]*"|\[[A-Za-z]:[^\]]*\]|![^!]*!)')
_BAR_OR_ENDING = re.compile(r"(\.?(?::*\[?\||::+)(?:[|:]|\[(?=[|:])|\])*(?:\[?\d[\d,-]*)?|\[\d[\d,-]*)")

Notes = list[tuple[float, int, float]]
"""Onset and duration in ticks, and pitch between them."""


def in_music(line: str, rewrite: Callable[[str], str]) -> str:
    """Applies a rewriting to the music of a line, not to fields, texts and decorations."""
    if _FIELD.match(line):
        return line
    parts = _PROTECTED.split(line)
    return "".join(part if odd % 2 else rewrite(part) for odd, part in enumerate(parts))


def strip_ornaments(lines: list[str]) -> list[str]:
    """What abc2midi plays out although it is no melody: staccato dots, rolls, trills."""
    lines = [re.sub(r"!(?:trill|arpeggio)!", "", line) for line in lines]
    return [in_music(line, lambda music: re.sub(r"[.~TRJPM]", "", music)) for line in lines]


def join_cut_signs(lines: list[str]) -> list[str]:
    """A sign that the end of a line cuts in two, joined (standard 6.1.1 for lines that end in a backslash)."""
    joined: list[str] = []
    for line in lines:
        last = joined[-1] if joined else ""
        is_music = bool(joined) and not _FIELD.match(line) and not _FIELD.match(last)
        cut = re.search(r"\[[^]|\":]*$", last) or (re.match(r"[\d/,']|:(?![|:\]])", line) and not last.endswith(" "))
        if is_music and cut:
            joined[-1] = last.rstrip("\\") + line
        else:
            joined.append(line)
    return joined


def drop_invisible_bars(lines: list[str]) -> list[str]:
    """Invisible bar lines `[|]` (standard 4.8), which abc2midi takes for chords."""
    return [in_music(line.replace("[|]", " "), lambda music: music) for line in lines]


def spell_tuplets(lines: list[str]) -> list[str]:
    """Tuplets with the default numbers of the standard (4.13) written out; abc2midi has 3 for n in 3/4 too."""
    compound = any(re.match(r"\s*M:\s*(?:6|9|12)/", line) for line in lines)
    times = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}

    def spell(match: re.Match[str]) -> str:
        number = int(match[1])
        return f"({number}:{times.get(number, 3 if compound else 2)}:{number}"

    return [in_music(line, lambda music: re.sub(r"\((\d+)(?![\d:])", spell, music)) for line in lines]


def spell_broken(lines: list[str]) -> list[str]:
    """`d>B/` as `d3/2B/`: the short note is written short already; other unequal pairs as if there were no sign."""
    note = r"([=_^]*[A-Ga-g][,']*)(\d*)(/*)(\d*)"

    def length(above: str, slashes: str, below: str) -> Fraction:
        return Fraction(int(above or 1), int(below) if below else 2 ** len(slashes))

    def spell(match: re.Match[str]) -> str:
        first, second = length(*match.group(2, 3, 4)), length(*match.group(8, 9, 10))
        signs, between = match[5], match[6]
        short = Fraction(1, 2 ** len(signs))
        if first == second:
            return match[0]
        if signs[0] == ">" and second == first * short:
            first *= 2 - short
        elif signs[0] == "<" and first == second * short:
            second *= 2 - short
        return f"{match[1]}{first}{between}{match[7]}{second}"

    return [in_music(line, lambda music: re.sub(rf"{note}\s*(>+|<+)(\s*){note}", spell, music)) for line in lines]


def spell_end(lines: list[str]) -> list[str]:
    """`:]` as `:|`: bar lines may have any shape (4.8)."""
    return [in_music(line, lambda music: music.replace(":]", ":|")) for line in lines]


def drop_line_break_signs(lines: list[str]) -> list[str]:
    """A lone `!`, which is a line break in older files (10, and `I:linebreak !` in 6.1.1)."""
    return [line if _FIELD.match(line) else re.sub(r"!(?![\w.()<>+]+!)|(?<=\s)!", "", line) for line in lines]


def bracket_plus_chords(lines: list[str]) -> list[str]:
    """`+CEG+`, a chord in ABC 1, as `[CEG]` (standard 10, outdated syntax)."""
    return [in_music(line, lambda music: re.sub(r"\+((?:[A-Ga-g][\d/,']*)+)\+", r"[\1]", music)) for line in lines]


def spell_repeats(lines: list[str]) -> list[str]:
    """Starts of repeats written out where the standard (4.8) has them.

    A repeat without a start goes back to the latest double bar line, end of repeat or the beginning; the last variant
    ending stops at `:|` as it does at `||` (4.10).
    """
    pieces: list[str] = []
    bars: dict[str, list[int]] = {}  # where each voice has its bar lines and endings
    voice = ""
    for line in lines:
        if _FIELD.match(line):
            pieces.append(line + "\n")
            if match := re.match(r"([VPK]):\s*(\S*)", line):
                voice = match[2] if match[1] == "V" else voice
                if match[1] == "P" or voice not in bars:
                    bars.setdefault(voice, []).append(len(pieces) - 1)
            continue
        for number, part in enumerate(_PROTECTED.split(line)):
            if number % 2:
                pieces.append(part)
                if match := re.match(r"\[V:\s*(\S+)\]", part):
                    voice = match[1]
                    bars.setdefault(voice, []).append(len(pieces) - 1)
                continue
            for odd, piece in enumerate(_BAR_OR_ENDING.split(part)):
                pieces.append(piece)
                if odd % 2:
                    bars.setdefault(voice, []).append(len(pieces) - 1)
        pieces.append("\n")
    for positions in bars.values():
        _spell_voice(pieces, positions)
    return "".join(pieces).split("\n")


def _spell_voice(pieces: list[str], positions: list[int]) -> None:
    start, is_open = positions[0], False
    endings: set[str] = set()
    skip = -1
    for position, following in zip(positions, [*positions[1:], 0], strict=True):
        if position == skip:
            continue
        if re.match(r"\[?[A-Z]:", pieces[position]):  # a field
            if not pieces[position].startswith("[") or position == positions[0]:
                start, is_open, endings = position, False, set()
            continue
        signs, number = re.fullmatch(r"(.*?)\[?([\d,-]*)", pieces[position]).groups()  # type: ignore[union-attr]
        next_to = not "".join(pieces[position + 1 : following]).strip(" \\\n")
        if not number and following and next_to and (match := re.fullmatch(r"\[(\d[\d,-]*)", pieces[following])):
            number, skip = match[1], following
        goes_on = bool(number) and number not in endings
        if signs.startswith(":") or goes_on:
            if not is_open:
                pieces[start] += "|:\n" if pieces[start].endswith("\n") else " |: "
                is_open = True
            if goes_on:
                endings.add(number)
                if not signs.startswith(":"):
                    pieces[position] = "|" * bool(signs) + "[" * (skip != following) + number * (skip != following)
                continue
            pieces[position] = "||" if len(endings) > 1 else ":|"
        if signs.endswith(":"):
            pieces[position] = (pieces[position] if signs.startswith(":") else "") + " |: "
            start, is_open, endings = position, True, set()
        elif len(signs) > 1 and (signs.startswith(":") or endings or not is_open):
            start, is_open, endings = position, False, set()


REWRITINGS: dict[str, Callable[[list[str]], list[str]]] = {
    "repeat starts at the latest double bar line, or ends with the last ending (4.8, 4.10)": spell_repeats,
    "sign cut by the end of a line (6.1.1)": join_cut_signs,
    "invisible bar line (4.8)": drop_invisible_bars,
    "tuplet of 5, 7 or 9 in simple time (4.13)": spell_tuplets,
    "chord between plus signs (ABC 1)": bracket_plus_chords,
    "end of repeat written :] (4.8)": spell_end,
    "lone ! is a line break (6.1.1)": drop_line_break_signs,
    "broken rhythm whose short note is written short (left open by 4.4; ours makes the bars whole)": spell_broken,
}


@dataclasses.dataclass
class Comparison:
    """What became of one tune.

    Attributes:
      result: `agrees`, `rejected`, or why they differ.
      name: file and line.
    """

    result: str
    name: str


def run_abc2midi(binary: str, lines: list[str]) -> tuple[Notes | None, str]:
    """The notes that abc2midi plays, and what it says; None if it plays nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "tune.abc"), pathlib.Path(folder, "tune.mid")
        source.write_text("\n".join(["X:1", "%%MIDI chordattack 0", *lines, ""]), encoding="utf-8")
        done = subprocess.run([binary, source, *OPTIONS, "-o", target], capture_output=True, timeout=60, check=False)
        log = done.stdout.decode("latin-1")
        return (read_midi(target) if target.exists() else None), log


def read_midi(path: pathlib.Path) -> Notes:
    """All notes of a MIDI file of abc2midi, which lets every note start one tick late."""
    file = mido.MidiFile(path)
    scale = TICKS / file.ticks_per_beat
    notes: Notes = []
    for track in file.tracks:
        now = 0
        sounding: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            starts = sounding[message.channel, message.note]
            if message.type == "note_on" and message.velocity:
                starts.append(now)
            elif starts:
                start = starts.pop(0)
                notes.append(((start - 1) * scale, message.note, (now - start + 1) * scale))
    return notes


def our_notes(tune: Tune) -> Notes:
    """The notes that our reader plays, in abc2midi's ticks."""
    scale = 4 * TICKS / tune.performance.units
    return [(note.start * scale, note.pitch, (note.end - note.start) * scale) for note in tune.performance.notes]


def agree(ours: Notes, theirs: Notes | None) -> bool:
    """Whether two lists of notes are the same but for rounding; a unison counts once."""

    def ordered(notes: Notes) -> Notes:
        unique = {(round(onset), pitch, round(duration)) for onset, pitch, duration in notes}
        return sorted(unique, key=lambda note: (round(note[0] / (4 * TOLERANCE)), note[1], note[2]))

    if theirs is None or len(ordered(ours)) != len(ordered(theirs)):
        return False
    return all(
        our[1] == their[1] and abs(our[0] - their[0]) <= TOLERANCE and abs(our[2] - their[2]) <= 2 * TOLERANCE
        for our, their in zip(ordered(ours), ordered(theirs), strict=True)
    )


def compare(binary: str, tune: Tune, lines: Lines) -> str:
    """`agrees`, or why a tune does not."""
    text = strip_ornaments([re.sub(r"^\s*R:", "N:", line) for _, line in lines if not re.match(r"\s*X:", line)])
    ours = our_notes(tune)
    theirs, log = run_abc2midi(binary, text)
    if agree(ours, theirs):
        return "agrees"
    for name, rewrite in REWRITINGS.items():
        if (rewritten := rewrite(text)) != text and agree(ours, run_abc2midi(binary, rewritten)[0]):
            return f"explained: {name}"
    for rewrite in reversed(REWRITINGS.values()):
        text = rewrite(text)
    theirs, log = run_abc2midi(binary, text)
    if agree(ours, theirs):
        return "explained: several of these"
    for sign, reason in LOGGED.items():
        if sign in log:
            return reason
    return "differs"


LOGGED = {
    "unequal notes in chord": "explained: notes of unequal length in a chord keep their lengths (4.17)",
    "Cannot apply broken rhythm": "differs: broken rhythm between unequal notes, left open by the standard (4.4)",
    "Need ||": "differs: second ending without an end of repeat before it",
}


def find_abc2midi() -> str:
    """The binary in the installed symusic, which need not be importable."""
    package = importlib.util.find_spec("symusic")
    if package is None or not package.submodule_search_locations:
        sys.exit("abc2midi is in symusic's wheels: pip install symusic==0.5.9, or name a binary with --abc2midi")
    return str(pathlib.Path(package.submodule_search_locations[0], "bin", "abc2midi"))


def find_corpus(name: str) -> list[pathlib.Path]:
    """The ABC files of a corpus in the installed music21."""
    package = importlib.util.find_spec("music21")
    if package is None or not package.submodule_search_locations:
        sys.exit("the corpora are in music21: pip install music21")
    return sorted(pathlib.Path(package.submodule_search_locations[0], "corpus", name).glob("*.abc"))


def report(corpus: str, counts: collections.Counter[str]) -> None:
    """Prints one corpus of the table."""
    tunes = counts.total()
    accepted = tunes - counts["rejected"]
    print(f"{corpus}: {tunes:,} tunes, {accepted:,} accepted ({accepted / tunes:.1%})")
    for result, count in counts.most_common():
        if result != "rejected":
            print(f"  {count:6,} {count / accepted:7.2%}  {result}")


def describe_speed(tunes: list[Lines]) -> str:
    """Tunes a second of our reader and of note-seq's, to NoteSequences, on the tunes that both read."""
    from note_seq import abc_parser

    from etude.models.errors import EtudeError

    def theirs(lines: list[str]) -> bool:
        try:
            abc_parser.ABCTune(lines)
        except Exception:
            return False
        return True

    texts = [[line for _, line in lines] for lines in tunes]
    both = [lines for lines in texts if theirs(lines)]
    if not both:
        raise EtudeError("note-seq reads no tune of this corpus")
    sources = ["\n".join(lines).encode() for lines in both]
    gc.collect()
    gc.freeze()  # what lies in memory by now is not what is measured
    start = time.process_time()
    for source in sources:
        for tune in read_tunebook(source):
            if isinstance(tune, Tune):
                tune.note_sequence()
    middle = time.process_time()
    for lines in both:
        theirs(lines)
    end = time.process_time()
    ours, other = len(both) / (middle - start), len(both) / (end - middle)
    return f"on the {len(both):,} tunes that note-seq reads too: {ours:,.0f} tunes/s, note-seq {other:,.0f} tunes/s"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", nargs="*", default=CORPORA)
    parser.add_argument("--abc2midi", help="the binary to compare with")
    parser.add_argument("--details", help="write one line for every tune that does not agree to this file")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speed", action="store_true", help="measure the speed beside note-seq's reader")
    arguments = parser.parse_args()
    binary = arguments.abc2midi or find_abc2midi()
    details = []
    for corpus in arguments.corpora:
        pairs: list[tuple[Tune | RejectedTune, Lines, str]] = []
        for path in find_corpus(corpus):
            data = path.read_bytes()
            _, blocks = split_tunebook(split_lines(decode(data)))
            pairs.extend(zip(read_tunebook(data, path.name), blocks, [path.name] * len(blocks), strict=True))

        def outcome(pair: tuple[Tune | RejectedTune, Lines, str]) -> str:
            tune, lines, _ = pair
            return "rejected" if isinstance(tune, RejectedTune) else compare(binary, tune, lines)

        with concurrent.futures.ThreadPoolExecutor(arguments.workers) as executor:
            outcomes = list(executor.map(outcome, pairs))
        counts = collections.Counter(outcomes)
        report(corpus, counts)
        if arguments.speed:
            print(f"  {describe_speed([lines for _, lines, _ in pairs])}")
        details += [
            f"{n}:{tune.line}: {why}" for (tune, _, n), why in zip(pairs, outcomes, strict=True) if why != "agrees"
        ]
    if arguments.details:
        pathlib.Path(arguments.details).write_text("\n".join(details) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
