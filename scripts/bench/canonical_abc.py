"""How many tunes turn into canonical ABC and back into the same notes, on the corpora that music21 carries.

    python scripts/bench/canonical_abc.py [CORPUS...] [--details FILE] [--abc2midi]

A tune is the same if pitch, onset and duration of every note of its canonical text, read by our reader, are those of the
tune as played, exactly, in fractions of a whole note, and if its text is the same again. `--abc2midi` lets abc2midi, an
independent reader, play the canonical text too, and compares with our notes of the tune (to its rounding).
"""

import argparse
import collections
import concurrent.futures
import pathlib

from etude.models.abc.canonical import canonical
from etude.models.abc.performance.performance import Performance
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.abc.unfolded import unfold
from etude.models.melodies.quantisation import UnusableError
from etude.pipelines.readers.abc import RejectedTune, Tune, read_tunebook
from scripts.bench.abc_agreement import CORPORA, agree, find_abc2midi, find_corpus, our_notes, run_abc2midi

SAME, UNEVEN = "same notes", "same notes, bars of uneven length"


def notes(performance: Performance) -> list[tuple[int, int, int, int]]:
    """Onset and end, over the units of a whole note, and pitch."""
    return sorted((note.start, note.end, note.pitch, performance.units) for note in performance.notes)


def is_same(one: Performance, other: Performance) -> bool:
    """Whether all notes are equal, exactly."""
    return len(one.notes) == len(other.notes) and all(
        (first[0] * second[3], first[1] * second[3], first[2])
        == (second[0] * first[3], second[1] * first[3], second[2])
        for first, second in zip(notes(one), notes(other), strict=True)
    )


def outcome(tune: Tune | RejectedTune, binary: str) -> tuple[str, str]:
    """What became of a tune, and whether abc2midi agrees."""
    if isinstance(tune, RejectedTune):
        return f"not read: {tune.reason}", ""
    try:
        unfolded = unfold(tune.performance)
    except UnusableError as error:
        return error.reason, ""
    text = canonical(unfolded)
    try:
        again = read_text(text).performance
    except AbcError as error:
        return f"its text is not read: {error}", ""
    if not is_same(tune.performance, again):
        return "other notes", ""
    if canonical(unfold(again)) != text:
        return "same notes, another text", ""
    midi = ""
    if binary:
        theirs, _ = run_abc2midi(binary, text.splitlines()[1:])
        midi = "abc2midi agrees" if agree(our_notes(tune), theirs) else "abc2midi differs"
    return SAME if unfolded.has_whole_bars else UNEVEN, midi


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", nargs="*", default=CORPORA)
    parser.add_argument("--details", help="write one line for every tune that is not the same to this file")
    parser.add_argument("--abc2midi", action="store_true", help="let abc2midi play the canonical texts, too")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    binary = find_abc2midi() if arguments.abc2midi else ""
    details = []
    for corpus in arguments.corpora:
        tunes = [
            (path.name, tune) for path in find_corpus(corpus) for tune in read_tunebook(path.read_bytes(), path.name)
        ]
        with concurrent.futures.ThreadPoolExecutor(arguments.workers) as executor:
            outcomes = list(executor.map(lambda pair: outcome(pair[1], binary), tunes))
        counts = collections.Counter(result for result, _ in outcomes)
        same = counts[SAME] + counts[UNEVEN]
        print(f"{corpus}: {len(tunes):,} tunes, {same:,} come back the same ({same / len(tunes):.2%})", flush=True)
        counts.update(midi for _, midi in outcomes if midi)
        for result, count in counts.most_common():
            print(f"  {count:6,} {count / len(tunes):7.2%}  {result}", flush=True)
        details += [
            f"{corpus}/{name}:{tune.line}: {', '.join(filter(None, result))}"
            for (name, tune), result in zip(tunes, outcomes, strict=True)
            if result[0] != SAME or result[1].endswith("differs")
        ]
    if arguments.details:
        pathlib.Path(arguments.details).write_text("\n".join(details) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
