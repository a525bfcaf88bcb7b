"""Dense records of drums and polyphony: written, found in a folder, read back."""

import json
import pathlib

import numpy as np
import pytest

from etude.models.dataset import configure_for, read_for_model
from etude.models.errors import EtudeError
from etude.models.magenta.records import decode_tokens, file_name, find_records
from etude.models.polyphony.events import NEW
from etude.models.registry import configure, make_domain, make_encoding
from etude.models.storage.records import frame
from etude.models.storage.sequence_examples import decode_inputs_and_labels
from etude.pipelines.dataset import create_dataset
from etude.pipelines.readers.note_sequences import NoteSequence
from etude.pipelines.sequences.dense import dense_record

MAGENTA = pathlib.Path(__file__).parents[2] / "testdata" / "magenta"
SEQUENCES = {"drum_kit": "drum_tracks", "one_drum": "drum_tracks", "polyphony": "polyphonic_sequences"}


def figures_of(name):
    figures = json.loads((MAGENTA / name / "figures.json").read_text())
    return [sequence for sequence in figures[SEQUENCES[name]] if "labels" in sequence]


def records_of(name):
    configuration = configure(name)
    encoding, domain = make_encoding(configuration), make_domain(configuration)
    tokens = [domain.parse(sequence["events"]) for sequence in figures_of(name)]
    return tokens, [dense_record(encoding, one, {}) for one in tokens]


def write(folder, name, records):
    for split in ("train", "eval"):
        path = folder / file_name(split, configure(name).representation)
        path.write_bytes(b"".join(map(frame, records)))


@pytest.mark.parametrize("name", SEQUENCES)
def test_records_hold_magentas_inputs_and_labels(name):
    for sequence, record in zip(figures_of(name), records_of(name)[1], strict=True):
        inputs, labels = decode_inputs_and_labels(record)
        assert labels.tolist() == sequence["labels"]
        assert [[[int(i), float(row[i])] for i in np.flatnonzero(row)] for row in inputs] == sequence["inputs_nonzero"]


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_folder_of_records_is_a_dataset(name, tmp_path):
    tokens, records = records_of(name)
    write(tmp_path, name, records)
    configuration = configure(name)
    assert find_records(tmp_path) == configuration.representation
    assert configure_for(configuration, tmp_path) == configuration
    found = read_for_model(tmp_path, "eval", configuration)
    assert [found.tokens(index).tolist() for index in range(len(found))] == [one.tolist() for one in tokens]


def test_records_of_another_configuration_are_refused(tmp_path):
    write(tmp_path, "one_drum", records_of("one_drum")[1])
    with pytest.raises(EtudeError, match="reads sequences of drums"):
        configure_for(configure("drums"), tmp_path)
    encoding = make_encoding(configure("drums"))
    with pytest.raises(ValueError, match="inputs of 2 numbers"):
        decode_tokens(records_of("one_drum")[1][0], encoding)


def test_pieces_become_records_in_every_key(tmp_path):
    piece = NoteSequence(id="one", ticks_per_quarter=220, total_time=12.0)
    for number in range(24):
        piece.notes.add(pitch=60 + number % 5, velocity=80, start_time=number / 2, end_time=(number + 1) / 2)
    (tmp_path / "notes.tfrecord").write_bytes(frame(piece.SerializeToString()))
    create_dataset(
        [tmp_path / "notes.tfrecord"], tmp_path / "dense", representation="polyphony", format="magenta", config="polyphony",
        eval_ratio=0.0,
    )  # fmt: skip
    found = read_for_model(tmp_path / "dense", "train", configure("polyphony"))
    first = sorted(int(found.tokens(index)[1]) - NEW for index in range(len(found)))
    assert first == list(range(56, 65))
