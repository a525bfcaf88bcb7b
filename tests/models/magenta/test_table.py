import struct

import pytest

from etude.models.magenta.table import BLOCK_TRAILER_BYTES, read_table

ENTRIES = [(b"", b"header"), (b"a", b""), (b"ab", b"x" * 300), (b"b" * 200, b"y")]


def test_entries_come_back(tables):
    assert list(read_table(tables.build_table(ENTRIES))) == ENTRIES


def test_keys_share_prefixes(tables):
    """As LevelDB writes them: only what differs from the key before."""
    content = b"".join(
        tables.varint(shared) + tables.varint(len(rest)) + tables.varint(len(value)) + rest + value
        for shared, rest, value in [(0, b"cell/bias", b"1"), (5, b"kernel", b"2"), (2, b"", b"3")]
    )
    data = tables.sealed(content + struct.pack("<II", 0, 1))
    assert list(read_table(tables.build_table([], data))) == [
        (b"cell/bias", b"1"),
        (b"cell/kernel", b"2"),
        (b"ce", b"3"),
    ]


def raw(tables, *numbers, rest=b"", restarts=1):
    return tables.sealed(b"".join(map(tables.varint, numbers)) + rest + struct.pack("<II", 0, restarts))


def test_damaged_tables(tables):
    whole = tables.build_table(ENTRIES)
    data_block = tables.block(ENTRIES)
    size = len(data_block) - BLOCK_TRAILER_BYTES
    damaged = {
        "empty": b"",
        "footer": whole[-47:],
        "no magic": whole[:-1] + b"\0",
        "compressed": tables.build_table([], tables.sealed(data_block[:-5], compression=1)),
        "checksum": whole[:20] + b"?" + whole[21:],
        "shared prefix of nothing": tables.build_table([], raw(tables, 3, 1, 0, rest=b"k")),
        "key past the end": tables.build_table([], raw(tables, 0, 2**40, 0, rest=b"k")),
        "value past the end": tables.build_table([], raw(tables, 0, 1, 2**62, rest=b"k")),
        "restarts past the start": tables.build_table([], raw(tables, 0, 1, 0, rest=b"k", restarts=2**31)),
        "number without an end": tables.build_table([], tables.sealed(b"\xff" * 12 + struct.pack("<II", 0, 1))),
        "block past the end": tables.build_table(ENTRIES, handles=[(0, size + 1000)]),
        "block far away": tables.build_table(ENTRIES, handles=[(2**62, size)]),
        "huge block": tables.build_table(ENTRIES, handles=[(0, 2**62)]),
        "block of nothing": tables.build_table(ENTRIES, handles=[(0, 0)]),
        "the same block again and again": tables.build_table(ENTRIES, handles=[(0, size)] * 3),
        "long key": tables.build_table([(b"k" * 5000, b"")]),
    }
    for name, data in damaged.items():
        if name == "restarts past the start":
            # Nothing is left of the block: no entry is made up.
            assert list(read_table(data)) == []
            continue
        try:
            entries = list(read_table(data))
        except ValueError:
            continue
        pytest.fail(f"{name}: read as {entries!r}")
