"""The tensors of TensorFlow 1's checkpoints, of both format versions."""

import glob
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from etude.models.magenta.magenta_pb2 import BundleEntry, SavedSliceMeta, SavedTensorSlices, Tensor, TensorShape
from etude.models.magenta.table import read_table
from etude.models.storage.records import masked_crc

Tensors = Mapping[str, npt.NDArray[np.generic]]

DATA_TYPES: Mapping[int, np.dtype[Any]] = {1: np.dtype("<f4"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}
"""TensorFlow's DT_FLOAT, DT_INT32 and DT_INT64; tensors of other types hold no weights and are skipped."""

MAX_DIMENSIONS = 8


def tensors_of_version_1(data: bytes) -> Tensors:
    """The tensors of a checkpoint of format version 1, which is one file; a bundle holds this form.

    Raises:
      ValueError: if it is not such a checkpoint, or damaged.
    """
    described: dict[str, SavedSliceMeta] = {}
    tensors = {}
    for key, value in read_table(data):
        try:
            slices = SavedTensorSlices.FromString(value)
        except DecodeError as error:
            raise ValueError("an entry is damaged") from error
        if not key:
            described = {tensor.name: tensor for tensor in slices.meta.tensor}
            continue
        description = described.get(slices.data.name)
        if description is None or description.type not in DATA_TYPES:
            continue
        values, shape = _values(slices.data.data, description.type), _shape(description.shape)
        if len(values) != _count(shape):
            raise ValueError(f"{description.name} has {len(values)} values where its shape is {shape}")
        tensors[description.name] = values.reshape(shape)
    return tensors


def tensors_of_version_2(prefix: pathlib.Path) -> Tensors:
    """The tensors of a checkpoint of format version 2: PREFIX.index and PREFIX.data-00000-of-00001 and so on.

    Raises:
      ValueError: if it is not such a checkpoint, or damaged.
      OSError: if a file is missing or cannot be read.
    """
    index = prefix.with_name(prefix.name + ".index").read_bytes()
    shards = sorted(prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*-of-*"))
    sizes = [shard.stat().st_size for shard in shards]
    unread = sum(sizes)
    tensors = {}
    for key, value in read_table(index):
        if not key:
            continue
        try:
            entry = BundleEntry.FromString(value)
        except DecodeError as error:
            raise ValueError("an entry of the index is damaged") from error
        if entry.dtype not in DATA_TYPES:
            continue
        name, data_type, shape = key.decode(errors="replace"), DATA_TYPES[entry.dtype], _shape(entry.shape)
        if (
            not 0 <= entry.shard_id < len(shards)
            or entry.size != _count(shape) * data_type.itemsize
            or not 0 <= entry.offset <= sizes[entry.shard_id] - entry.size
        ):
            raise ValueError(f"the entry of {name} does not fit its data")
        unread -= entry.size
        if unread < 0:
            raise ValueError("it declares more than its files hold")
        with shards[entry.shard_id].open("rb") as file:
            file.seek(entry.offset)
            content = file.read(entry.size)
        if masked_crc(content) != entry.crc32c:
            raise ValueError(f"the data of {name} is damaged or cut short")
        tensors[name] = np.frombuffer(content, data_type).reshape(shape)
    return tensors


def _shape(shape: TensorShape) -> tuple[int, ...]:
    sizes = tuple(dimension.size for dimension in shape.dim[: MAX_DIMENSIONS + 1])
    if len(sizes) > MAX_DIMENSIONS or min(sizes, default=0) < 0:
        raise ValueError(f"a tensor is declared with the sizes {sizes}")
    return sizes


def _count(shape: tuple[int, ...]) -> int:
    """The number of values, exactly, however large."""
    count = 1
    for size in shape:
        count *= size
    return count


def _values(tensor: Tensor, data_type: int) -> npt.NDArray[np.generic]:
    kind = DATA_TYPES[data_type]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content[: len(tensor.tensor_content) // kind.itemsize * kind.itemsize], kind)
    lists: dict[int, Iterable[float]] = {1: tensor.float_val, 3: tensor.int_val, 9: tensor.int64_val}
    return np.fromiter(lists[data_type], kind)
