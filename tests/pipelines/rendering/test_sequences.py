"""Sequences of notes as music."""

import io

import mido
import numpy as np
import pytest

from etude.models.registry import configure, make_domain
from etude.pipelines.rendering.mei import to_mei
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import Grid

GRID = Grid(steps_per_quarter=4, steps_per_bar=16, qpm=100.0)


def of(config, given):
    domain = make_domain(configure(config))
    return domain, domain.parse(given)


def played(music):
    """Onset, pitch, length in steps and channel of each note, as mido reads them."""
    file = mido.MidiFile(file=io.BytesIO(to_midi(music)))
    found, on, tick = [], {}, 0
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if message.type in ("note_on", "note_off"):
            key = message.channel, message.note
            if message.type == "note_on" and message.velocity:
                on[key] = tick
            elif key in on:
                start = on.pop(key)
                found.append((start // 120, message.note, (tick - start) // 120, message.channel))
    return sorted(found)


def test_drums_are_percussion():
    domain, tokens = of("drums", [[36, 42], [], [38]])
    music = GRID.sequence_music(domain, tokens)
    assert played(music) == [(0, 36, 1, 9), (0, 42, 1, 9), (2, 38, 1, 9)]
    assert music.num_steps == 3
    assert 'clef.shape="perc"' in to_mei(music)


CHORD = [[0, None], [3, 64], [3, 60], [2, None], [4, 64], [2, None]]
AFTER = [[0, None], [3, 67], [2, None], [4, 67], [3, 62], [2, None]]


def test_polyphony_has_its_lengths():
    domain, tokens = of("polyphony", CHORD)
    assert played(GRID.sequence_music(domain, tokens)) == [(0, 60, 1, 0), (0, 64, 2, 0)]


@pytest.mark.parametrize("without", [False, True])
def test_a_prelude_sounds_before(without):
    domain, prelude = of("polyphony", CHORD)
    tokens = domain.parse(AFTER)
    music = GRID.sequence_music(domain, tokens, 1, prelude, without_primer=without)
    expected = [(0, 67, 2, 0), (1, 62, 1, 0)]
    if not without:
        expected = [(0, 60, 1, 0), (0, 64, 2, 0), (2, 67, 2, 0), (3, 62, 1, 0)]
    assert played(music) == expected
    assert (music.num_steps, music.num_primer_steps) == ((2, 0) if without else (4, 2))


@pytest.mark.parametrize("without", [False, True])
def test_a_primer_that_the_model_went_on_from(without):
    domain, tokens = of("polyphony", [*CHORD, *AFTER[1:]])
    num_primer = len(CHORD)
    music = GRID.sequence_music(domain, tokens, num_primer, without_primer=without)
    assert music.num_steps == (2 if without else 4)
    assert [note[:2] for note in played(music)] == (
        [(0, 67), (1, 62)] if without else [(0, 60), (0, 64), (2, 67), (3, 62)]
    )


def test_the_first_steps_of_polyphony():
    domain, tokens = of("polyphony", [*CHORD, *AFTER[1:], [1, None]])
    for number in range(6):
        first = domain.first_steps(tokens, number)
        assert np.array_equal(first, tokens[: len(first)])
        assert domain.num_steps(first) == min(number, 4)
