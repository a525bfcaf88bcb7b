import gzip
import random
import struct

import pytest

from etude.models.errors import EtudeError
from etude.models.storage.records import MAX_RECORD_BYTES, frame, read_records, write_records

RECORDS = [b"", b"one", bytes(range(256)) * 300, b"last"]


@pytest.fixture
def path(tmp_path):
    write_records(tmp_path / "records", RECORDS)
    return tmp_path / "records"


def test_records_come_back(path):
    assert list(read_records(path)) == RECORDS


def test_uncompressed_records_come_back(tmp_path):
    (tmp_path / "plain").write_bytes(b"".join(map(frame, RECORDS)))
    assert list(read_records(tmp_path / "plain")) == RECORDS


def test_the_number_of_records_is_returned(tmp_path):
    assert write_records(tmp_path / "records", iter(RECORDS)) == 4
    assert write_records(tmp_path / "empty", []) == 0
    assert list(read_records(tmp_path / "empty")) == []


def test_the_same_records_give_the_same_bytes(path, tmp_path):
    write_records(tmp_path / "elsewhere" / "other name", RECORDS)
    assert (tmp_path / "elsewhere" / "other name").read_bytes() == path.read_bytes()


def test_tensorflow_reads_what_is_written(path):
    tf = pytest.importorskip("tensorflow")
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(path), compression_type="GZIP")] == RECORDS


def test_what_tensorflow_writes_is_read(tmp_path):
    tf = pytest.importorskip("tensorflow")
    for compression in ("GZIP", ""):
        with tf.io.TFRecordWriter(str(tmp_path / "theirs"), compression) as writer:
            for record in RECORDS:
                writer.write(record)
        assert list(read_records(tmp_path / "theirs")) == RECORDS


def test_a_missing_file(tmp_path):
    with pytest.raises(EtudeError, match=r"missing: .*No such file"):
        list(read_records(tmp_path / "missing"))


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_cut_short_is_never_taken_for_whole(path, tmp_path, compressed):
    data = path.read_bytes() if compressed else b"".join(map(frame, RECORDS))
    whole = {0} if compressed else {sum(len(frame(record)) for record in RECORDS[:count]) for count in range(4)}
    for length in [*range(0, 60), *range(60, len(data), 997 if not compressed else 7)]:
        (tmp_path / "short").write_bytes(data[:length])
        if length in whole:
            assert len(list(read_records(tmp_path / "short"))) < 4
        else:
            with pytest.raises(EtudeError, match=r"short: record \d+ cannot be read"):
                list(read_records(tmp_path / "short"))


@pytest.mark.parametrize("compressed", [True, False])
def test_damage_is_noticed(path, tmp_path, compressed):
    data = bytearray(path.read_bytes() if compressed else b"".join(map(frame, RECORDS)))
    # The ten bytes of the header of gzip hold nothing that matters to the records.
    chooser = random.Random(1)
    for _ in range(300):
        position = chooser.randrange(10 if compressed else 0, len(data))
        damaged = data.copy()
        damaged[position] ^= 1 << chooser.randrange(8)
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(EtudeError, match="cannot be read"):
            list(read_records(tmp_path / "damaged"))


def test_garbage(tmp_path):
    chooser = random.Random(2)
    for length in (1, 11, 12, 100, 5000):
        for start in (b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00"):
            (tmp_path / "garbage").write_bytes(start + chooser.randbytes(length))
            with pytest.raises(EtudeError):
                list(read_records(tmp_path / "garbage"))


def test_a_huge_length_is_refused_before_memory_is_taken(tmp_path):
    header = struct.pack("<Q", MAX_RECORD_BYTES + 1)
    masked_crc = frame(header)[20:24]
    (tmp_path / "bomb").write_bytes(gzip.compress(header + masked_crc + bytes(1000)))
    with pytest.raises(EtudeError, match="above the limit"):
        list(read_records(tmp_path / "bomb"))


def test_records_are_read_one_at_a_time(tmp_path):
    (tmp_path / "records").write_bytes(frame(b"good") + b"bad")
    records = read_records(tmp_path / "records")
    assert next(records) == b"good"
    with pytest.raises(EtudeError, match="record 2"):
        next(records)
