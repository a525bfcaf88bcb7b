import io
import os
import sys
import tarfile
import zipfile

import pytest

from etude.models.errors import EtudeError
from etude.pipelines.sources import archives
from etude.pipelines.sources.corpora import CORPORA, licence_notes
from etude.pipelines.sources.sources import expand_archives, expand_sources, read_source


@pytest.fixture
def tree(tmp_path):
    """A folder with music, other files, hidden files and an archive."""
    folder = tmp_path / "tunes"
    (folder / "b").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("b/two.abc", "one.MID", "b/three.mxl", "notes.txt", "._one.mid", ".git/four.abc"):
        (folder / name).write_bytes(name.encode())
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("five.abc", "five")
    return folder


def names(sources):
    return [source.full_name for source in sources]


def test_folder_is_searched_recursively_and_sorted(tree):
    assert names(expand_sources([str(tree)])) == ["tunes/b/three.mxl", "tunes/b/two.abc", "tunes/one.MID"]


def test_order_of_arguments_and_repetition_change_nothing(tree):
    expected = names(expand_sources([str(tree)]))
    assert names(expand_sources([str(tree), str(tree), str(tree / ".." / "tunes")])) == expected


def test_names_do_not_depend_on_where_the_folder_lies(tree, tmp_path):
    moved = tmp_path / "elsewhere" / "tunes"
    moved.parent.mkdir()
    before = names(expand_sources([str(tree)]))
    os.rename(tree, moved)
    assert names(expand_sources([str(moved)])) == before


def test_folders_of_one_name_are_told_apart(tmp_path):
    for place in ("x", "y"):
        (tmp_path / place / "tunes").mkdir(parents=True)
        (tmp_path / place / "tunes" / "a.abc").write_text("")
    sources = expand_sources([str(tmp_path / "x" / "tunes"), str(tmp_path / "y" / "tunes")])
    assert names(sources) == ["tunes/a.abc", "tunes-2/a.abc"]


def test_file_and_glob(tree):
    assert names(expand_sources([str(tree / "one.MID")])) == ["tunes/one.MID"]
    assert names(expand_sources([str(tree / "**" / "t*")])) == ["b/three.mxl", "b/two.abc"]


def test_file_whose_name_looks_like_a_glob(tmp_path):
    (tmp_path / "tune[1].abc").write_text("")
    assert names(expand_sources([str(tmp_path / "tune[1].abc")])) == [f"{tmp_path.name}/tune[1].abc"]


def test_name_that_is_no_text(tmp_path):
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.abc")).write_text("")
    (folder / os.fsdecode(b"caf\xe8.abc")).write_text("")
    found = names(expand_sources([str(folder)]))
    assert len(set(found)) == 2
    assert [name.encode() for name in found]


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)


def write_tar(path, members):
    compression = {".tar": "", ".tgz": "gz", ".gz": "gz", ".xz": "xz"}[path.suffix]
    with tarfile.open(path, f"w:{compression}") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


MEMBERS = [
    ("z/one.abc", b"first"),
    ("__MACOSX/._one.abc", b"no"),
    ("readme.txt", b"no"),
    ("two.mid", b"second" * 1000),
    ("../../outside.mid", b"third"),
]


@pytest.mark.parametrize("name", ["pack.zip", "pack.tar", "pack.tar.gz", "pack.tgz", "pack.tar.xz"])
def test_archives_are_read_in_place(tmp_path, name):
    (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, MEMBERS)
    sources = expand_sources([str(tmp_path / name)])
    assert names(sources) == [f"{name}/outside.mid", f"{name}/two.mid", f"{name}/z/one.abc"]
    expand_archives(sources, tmp_path / "work")
    content = {source.member: read_source(source, tmp_path / "work") for source in reversed(sources)}
    assert content == {key: value for key, value in MEMBERS if value != b"no"}
    assert {path.name for path in tmp_path.iterdir()} <= {name, "work"}


def test_damaged_archive_is_named(tmp_path):
    for name in ("a.zip", "a.tar", "a.tar.gz"):
        (tmp_path / name).write_bytes(b"this is no archive at all" * 100)
        with pytest.raises(EtudeError, match=f"{name} cannot be read as an archive"):
            expand_sources([str(tmp_path / name)])


def test_archive_that_explodes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_SMALL_EXPANSION", 1 << 20)
    write_tar(tmp_path / "bomb.tar.gz", [("a.mid", bytes(1 << 23))])
    with pytest.raises(EtudeError, match="expands to more than"):
        expand_sources([str(tmp_path / "bomb.tar.gz")])
    with pytest.raises(EtudeError, match="expands to more than"):
        archives.expand_tar(tmp_path / "bomb.tar.gz", tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


def test_zip_member_larger_than_listed_is_refused(tmp_path):
    write_zip(tmp_path / "a.zip", [("a.mid", bytes(1000))])
    with pytest.raises(ValueError, match="where 999 are listed"):
        archives.read_member(tmp_path / "a.zip", "a.mid", -1, 999)


def test_encrypted_or_damaged_member_is_a_value_error(tmp_path):
    write_zip(tmp_path / "a.zip", [("a.mid", bytes(range(256)) * 10)])
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[60] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    (source,) = expand_sources([str(tmp_path / "a.zip")])
    with pytest.raises(ValueError, match="cannot be read from its archive"):
        read_source(source, tmp_path)


def test_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("etude.pipelines.sources.sources.MAX_FILE_BYTES", 10)
    (tmp_path / "a.abc").write_bytes(bytes(11))
    (source,) = expand_sources([str(tmp_path / "a.abc")])
    with pytest.raises(ValueError, match="at most 10"):
        read_source(source, tmp_path)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("missing", "missing does not exist"),
        ("corpus:nothing", "corpus:ryansMammoth"),
        ("empty", "no music files in .*looked for .mid .midi .abc"),
        ("letter.txt", "known extensions"),
        ("packed", "pack.zip"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, monkeypatch, argument, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "letter.txt").write_text("")
    (tmp_path / "packed").mkdir()
    write_zip(tmp_path / "packed" / "pack.zip", [("a.abc", b"")])
    with pytest.raises(EtudeError, match=message):
        expand_sources([argument])


def test_corpora_need_music21(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EtudeError, match=r"pip install 'etude\[demo\]'"):
        expand_sources(["corpus:ryansMammoth"])


def test_corpora_are_found_without_importing_music21(tmp_path, monkeypatch):
    for name in CORPORA:
        (tmp_path / "music21" / "corpus" / name).mkdir(parents=True)
        (tmp_path / "music21" / "corpus" / name / "tune.abc").write_text("")
    (tmp_path / "music21" / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    # Another test may have imported the real one.
    monkeypatch.delitem(sys.modules, "music21", raising=False)
    sources = expand_sources([f"corpus:{name}" for name in CORPORA])
    assert names(sources) == sorted(f"{name}/tune.abc" for name in CORPORA)


def test_non_commercial_corpus_is_announced():
    assert licence_notes(["corpus:ryansMammoth"]) == []
    assert "non-commercial" in licence_notes(["corpus:essenFolksong"])[0]
