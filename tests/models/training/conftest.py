import pathlib

import numpy as np
import pytest
from google.protobuf import json_format

from etude.models.melodies.melody import Melody
from etude.models.registry import configure
from etude.models.storage import dataset_pb2
from etude.models.storage.records import write_records
from etude.models.storage.sequence_examples import encode_melody

SCALES = ([60, 62, 64, 65], [67, 65, 64, 62], [72, 67, 64, 60])


def toy_melody(number):
    """A bar of one of three patterns, over and over, for two to four bars."""
    pattern = SCALES[number % 3]
    bar = [event for pitch in pattern for event in (pitch, -2, -2, -1)]
    return Melody(np.array(bar * (2 + number % 3)), id=f"toy-{number}", source="toy", steps_per_bar=16)


@pytest.fixture(scope="session")
def write_dataset():
    def write(folder, splits, **description):
        folder.mkdir(parents=True)
        message = dataset_pb2.DatasetDescription(format="etude", fingerprint="toy", **description)
        for name, melodies in splits.items():
            file = f"{name}-00000-of-00001.tfrecord"
            write_records(folder / file, map(encode_melody, melodies))
            message.splits.add(
                name=name,
                num_melodies=len(melodies),
                num_steps=sum(len(melody.events) for melody in melodies),
                files=[file],
            )
        (folder / "dataset.json").write_text(json_format.MessageToJson(message))
        return folder

    return write


@pytest.fixture(scope="session")
def dataset(tmp_path_factory, write_dataset):
    """Thirteen melodies to train on, which is no multiple of a batch, and five others."""
    folder = pathlib.Path(tmp_path_factory.mktemp("toy") / "dataset")
    return write_dataset(folder, {"train": list(map(toy_melody, range(13))), "eval": list(map(toy_melody, range(5)))})


@pytest.fixture(scope="session")
def toy_configuration():
    def configuration(name, **overrides):
        sizes = {"rnn_layer_sizes": [6], "batch_size": 4, "learning_rate": 0.02}
        if name == "attention":
            sizes["attn_length"] = 3
        return configure(name, {**sizes, **overrides})

    return configuration
