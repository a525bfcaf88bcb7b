"""A small dataset, and tiny models that were trained on it."""

import dataclasses
import pathlib

import numpy as np
import pytest
from google.protobuf import json_format

from etude.models.melodies.melody import Melody
from etude.models.registry import configure
from etude.models.storage import dataset_pb2
from etude.models.storage.files import write_text
from etude.models.storage.records import write_records
from etude.models.storage.sequence_examples import encode_melody

SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72])


def make_melody(random, name, steps_per_bar):
    """A random walk on a scale; every bar comes twice."""
    walk = np.clip(np.cumsum(random.integers(-1, 2, size=64)), -4, 3) + 4
    events = np.full(5 * steps_per_bar - int(random.integers(steps_per_bar // 2)), -2, dtype=np.int64)
    for step in range(len(events)):
        bar, position = divmod(step, steps_per_bar)
        if position % 2 == 0:
            events[step] = -1 if position == steps_per_bar - 2 else SCALE[walk[(bar // 2) * 8 + position // 2 % 8]]
    return Melody(events, id=name, source=f"{name}.mid", steps_per_bar=steps_per_bar)


def write_dataset(folder, num_train=40, num_eval=20, seed=0, fingerprint="f" * 64):
    """Writes a dataset folder and returns it."""
    random = np.random.default_rng(seed)
    description = dataset_pb2.DatasetDescription(format="etude", fingerprint=fingerprint, num_pieces=60)
    description.extraction.steps_per_quarter = 4
    for split, count in (("train", num_train), ("eval", num_eval)):
        melodies = [make_melody(random, f"{split}{index}", (16, 16, 12)[index % 3]) for index in range(count)]
        name = f"{split}-00000-of-00001.tfrecord"
        write_records(folder / name, map(encode_melody, melodies))
        description.splits.add(
            name=split,
            num_melodies=count,
            num_steps=sum(len(melody.events) for melody in melodies),
            num_notes=sum(int((melody.events >= 0).sum()) for melody in melodies),
            files=[name],
        )
    write_text(folder / "dataset.json", json_format.MessageToJson(description, preserving_proto_field_name=True))
    return folder


@dataclasses.dataclass(frozen=True)
class Trained:
    """A dataset folder and run directories by name."""

    dataset: pathlib.Path
    runs: dict[str, pathlib.Path]


@pytest.fixture(scope="session")
def make_dataset():
    return write_dataset


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    from etude.models.training.train import Schedule, train

    folder = tmp_path_factory.mktemp("trained")
    dataset = write_dataset(folder / "dataset")
    small = {"rnn_layer_sizes": [8], "batch_size": 8, "dropout_keep_prob": 1.0, "learning_rate": 0.03}
    plans = {
        "basic-early": ("basic", 0, 2),
        "basic-0": ("basic", 0, 40),
        "basic-1": ("basic", 1, 40),
        "lookback-0": ("lookback", 0, 40),
        "mono-0": ("mono", 0, 4),
    }
    runs = {}
    for name, (config, seed, num_steps) in plans.items():
        runs[name] = folder / name
        train(configure(config, small), dataset, runs[name], Schedule(num_steps, seed=seed, eval_every=20))
    return Trained(dataset, runs)
