import json

import note_seq
import numpy as np
import pytest
from note_seq.melody_encoder_decoder import KeyMelodyEncoderDecoder, MelodyOneHotEncoding

from etude.models.dataset import read_description, read_for_model, read_melodies
from etude.models.errors import EtudeError
from etude.models.magenta.records import file_name
from etude.models.melodies.melody import Melody
from etude.models.registry import configure
from etude.models.storage.records import write_records
from etude.models.storage.sequence_example_pb2 import SequenceExample
from etude.models.storage.sequence_examples import encode_melody

EVENTS = [[62, -2, 66, -2, 69, -1, 67, -2] * 3, [50, -2, 90, -1] * 8, [64, -2] * 9]


@pytest.fixture
def dataset(tmp_path):
    """Two files of training melodies, one of others, and an empty test split."""
    folder = tmp_path / "dataset"
    melodies = [Melody(np.array(events), id=f"m{number}", steps_per_bar=12) for number, events in enumerate(EVENTS)]
    files = {"train": ["train-0.tfrecord", "train-1.tfrecord"], "eval": ["eval-0.tfrecord"], "test": []}
    write_records(folder / "train-0.tfrecord", [encode_melody(melodies[0])])
    write_records(folder / "train-1.tfrecord", [encode_melody(melodies[1])])
    write_records(folder / "eval-0.tfrecord", [encode_melody(melodies[2])])
    splits = [{"name": name, "num_melodies": len(files[name]), "files": files[name]} for name in files]
    description = {"format": "etude", "fingerprint": "abc", "splits": splits, "from_a_later_version": 1}
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


def all_events(melodies):
    return [melodies.events(index).tolist() for index in range(len(melodies))]


def test_melodies_come_back_in_order(dataset):
    train = read_melodies(dataset, "train")
    assert all_events(train) == EVENTS[:2]
    assert train.ids == ("m0", "m1")
    assert train.steps_per_bar.tolist() == [12, 12]
    assert all_events(read_melodies(str(dataset), "eval")) == EVENTS[2:]
    assert read_description(dataset).fingerprint == "abc"


@pytest.mark.parametrize("name", ["basic", "mono"])
def test_a_model_gets_them_in_its_key_and_range(dataset, name):
    configuration = configure(name)
    found = read_for_model(dataset, "train", configuration)
    expected = []
    for events in EVENTS[:2]:
        melody = note_seq.Melody(events)
        melody.squash(configuration.min_note, configuration.max_note, configuration.transpose_to_key)
        expected.append(list(melody))
    assert all_events(found) == expected


@pytest.mark.parametrize(
    ("damage", "split", "message"),
    [
        (lambda folder: None, "other", "has no split 'other', only train, eval, test; name one of these"),
        (lambda folder: None, "test", "test split .* is empty.*--test-ratio"),
        (lambda folder: (folder / "dataset.json").unlink(), "train", "holds no finished dataset"),
        (lambda folder: (folder / "dataset.json").write_text("{"), "train", r"dataset\.json is damaged"),
        (lambda folder: (folder / "dataset.json").write_bytes(b"\xff"), "train", r"dataset\.json is damaged"),
        (lambda folder: (folder / "dataset.json").write_text('{"splits": 3}'), "train", r"dataset\.json is damaged"),
        (
            lambda folder: (folder / "train-1.tfrecord").unlink(),
            "train",
            r"has lost train-1\.tfrecord; run its 'etude d",
        ),
        (lambda folder: write_records(folder / "train-1.tfrecord", []), "train", r"holds 1 melodies .* says 2"),
        (lambda folder: write_records(folder / "train-1.tfrecord", [b"?"]), "train", r"train-1\.tfrecord: record 1: "),
        (
            lambda folder: (folder / "train-1.tfrecord").write_bytes((folder / "train-1.tfrecord").read_bytes()[:-9]),
            "train",
            r"train-1\.tfrecord: record \d cannot be read",
        ),
    ],
)
def test_what_is_wrong_is_said(dataset, damage, split, message):
    damage(dataset)
    with pytest.raises(EtudeError, match=message):
        read_melodies(dataset, split)


def test_no_folder(tmp_path):
    with pytest.raises(EtudeError, match=r"there is no dataset folder .*etude dataset NOTES --output DATASET"):
        read_description(tmp_path / "none")


def magenta_encoder(name):
    if name == "attention":
        return KeyMelodyEncoderDecoder(48, 84)
    one_hot = MelodyOneHotEncoding(*((0, 128) if name == "mono" else (48, 84)))
    if name == "lookback":
        return note_seq.LookbackEventSequenceEncoderDecoder(one_hot)
    return note_seq.OneHotEventSequenceEncoderDecoder(one_hot)


def magenta_record(name, events):
    """What Magenta's pipeline writes, through note_seq's encoder: lists of float and int features."""
    inputs, labels = magenta_encoder(name).encode(note_seq.Melody(events))
    message = SequenceExample()
    for vector in inputs:
        message.feature_lists.feature_list["inputs"].feature.add().float_list.value.extend(vector)
    for label in labels:
        message.feature_lists.feature_list["labels"].feature.add().int64_list.value.append(label)
    return message.SerializeToString()


MAGENTA_EVENTS = [[60, -2, 64, -1] * 20, [-2, -1, 60, -2, 60, -1, 48, 83] * 6, [-2] * 40, [72] * 35]


@pytest.fixture
def magenta_dataset(tmp_path):
    def write(name, events=MAGENTA_EVENTS):
        folder = tmp_path / name
        for split in ("train", "eval"):
            write_records(folder / file_name(split, "melody"), [magenta_record(name, event) for event in events])
        return folder

    return write


@pytest.mark.parametrize("name", ["basic", "lookback", "attention", "mono"])
def test_datasets_of_magenta_are_read_as_melodies(name, magenta_dataset):
    folder = magenta_dataset(name)
    description = read_description(folder)
    assert description.format == "magenta"
    assert [(split.name, split.num_melodies) for split in description.splits] == [("train", 4), ("eval", 4)]
    found = read_for_model(folder, "train", configure(name))
    assert all_events(found) == [list(note_seq.Melody(events)) for events in MAGENTA_EVENTS]


@pytest.mark.parametrize(("written_for", "name"), [("basic", "lookback"), ("lookback", "attention"), ("mono", "basic")])
def test_datasets_of_magenta_are_for_one_configuration(written_for, name, magenta_dataset):
    folder = magenta_dataset(written_for)
    with pytest.raises(EtudeError, match=r"training_melodies\.tfrecord: record 1: it has inputs of \d+ numbers"):
        read_for_model(folder, "train", configure(name))
    with pytest.raises(EtudeError, match="without --format magenta"):
        read_melodies(folder, "train")


def test_datasets_of_magenta_with_other_lookback_distances(magenta_dataset):
    configuration = configure("lookback", {"lookback_distances": [8, 16]})
    with pytest.raises(EtudeError, match="written for another configuration"):
        read_for_model(magenta_dataset("lookback", [[60, -2, 64, -1, 67, 65, 60, 62] * 5]), "train", configuration)


def test_the_fingerprint_of_magentas_records_is_that_of_their_content(magenta_dataset, tmp_path):
    folder = magenta_dataset("basic")
    before = read_description(folder).fingerprint
    write_records(
        folder / file_name("eval", "melody"), [magenta_record("basic", event) for event in reversed(MAGENTA_EVENTS)]
    )
    assert read_description(folder).fingerprint == before
    write_records(
        folder / file_name("eval", "melody"), [magenta_record("basic", event) for event in MAGENTA_EVENTS[1:]]
    )
    assert read_description(folder).fingerprint != before
