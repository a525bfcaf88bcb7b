"""Engraves and plays ten pieces in six keys and four metres, and measures whether every note sounds in tune.

Usage: python -P -m scripts.bench.rendering [--output FOLDER]

The pieces have a pickup, a tuplet, a tie over a bar line, chords and drums among them. For every note that sounds alone, the
strongest partial between half a semitone below its pitch and its sixth partial is compared with the nearest multiple of its
fundamental; for every piece, the loudest sample is told. With --output, MIDI, ABC, SVG and WAV files are written, to look
at and to hear.
"""

import argparse
import dataclasses
import io
import pathlib
import time
import wave

import numpy as np
import numpy.typing as npt

from etude.models.melodies.scales import Key
from etude.pipelines.rendering.abc import to_abc
from etude.pipelines.rendering.audio import SAMPLE_RATE, to_wav
from etude.pipelines.rendering.engraving import engrave
from etude.pipelines.rendering.mei import to_mei
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import Music, Note
from etude.pipelines.rendering.pictures import to_svg

_PARTIALS = 6


def pieces() -> dict[str, Music]:
    """The ten pieces by name."""
    scale = (0, 2, 4, 5, 7, 9, 11, 12)

    def line(tonic: int, durations: list[int], start: int = 0) -> tuple[Note, ...]:
        onsets = np.cumsum([0, *durations[:-1]]) + start
        steps = [scale[(3 * number) % 8] for number in range(len(durations))]
        return tuple(
            Note(int(onset), tonic + step, duration)
            for onset, step, duration in zip(onsets, steps, durations, strict=True)
        )

    violin = tuple(dataclasses.replace(note, program=40) for note in line(69, [4, 4, 2, 2, 4]))
    chords = tuple(Note(8 * bar, 60 + pitch, 8) for bar, chord in enumerate([(0, 4, 7), (5, 9, 12)]) for pitch in chord)
    drums = tuple(Note(2 * step, 42, 2, is_drum=True) for step in range(16)) + tuple(
        Note(8 * step, 36 + 2 * (step % 2), 2, is_drum=True) for step in range(4)
    )
    return {
        "c-major": Music(line(60, [4] * 8), 32, 4, 16, metre=(4, 4), key=Key(0)),
        "g-major-pickup": Music(line(67, [4, 4, 4, 4, 8, 4]), 28, 4, 12, pickup_steps=4, metre=(3, 4), key=Key(7)),
        "d-major-jig": Music(line(62, [2, 2, 2, 4, 2, 6, 6]), 24, 4, 12, metre=(6, 8), key=Key(2)),
        "f-major-tie": Music(line(65, [4, 4, 12, 4, 8]), 32, 4, 16, metre=(4, 4), key=Key(5)),
        "b-flat-major-triplets": Music(line(58, [2, 2, 2, 6, 3, 3, 2, 2, 2]), 24, 6, 24, metre=(4, 4), key=Key(10)),
        "a-major-violin": Music(violin, 16, 4, 8, metre=(2, 4), key=Key(9)),
        "e-minor": Music(line(64, [2, 6, 4, 4, 8]), 24, 4, 12, metre=(3, 4), key=Key(4, "minor")),
        "c-major-chords": Music(chords, 16, 4, 16, metre=(4, 4), key=Key(0)),
        "two-staves": Music((*line(72, [4] * 4), Note(0, 48, 8), Note(8, 43, 8)), 16, 4, 16, metre=(4, 4), key=Key(0)),
        "drums": Music(drums, 32, 4, 16, metre=(4, 4)),
    }


def cents_off(sound: npt.NDArray[np.float64], pitch: int) -> float:
    """How far the strongest partial of a note is from the multiple of its fundamental that it is nearest to."""
    fundamental = 440 * 2 ** ((pitch - 69) / 12)
    size = 1 << 18
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    within = (frequencies > fundamental * 2 ** (-1 / 24)) & (frequencies < fundamental * (_PARTIALS + 0.5))
    strongest = frequencies[within][spectrum[within].argmax()]
    partial = max(1, round(strongest / fundamental))
    return float(1200 * np.log2(strongest / (partial * fundamental)))


def lone_notes(music: Music) -> list[Note]:
    """The notes during which no other sounds, and that are long enough to measure."""
    return [
        note
        for note in music.notes
        if not note.is_drum
        and note.duration * music.seconds_per_step >= 0.2
        and not any(
            other is not note and other.onset < note.onset + note.duration and note.onset < other.onset + other.duration
            for other in music.notes
        )
    ]


def main() -> None:
    """Renders the pieces and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, metavar="FOLDER", help="also write the files")
    options = parser.parse_args()
    made = pieces()
    start = time.perf_counter()
    scores = engrave([to_mei(music) for music in made.values()])
    print(
        f"engraved {sum(score is not None for score in scores)} of {len(made)}, {time.perf_counter() - start:.2f} s in all"
    )
    worst, num_notes = 0.0, 0
    for name, music in made.items():
        start = time.perf_counter()
        data = to_wav(music)
        seconds = time.perf_counter() - start
        with wave.open(io.BytesIO(data)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        off = []
        for note in lone_notes(music):
            first = round(note.onset * music.seconds_per_step * SAMPLE_RATE)
            length = round(note.duration * music.seconds_per_step * SAMPLE_RATE)
            off.append(cents_off(samples[first + length // 10 : first + length], note.pitch))
        worst, num_notes = max([worst, *map(abs, off)]), num_notes + len(off)
        measured = f"{len(off)} notes, at most {max(map(abs, off)):.1f} cents off" if off else "no note sounds alone"
        print(f"{name}: {1000 * seconds:.0f} ms, loudest sample {np.abs(samples).max():.3f}, {measured}")
        if options.output:
            options.output.mkdir(parents=True, exist_ok=True)
            (options.output / f"{name}.wav").write_bytes(data)
            (options.output / f"{name}.mid").write_bytes(to_midi(music))
            (options.output / f"{name}.abc").write_text(to_abc(music, title=name))
            (options.output / f"{name}.svg").write_text(to_svg(music, title=name))
    print(f"all {num_notes} notes within {worst:.1f} cents")


if __name__ == "__main__":
    main()
