"""Sources and outputs on a Beam file system, here one in memory."""

import io
import tarfile
import zipfile

import pytest
from apache_beam.io.filesystem import CompressionTypes, FileMetadata, FileSystem

from etude.models.dataset import read_melodies
from etude.models.errors import EtudeError
from etude.models.storage.records import read_records
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.files.dataset_folder import open_folder
from etude.pipelines.files.file_systems import is_remote
from etude.pipelines.sources import read as reading
from etude.pipelines.sources.read import expand_archives, read_source
from etude.pipelines.sources.sources import expand_sources

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

    def create(self, path, mime_type="application/octet-stream", compression_type=CompressionTypes.AUTO):
        assert compression_type == CompressionTypes.UNCOMPRESSED
        return MemoryFile(path)

    def rename(self, source_file_names, destination_file_names):
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            FILES[target] = FILES.pop(source)

    def delete(self, paths):
        for path in paths:
            del FILES[path]

    def _refuse(self, *arguments, **options):
        raise AssertionError("this is not expected")

    mkdirs = copy = last_updated = checksum = _refuse


class MemoryFile(io.BytesIO):
    """A file that is there once it is closed, as in an object store."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def close(self):
        if not self.closed:
            FILES[self._path] = self.getvalue()
        super().close()


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
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 5)
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
        ("memory://bucket/tunes/notes.*", "no music files"),
    ],
)
def test_what_cannot_be_found_is_said(argument, message):
    with pytest.raises(EtudeError, match=message):
        expand_sources([argument])


def below(address):
    """The visible files below an address, by name."""
    found = {path.removeprefix(f"{address}/"): data for path, data in FILES.items() if path.startswith(f"{address}/")}
    return {name: data for name, data in found.items() if not name.startswith(".")}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_both_ends_may_be_elsewhere(music_folder, bucket, tmp_path):
    """Notes and dataset in a bucket have the bytes of those on disk, whichever end is where."""
    convert([str(music_folder)], tmp_path / "notes", shards=2)
    create_dataset([tmp_path / "notes"], tmp_path / "dataset", eval_ratio=0.4, shards=2)
    convert([str(music_folder)], "memory://bucket/notes", shards=2)
    assert below("memory://bucket/notes") == contents(tmp_path / "notes")
    create_dataset(["memory://bucket/notes"], "memory://bucket/dataset", eval_ratio=0.4, shards=2)
    assert below("memory://bucket/dataset") == contents(tmp_path / "dataset")
    assert not [path for path in bucket if ".etude-work" in path]
    again = convert([str(music_folder)], "memory://bucket/notes", shards=2)
    assert again.was_complete
    folder = open_folder("memory://bucket/dataset")
    assert read_melodies(folder, "eval").ids == read_melodies(tmp_path / "dataset", "eval").ids


def test_another_job_in_a_bucket_is_refused(music_folder, bucket):
    convert([str(music_folder / "mixed.abc")], "memory://bucket/notes")
    with pytest.raises(EtudeError, match="another job"):
        convert([str(music_folder / "piece1.mid")], "memory://bucket/notes")
    summary = convert([str(music_folder / "piece1.mid")], "memory://bucket/notes", overwrite=True)
    assert summary.formats == {"midi": 1}
    assert set(below("memory://bucket/notes")) == {*summary.files, "manifest.jsonl", "summary.json"}


@pytest.mark.parametrize(
    ("address", "module", "extra"), [("gs://b/x", "google.cloud", "gcp"), ("s3://b/x", "boto3", "aws")]
)
def test_the_extra_of_a_cloud_is_named(monkeypatch, address, module, extra, music_folder):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    with pytest.raises(EtudeError, match=rf"{address}.*needs the extra {extra}.*etude\[{extra}\]"):
        convert([str(music_folder / "mixed.abc")], address)


def test_addresses_and_paths():
    assert is_remote("gs://bucket/tunes")
    assert is_remote("hdfs:/tunes")
    assert not any(map(is_remote, ["tunes", "/tunes", "C:/tunes", "corpus:bach", "./a:b"]))
