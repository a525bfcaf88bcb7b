"""The whole flow on other grids than sixteenths: every command takes the steps of a quarter note from the one before."""

import io
import json
import re
import wave

import mido
import pytest

from etude import load
from etude.models.dataset import read_description, read_melodies
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.readers.abc import reader as abc
from etude.pipelines.rendering.audio import _TAIL
from etude.pipelines.rendering.midi import TICKS_PER_QUARTER

QPM = 90
BARS = 2


class Grid:
    """A model that was trained on so many steps a quarter note, and what it generated."""

    def __init__(self, workshop, steps):
        self.workshop, self.steps = workshop, steps
        self.dataset, self.run, self.melodies = (f"{name}-{steps}" for name in ("dataset", "run", "melodies"))
        workshop("dataset", "notes", "--output", self.dataset, "--eval-ratio", 0.2, "--steps-per-quarter", steps)
        small = "batch_size=8,rnn_layer_sizes=[8],lookback_distances=[1,2],lookback_unit=bars"
        self.trained = workshop(
            "train", "--config", "lookback", "--dataset", self.dataset, "--run-dir", self.run, "--num-steps", 4,
            "--eval-every", 2, "--hparams", small,
        )  # fmt: skip
        # Without note-offs a MIDI file holds all that a list of events tells.
        workshop(
            "generate", self.run, "--output", self.melodies, "--num-outputs", 3, "--bars", BARS, "--seed", 1,
            "--qpm", QPM, "--no-note-offs", "--abc", "--svg", "--wav",
        )  # fmt: skip

    def path(self, name):
        return self.workshop.folder / name

    def lines(self):
        return [json.loads(line) for line in (self.path(self.melodies) / "generated.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module", params=[8, 3])
def grid(request, workshop):
    return Grid(workshop, request.param)


def notes(line, steps_per_quarter):
    """The pitch and the first and last second of each note, by arithmetic."""
    seconds = 60 / QPM / steps_per_quarter
    onsets = [step for step, event in enumerate(line["events"]) if event >= 0]
    ends = [*onsets[1:], len(line["events"])]
    return [
        (line["events"][onset] - line["transpose_amount"], onset * seconds, end * seconds)
        for onset, end in zip(onsets, ends, strict=True)
    ]


def assert_same_notes(found, expected, tolerance):
    assert [pitch for pitch, *_ in found] == [pitch for pitch, *_ in expected]
    for (_, *times), (_, *expected_times) in zip(found, expected, strict=True):
        assert times == pytest.approx(expected_times, abs=tolerance)


def test_the_run_records_the_steps_of_its_dataset(grid):
    assert read_description(grid.path(grid.dataset)).extraction.steps_per_quarter == grid.steps
    assert set(read_melodies(grid.path(grid.dataset), "train").steps_per_bar.tolist()) == {4 * grid.steps}
    assert RunDirectory(grid.path(grid.run)).configuration().steps_per_quarter == grid.steps
    assert f"{grid.steps} steps a quarter note" in grid.trained.stderr


def test_bars_are_those_of_the_model(grid):
    for line in grid.lines():
        assert (line["steps_per_quarter"], line["steps_per_bar"]) == (grid.steps, 4 * grid.steps)
        assert len(line["events"]) == BARS * 4 * grid.steps


def test_midi_is_played_at_the_right_speed(grid):
    for line in grid.lines():
        file = mido.MidiFile(grid.path(grid.melodies) / line["file"])
        found, at, sounding = [], 0.0, {}
        for message in file:
            at += message.time
            if message.type == "note_on":
                sounding[message.note] = at
            elif message.type == "note_off":
                found.append((message.note, sounding.pop(message.note), at))
        half_a_tick = 60 / QPM / TICKS_PER_QUARTER / 2
        assert_same_notes(found, notes(line, grid.steps), half_a_tick + 1e-4)
        assert file.length == pytest.approx(len(line["events"]) * 60 / QPM / grid.steps, abs=1e-3)


def test_abc_and_sound_last_as_long(grid):
    for line in grid.lines():
        path = grid.path(grid.melodies) / line["file"]
        (reading,) = abc.read(path.with_suffix(".abc").read_bytes())
        read = [(note.pitch, note.start_time, note.end_time) for note in reading.sequence.notes]
        assert_same_notes(read, notes(line, grid.steps), 1e-4)
        with wave.open(io.BytesIO(path.with_suffix(".wav").read_bytes())) as sound:
            seconds = len(line["events"]) * 60 / QPM / grid.steps
            assert sound.getnframes() / sound.getframerate() == pytest.approx(seconds + _TAIL, abs=1e-3)


def test_the_score_of_a_written_file_is_that_of_the_generated_events(grid):
    """Of the file, of the events as they are typed, and as `generate` said it."""
    lines = grid.lines()
    assert [line["transpose_amount"] for line in lines] == [0] * len(lines)
    files = [f"{grid.melodies}/{line['file']}" for line in lines]
    typed = [word for line in lines for word in ("--events", json.dumps(line["events"]))]
    done = grid.workshop("score", grid.run, *files, *typed, "--no-squash")
    scored = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(scored) == 2 * len(lines)
    for line, found in zip(lines * 2, scored, strict=True):
        assert found["num_steps"] == len(line["events"]) == BARS * 4 * grid.steps
        for name in ("log_likelihood", "event_log_likelihood"):
            assert found[name] == pytest.approx(line[name], rel=1e-6)


def test_the_score_of_a_tune_is_that_of_its_melody_in_the_dataset(grid):
    melodies = read_melodies(grid.path(grid.dataset), "train")
    events = melodies.events(0)
    done = grid.workshop("score", grid.run, melodies.sources[0])
    found = json.loads(done.stdout)
    assert found["num_steps"] == len(events) > 7 * 4 * grid.steps
    expected = load(grid.path(grid.run)).log_likelihood([events])
    assert found["log_likelihood"] == pytest.approx(expected[0], rel=1e-6)


def test_the_run_is_compared_on_its_own_dataset(grid):
    output = f"report-{grid.steps}"
    words = ("compare", grid.run, "--dataset", grid.dataset, "--output", output, "--generated", grid.melodies)
    grid.workshop(*words)
    results = json.loads((grid.path(output) / "results.json").read_text())
    assert results["dataset"]["steps_per_quarter"] == grid.steps
    metres = next(breakdown for breakdown in results["breakdowns"] if breakdown["name"] == "metre")
    assert [categorie["category"] for categorie in metres["categories"]] == [f"4/4 ({4 * grid.steps} steps a bar)"]
    page = (grid.path(output) / "report.html").read_text()
    step = {8: "A thirty-second note", 3: "One of 3 equal parts of a quarter note"}[grid.steps]
    assert f"<dt>Step</dt><dd>{step}. " in page
    assert "sixteenth" not in page
    played = json.loads(re.search(r'id="pieces">(.*?)</script>', page)[1])
    assert [piece["secondsPerStep"] for piece in played] == pytest.approx([60 / QPM / grid.steps] * len(played))
