import json
import pathlib

import mido
import numpy as np
import pytest

from etude.models.errors import EtudeError, UsageError
from etude.models.generation import GenerationOptions, generate
from etude.models.melodies.scales import Key
from etude.models.model import Model
from etude.models.networks.weights import initialise
from etude.models.registry import configure, make_encoding
from etude.models.search.constraints import Constraints
from etude.pipelines.generation.generate import FORMATS, Rendering, distinct_names, read_generated, write_melodies
from etude.pipelines.generation.ngram_overlap import TrainingNgrams

OPTIONS = GenerationOptions(num_outputs=3, num_steps=24, seed=7, constraints=Constraints(note_offs=False), top_k=9)


@pytest.fixture(scope="module")
def model():
    configuration = configure("lookback", {"rnn_layer_sizes": [6]})
    weights = initialise(configuration.hyperparameters, make_encoding(configuration), 0)
    return Model(configuration, weights, pathlib.Path("runs/lookback"), 12)


@pytest.fixture(scope="module")
def melodies(model):
    return generate(model, [62, -2, 66, -2], OPTIONS)


def test_a_line_tells_all_of_a_melody(model, melodies, tmp_path):
    rendering = Rendering(90.0, program=5, metre=(4, 4), key=Key(2))
    known = TrainingNgrams({4: np.zeros(0, np.uint64)})
    written = write_melodies(
        model, melodies, OPTIONS, tmp_path, rendering=rendering, known=known, primer_source="a.abc#3"
    )
    assert written == read_generated(tmp_path / "generated.jsonl")
    for line, melody in zip(written, melodies, strict=True):
        assert line["events"] == melody.events.tolist()
        for name in ("transpose_amount", "num_primer_events", "log_likelihood", "event_log_likelihood", "seed"):
            assert line[name] == getattr(melody, name)
        for name in ("primer_log_likelihood", "primer_event_log_likelihood", "path_log_likelihood"):
            assert line[name] == getattr(melody, name)
        assert (line["config"], line["model"], line["step"], line["primer"]) == (
            "lookback",
            "runs/lookback",
            12,
            "a.abc#3",
        )
        assert (line["steps_per_bar"], line["steps_per_quarter"], line["metre"], line["key"]) == (
            16,
            4,
            "4/4",
            "D major",
        )
        assert (line["top_k"], line["constraints"]["note_offs"], line["qpm"], line["program"]) == (9, False, 90.0, 5)
        assert line["ngram_overlap"] == {"4": 0.0}
        track = mido.MidiFile(tmp_path / line["file"]).tracks[0]
        assert {message.type for message in track} >= {"time_signature", "key_signature", "set_tempo"}
        notes = [message.note for message in track if message.type == "note_on"]
        assert notes == [event for event in melody.sounding_events.tolist() if event >= 0]


def test_settings_left_out(model, melodies, tmp_path):
    options = GenerationOptions(num_outputs=3, num_steps=24, seed=7)
    (line, *_) = write_melodies(model, melodies, options, tmp_path, qpm=100)
    assert {line[name] for name in ("constraints", "metre", "key", "primer", "ngram_overlap")} == {None}
    assert line["qpm"] == 100
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".jsonl", ".mid", ".mid", ".mid"]


def test_every_format(model, melodies, tmp_path):
    write_melodies(model, melodies, OPTIONS, tmp_path, rendering=Rendering(120, formats=frozenset(FORMATS)))
    for suffix in ("mid", *FORMATS):
        assert len(list(tmp_path.glob(f"lookback-stochastic-seed7-0?.{suffix}"))) == 3
    assert (tmp_path / "lookback-stochastic-seed7-01.wav").read_bytes()[:4] == b"RIFF"
    assert (
        (tmp_path / "lookback-stochastic-seed7-01.abc").read_text().startswith("X:1\nT:lookback-stochastic-seed7-01\n")
    )


def test_without_the_primer(model, melodies, tmp_path):
    rendering = Rendering(120, exclude_primer=True)
    (line, *_) = write_melodies(model, melodies, OPTIONS, tmp_path, rendering=rendering)
    played = [message.note for message in mido.MidiFile(tmp_path / line["file"]).tracks[0] if message.type == "note_on"]
    assert played == [event for event in melodies[0].sounding_events[4:].tolist() if event >= 0]
    assert len(line["events"]) == 24


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"qpm": 3}, "--qpm must be from 4 to 1000"),
        ({"qpm": float("nan")}, "--qpm"),
        ({"qpm": 120, "program": 128}, "--program must be from 0 to 127, not 128"),
        ({"qpm": 120, "formats": frozenset({"mp3"})}, "abc, svg, wav"),
    ],
)
def test_renderings_out_of_range(options, message):
    with pytest.raises(UsageError, match=message):
        Rendering(**options)


def test_names_of_several_models():
    def names(*paths):
        return distinct_names([pathlib.Path(path) for path in paths])

    assert names("runs/basic", "runs/lookback", "attention.mag") == ["basic", "lookback", "attention"]
    assert names("a/bundle.mag", "b/bundle.mag", "runs/c") == ["a-bundle", "b-bundle", "c"]
    assert names("x/1/run", "y/1/run") == ["x-1-run", "y-1-run"]
    with pytest.raises(UsageError, match="named twice"):
        names("runs/basic", "runs/../runs/basic", "runs/basic")


def test_damaged_lines(tmp_path):
    (tmp_path / "generated.jsonl").write_text(json.dumps({"file": "a"}) + "\n{\n")
    with pytest.raises(EtudeError, match=r"generated\.jsonl, line 2 is damaged"):
        read_generated(tmp_path / "generated.jsonl")
