import struct

import google_crc32c
import numpy as np
import pytest

from etude.models.magenta import table
from etude.models.magenta.magenta_pb2 import GeneratorBundle, SavedTensorSlices

DATA_TYPES = {"float32": 1, "int32": 3, "int64": 9}


def varint(value):
    value &= (1 << 64) - 1
    digits = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([digit | 0x80 for digit in digits[:-1]] + digits[-1:])


def masked_crc(data):
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def block(entries):
    data = b"".join(varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    return sealed(data + struct.pack("<II", 0, 1))


def sealed(content, compression=0):
    content += bytes([compression])
    return content + struct.pack("<I", masked_crc(content))


def build_table(entries, data_block=None, handles=None):
    """A sorted string table of one block (or of blocks and handles of one's own)."""
    data = block(entries) if data_block is None else data_block
    meta = block([])
    if handles is None:
        handles = [(0, len(data) - table.BLOCK_TRAILER_BYTES)]
    index = block([(b"\xff", varint(offset) + varint(size)) for offset, size in handles])
    footer = varint(len(data)) + varint(len(meta) - 5) + varint(len(data) + len(meta)) + varint(len(index) - 5)
    return data + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", table.MAGIC)


@pytest.fixture(scope="session")
def tables():
    """Writes sorted string tables, sound ones and others."""

    class Tables:
        pass

    for function in (varint, masked_crc, block, sealed, build_table):
        setattr(Tables, function.__name__, staticmethod(function))
    return Tables


def version_1(tensors, shapes=()):
    """A checkpoint of format version 1; `shapes` are declared instead of the true ones."""
    shapes = dict(shapes)
    header, entries = SavedTensorSlices(), []
    for name, values in tensors.items():
        described = header.meta.tensor.add(name=name, type=DATA_TYPES[values.dtype.name])
        for size in shapes.get(name, values.shape):
            described.shape.dim.add(size=size)
        entry = SavedTensorSlices()
        entry.data.name = name
        field = {"float32": "float_val", "int32": "int_val", "int64": "int64_val"}[values.dtype.name]
        getattr(entry.data.data, field).extend(values.ravel().tolist())
        entries.append((b"\0" + name.encode(), entry.SerializeToString()))
    return build_table([(b"", header.SerializeToString()), *entries])


@pytest.fixture(scope="session")
def write_bundle():
    """Writes a bundle with the given variables."""

    def write(path, config, tensors, shapes=(), attention_shape=None):
        bundle = GeneratorBundle(checkpoint_file=[version_1(tensors, shapes)])
        bundle.generator_details.id = config
        if attention_shape is not None:
            from etude.models.magenta.magenta_pb2 import MetaGraph

            graph = MetaGraph()
            node = graph.graph_def.node.add(name="rnn/attention_cell_wrapper/Reshape/shape", op="Const")
            node.attr["value"].tensor.tensor_content = np.array(attention_shape, "<i4").tobytes()
            bundle.metagraph_file = graph.SerializeToString()
        path.write_bytes(bundle.SerializeToString())
        return path

    return write
