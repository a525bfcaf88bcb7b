"""Sources on a Beam file system, here one in memory."""

import io
import tarfile
import zipfile

import pytest
from apache_beam.io.filesystem import CompressionTypes, FileMetadata, FileSystem

from etude.models.errors import EtudeError
from etude.models.storage.records import read_records
from etude.pipelines.convert import convert
from etude.pipelines.sources import sources
from etude.pipelines.sources.remote_files import is_remote
from etude.pipelines.sources.sources import expand_archives, expand_sources, read_source

TUNE = b"X:1\nT:Tune %d\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n"
FILES: dict[str, bytes] = {}


class MemoryFileSystem(FileSystem):
    """What reading needs of a file system; Beam finds it by its scheme."""

    @classmethod
    def scheme(cls):
        return "memory"

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path):
        head, _, tail = path.rpartition("/")
        return head, tail

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix):
        for path, data in reversed(FILES.items()):
            if path.startswith(dir_or_prefix):
                yield FileMetadata(path, len(data), 17.5)

    def metadata(self, path):
        return FileMetadata(path, len(FILES[path]), 17.5)

    def exists(self, path):
        return path in FILES

    def size(self, path):
        return len(FILES[path])

    def open(self, path, mime_type="application/octet-stream", compression_type=CompressionTypes.AUTO):
        assert compression_type == CompressionTypes.UNCOMPRESSED
        if path.endswith("gone.abc"):
            raise OSError("out of reach")
        return io.BytesIO(FILES[path])

    def _refuse(self, *arguments, **options):
        raise AssertionError("only reading is expected")

    mkdirs = create = copy = rename = last_updated = checksum = delete = _refuse


@pytest.fixture
def bucket():
    def packed(name):
        file = io.BytesIO()
        if name.endswith("zip"):
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("in/zipped.abc", TUNE % 7)
        else:
            with tarfile.open(fileobj=file, mode="w:gz" if name.endswith("gz") else "w") as archive:
                info = tarfile.TarInfo("in/tarred.abc")
                info.size = len(TUNE % 8)
                archive.addfile(info, io.BytesIO(TUNE % 8))
        return file.getvalue()

    FILES.clear()
    for number, name in enumerate(["a.abc", "sub/b.abc", "sub/.hidden.abc", ".git/c.abc", "sub/deep/d.ABC"]):
        FILES[f"memory://bucket/tunes/{name}"] = TUNE % number
    FILES["memory://bucket/tunes/notes.txt"] = b""
    for name in ("pack.zip", "pack.tar", "pack.tar.gz"):
        FILES[f"memory://bucket/{name}"] = packed(name)
    yield FILES
    FILES.clear()


def names(arguments):
    return [source.full_name for source in expand_sources(arguments)]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("memory://bucket/tunes", ["tunes/a.abc", "tunes/sub/b.abc", "tunes/sub/deep/d.ABC"]),
        ("memory://bucket/tunes/", ["tunes/a.abc", "tunes/sub/b.abc", "tunes/sub/deep/d.ABC"]),
        ("memory://bucket/tunes/a.abc", ["tunes/a.abc"]),
        ("memory://bucket/tunes/*/*", ["sub/b.abc"]),
        ("memory://bucket/tunes/**", ["deep/d.ABC", "sub/b.abc", "tunes/a.abc"]),
        ("memory://bucket/pack.zip", ["pack.zip/in/zipped.abc"]),
        ("memory://bucket/pack.*", ["pack.tar/in/tarred.abc", "pack.tar.gz/in/tarred.abc", "pack.zip/in/zipped.abc"]),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_an_address_stands_for(argument, expected):
    assert names([argument]) == expected
    assert names([argument, argument]) == expected


def test_the_bytes_are_those_of_the_files(bucket, tmp_path):
    found = expand_sources(["memory://bucket/tunes", "memory://bucket/pack.*"])
    expand_archives(found, tmp_path)
    data = {source.full_name: read_source(source, tmp_path) for source in found}
    assert data == {
        "tunes/a.abc": TUNE % 0,
        "tunes/sub/b.abc": TUNE % 1,
        "tunes/sub/deep/d.ABC": TUNE % 4,
        "pack.zip/in/zipped.abc": TUNE % 7,
        "pack.tar/in/tarred.abc": TUNE % 8,
        "pack.tar.gz/in/tarred.abc": TUNE % 8,
    }
    assert {source.modified for source in found} == {17_500_000_000}


def test_converts_to_the_bytes_of_the_same_files_on_disk(bucket, tmp_path):
    local = tmp_path / "tunes"
    for path in ("a.abc", "sub/b.abc", "sub/deep/d.ABC"):
        (local / path).parent.mkdir(parents=True, exist_ok=True)
        (local / path).write_bytes(bucket[f"memory://bucket/tunes/{path}"])
    expected = convert([str(local)], tmp_path / "local")
    summary = convert(["memory://bucket/tunes"], tmp_path / "remote")
    assert summary == expected
    assert summary.num_sequences == 3
    for name in [*summary.files, "manifest.jsonl", "summary.json"]:
        assert (tmp_path / "remote" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()
    assert convert(["memory://bucket/tunes"], tmp_path / "remote").was_complete
    archives = convert(["memory://bucket/pack.zip", "memory://bucket/pack.tar.gz"], tmp_path / "archives")
    assert (
        archives.num_sequences
        == sum(1 for name in archives.files for _ in read_records(tmp_path / "archives" / name))
        == 2
    )
    assert not (tmp_path / "archives" / ".etude-work").exists()


def test_a_file_that_cannot_be_read_costs_that_file_only(bucket, tmp_path):
    bucket["memory://bucket/tunes/gone.abc"] = TUNE
    summary = convert(["memory://bucket/tunes"], tmp_path / "notes")
    assert summary.num_sequences == 3
    assert summary.rejected == {"unreadable": 1}
    assert "out of reach" in (tmp_path / "notes" / "manifest.jsonl").read_text()


def test_large_files_are_not_read(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 5)
    (source,) = expand_sources(["memory://bucket/tunes/a.abc"])
    with pytest.raises(ValueError, match="at most 5 are read"):
        read_source(source, tmp_path)


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("memory://bucket/nothing", "memory://bucket/nothing does not exist"),
        ("memory://bucket/none.abc", "none.abc does not exist"),
        ("nosuch://bucket/tunes", "nosuch://bucket/tunes.* cannot be listed"),
        ("memory://bucket/tunes/*.txt", "no music files"),
    ],
)
def test_what_cannot_be_found_is_said(argument, message):
    with pytest.raises(EtudeError, match=message):
        expand_sources([argument])


def test_outputs_are_on_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.abc").write_bytes(TUNE)
    with pytest.raises(EtudeError, match="only sources may be remote"):
        convert(["a.abc"], "memory://bucket/notes")
    assert [path.name for path in tmp_path.iterdir()] == ["a.abc"]


def test_addresses_and_paths():
    assert is_remote("gs://bucket/tunes")
    assert is_remote("hdfs:/tunes")
    assert not any(map(is_remote, ["tunes", "/tunes", "C:/tunes", "corpus:bach", "./a:b"]))
