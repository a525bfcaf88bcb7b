"""Hostile checkpoints of format version 2, whose checksums are right."""

import resource
import struct

import numpy as np
import pytest

from etude.models.magenta.magenta_pb2 import BundleEntry
from etude.models.magenta.tensors import tensors_of_version_2

VALUES = np.arange(6, dtype=np.float32)


@pytest.fixture
def write(tmp_path, tables):
    """Writes a checkpoint with one tensor, whose entry says what the test wants."""

    def write(name=b"w", copies=1, **fields):
        data = VALUES.tobytes()
        (tmp_path / "model.data-00000-of-00001").write_bytes(data)
        entry = BundleEntry(dtype=1, size=len(data), crc32c=tables.masked_crc(data))
        sizes = fields.pop("shape", (6,))
        for field, value in fields.items():
            setattr(entry, field, value)
        for size in sizes:
            entry.shape.dim.add(size=size)
        content = entry.SerializeToString()
        entries = [(name + struct.pack(">I", number) if copies > 1 else name, content) for number in range(copies)]
        (tmp_path / "model.index").write_bytes(tables.build_table([(b"", b""), *entries]))
        return tmp_path / "model"

    return write


def test_a_sound_one(write):
    np.testing.assert_array_equal(tensors_of_version_2(write(shape=(2, 3)))["w"], VALUES.reshape(2, 3))


def test_other_types_are_skipped(write):
    assert tensors_of_version_2(write(dtype=7)) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 2**62, "shape": (2**60,)},
        {"size": 2**40, "shape": (2**38,)},
        {"size": -24, "shape": (-6,)},
        {"shape": (7,)},
        {"shape": (-2, -3)},
        {"shape": (2**32, 2**32)},
        {"offset": 2**62},
        {"offset": 1},
        {"offset": -1},
        {"shard_id": 1},
        {"shard_id": -1},
        {"shard_id": 2**31 - 1},
        {"crc32c": 0},
        {"name": b"n" * 1_000_000},
    ],
    ids=str,
)
def test_lies(write, fields):
    prefix = write(**fields)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((ValueError, OSError)):
        tensors_of_version_2(prefix)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_the_same_data_over_and_over(write):
    """A small file must not become many large tensors."""
    with pytest.raises(ValueError, match="more than its files hold"):
        tensors_of_version_2(write(copies=2))
