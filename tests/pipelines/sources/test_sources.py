import errno
import gzip
import io
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from etude.models.errors import EtudeError
from etude.pipelines.sources import archives
from etude.pipelines.sources.corpora import CORPORA, licence_notes
from etude.pipelines.sources.read import SourceError, expand_archives, read_source
from etude.pipelines.sources.sources import expand_sources


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
    found = ["tunes/b/three.mxl", "tunes/b/two.abc", "tunes/more.zip/five.abc", "tunes/one.MID"]
    assert names(expand_sources([str(tree)])) == found


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


def contents(path, work):
    """What a path comes to: name, and the bytes or the problem."""
    sources = expand_sources([str(path)])
    expand_archives(sources, work)
    found = {}
    for source in sources:
        try:
            found[source.name] = read_source(source, work)
        except SourceError as error:
            found[source.name] = str(error)
    return found


@pytest.mark.parametrize("name", ["pack.zip", "pack.tar", "pack.tar.gz", "pack.tgz", "pack.tar.xz"])
def test_archives_are_read_in_place(tmp_path, name):
    (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, MEMBERS)
    sources = expand_sources([str(tmp_path / name)])
    assert names(sources) == [f"{name}/outside.mid", f"{name}/two.mid", f"{name}/z/one.abc"]
    expand_archives(sources, tmp_path / "work")
    content = {source.member: read_source(source, tmp_path / "work") for source in reversed(sources)}
    assert content == {key: value for key, value in MEMBERS if value != b"no"}
    assert {path.name for path in tmp_path.iterdir()} <= {name, "work"}


@pytest.mark.parametrize("name", ["pack.zip", "pack.tar", "pack.tgz"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_are_all_read(tmp_path, name):
    members = [("a.abc", b"old"), ("b.abc", b"other"), ("a.abc", b"newer")]
    (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, members)
    found = contents(tmp_path / name, tmp_path / "work")
    assert found.keys() == {"a.abc", "a~2.abc", "b.abc"}
    assert sorted(found.values()) == [b"newer", b"old", b"other"]


def test_the_directory_of_a_zip_is_read_once(tmp_path, monkeypatch):
    write_zip(tmp_path / "a.zip", [(f"{number}.abc", b"x" * number) for number in range(50)])
    opened = []
    start = zipfile.ZipFile.__init__
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda self, *args: (opened.append(self), start(self, *args))[1])
    found = contents(tmp_path / "a.zip", tmp_path / "work")
    assert found == {f"{number}.abc": b"x" * number for number in range(50)}
    assert len(opened) == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_all_compressions_of_a_zip(tmp_path, method):
    """Behind something else, as in an archive that unpacks itself."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.mid", b"some bytes" * 99)
        archive.writestr("b.mid", b"")
    (tmp_path / "b.zip").write_bytes(b"a program" + (tmp_path / "a.zip").read_bytes())
    for name in ("a.zip", "b.zip"):
        assert contents(tmp_path / name, tmp_path) == {"a.mid": b"some bytes" * 99, "b.mid": b""}


def test_one_badly_encoded_name_costs_no_other(tmp_path):
    write_zip(tmp_path / "a.zip", [("ö.abc", b"bad"), ("日本.abc", b"good"), ("plain.abc", b"good too")])
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace("ö".encode(), b"\x94\xff"))
    found = contents(tmp_path / "a.zip", tmp_path)
    assert sorted(found.values()) == [b"bad", b"good", b"good too"]
    assert found["日本.abc"] == b"good"


def test_encrypted_members_are_reported(tmp_path):
    write_zip(tmp_path / "a.zip", [("a.mid", b"1"), ("b.mid", b"2")])
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    found = contents(tmp_path / "a.zip", tmp_path)
    assert "encrypted" in found["a.mid"]
    assert found["b.mid"] == b"2"


@pytest.mark.parametrize("damaged", [0, 1, 2, 4])
@pytest.mark.parametrize("name", ["pack.tar", "pack.tgz"])
def test_a_damaged_header_of_a_tar_costs_one_file(tmp_path, name, damaged):
    members = {f"{number}.abc": b"tune" * 200 for number in range(5)}
    write_tar(tmp_path / name, members.items())
    data = (tmp_path / name).read_bytes()
    data = bytearray(gzip.decompress(data) if name.endswith("tgz") else data)
    data[1536 * damaged + 150] ^= 0xFF  # in the checksum; a header and two blocks each
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("tgz") else data)
    found = contents(tmp_path / name, tmp_path / "work")
    del members[f"{damaged}.abc"]
    assert {key: value for key, value in found.items() if isinstance(value, bytes)} == members
    (problem,) = [value for value in found.values() if isinstance(value, str)]
    assert f"damaged from byte {1536 * damaged} on" in problem


def test_a_tar_that_is_cut_short(tmp_path):
    write_tar(tmp_path / "a.tar", [("a.abc", b"one"), ("b.abc", b"two" * 1000)])
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:3000])
    sources = expand_sources([str(tmp_path / "a.tar")])
    assert read_source(sources[0], tmp_path) == b"one"
    with pytest.raises(ValueError, match="where 3000 are listed"):
        read_source(sources[1], tmp_path)
    with pytest.raises(SourceError, match="unexpected end of data"):
        read_source(sources[2], tmp_path)


def test_two_tars_in_one(tmp_path):
    for name in ("a", "b"):
        write_tar(tmp_path / f"{name}.tar", [(f"{name}.abc", name.encode())])
    (tmp_path / "b.tar").write_bytes((tmp_path / "a.tar").read_bytes() + (tmp_path / "b.tar").read_bytes())
    assert contents(tmp_path / "b.tar", tmp_path) == {"a.abc": b"a", "b.abc": b"b"}


def test_links_in_a_tar(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, target, kind in (
            ("x/early.abc", "../z/two.abc", tarfile.SYMTYPE),
            ("z/one.abc", "", tarfile.REGTYPE),
            ("z/hard.abc", "z/one.abc", tarfile.LNKTYPE),
            ("z/two.abc", "hard.abc", tarfile.SYMTYPE),
            ("out.abc", "/etc/passwd", tarfile.SYMTYPE),
            ("round.abc", "./round.abc", tarfile.SYMTYPE),
            ("z", "", tarfile.DIRTYPE),
            ("folder", "z", tarfile.SYMTYPE),
            ("away", "../elsewhere", tarfile.SYMTYPE),
            ("pipe.abc", "", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = 4 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"tune"))
    found = contents(tmp_path / "a.tar", tmp_path)
    assert {name for name, value in found.items() if value == b"tune"} == {
        *("z/one.abc", "z/hard.abc", "z/two.abc", "x/early.abc")
    }
    problems = {name: value for name, value in found.items() if isinstance(value, str)}
    assert problems.keys() == {"out.abc", "round.abc", "away", "pipe.abc"}
    assert "link to ../elsewhere" in problems["away"]


@pytest.mark.parametrize(("name", "form"), [("a.tar", "gz"), ("a.tar", "xz"), ("a.tar.gz", ""), ("a.tgz", "bz2")])
def test_a_tar_is_what_it_is_whatever_its_name_says(tmp_path, name, form):
    with tarfile.open(tmp_path / name, f"w:{form}") as archive:
        info = tarfile.TarInfo("a.abc")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"tune"))
    assert contents(tmp_path / name, tmp_path / "work") == {"a.abc": b"tune"}


def test_archives_in_folders_and_in_archives(tmp_path):
    folder = tmp_path / "tunes"
    (folder / "deep").mkdir(parents=True)
    write_zip(folder / "deep" / "a.zip", [("a.abc", b"in a zip"), ("b.tar", b"whatever")])
    write_tar(folder / "c.tgz", [("x/c.abc", b"in a tar")])
    (folder / "bad.zip").write_bytes(b"no archive")
    found = contents(folder, tmp_path / "work")
    assert {name: value for name, value in found.items() if isinstance(value, bytes)} == {
        "deep/a.zip/a.abc": b"in a zip",
        "c.tgz/x/c.abc": b"in a tar",
    }
    assert "inside an archive" in found["deep/a.zip/b.tar"]
    assert "cannot be read as an archive" in found["bad.zip"]


def test_links_in_a_folder(tmp_path):
    """Folders behind links are searched, once, and named as they lie."""
    folder, outside = tmp_path / "tunes", tmp_path / "outside"
    (folder / "b" / "c").mkdir(parents=True)
    outside.mkdir()
    for path in (folder / "b" / "c" / "one.abc", outside / "two.abc"):
        path.write_text("")
    for link, target in (("a", "b"), ("b/up", ".."), ("b/out", outside), ("gone.abc", "nowhere"), ("gone", "nowhere")):
        (folder / link).symlink_to(target)
    (folder / "gone.txt").symlink_to("nowhere")
    found = contents(folder, tmp_path / "work")
    assert {name for name, value in found.items() if value == b""} == {"b/c/one.abc", "b/out/two.abc"}
    assert {name for name, value in found.items() if "nowhere" in str(value)} == {"gone", "gone.abc"}
    assert len(found) == 4


@pytest.fixture
def forbidden(tmp_path, monkeypatch):
    """A folder with a tune and a folder that may not be searched.

    The superuser may search all, so that the system's answer is put in its place.
    """
    (tmp_path / "tunes" / "secret").mkdir(parents=True)
    (tmp_path / "tunes" / "a.abc").write_text("")
    scan = os.scandir

    def forbid(path):
        if str(path).endswith("secret"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbid)
    return tmp_path / "tunes"


NOT_SEARCHED = f"cannot be searched: {os.strerror(errno.EACCES)}"


def test_a_folder_that_may_not_be_searched_is_reported(forbidden, tmp_path):
    assert contents(forbidden, tmp_path / "work") == {"a.abc": b"", "secret": NOT_SEARCHED}


@pytest.mark.parametrize(
    ("pattern", "others"),
    [("**/*.abc", {"a.abc": b""}), ("*/*.abc", {}), ("**", {"a.abc": b""}), ("s*/*/*.abc", {}), ("secret/*", {})],
)
def test_a_pattern_does_not_pass_over_what_may_not_be_searched(forbidden, tmp_path, pattern, others):
    assert contents(forbidden / pattern, tmp_path / "work") == {**others, "secret": NOT_SEARCHED}


def test_what_is_no_plain_file_is_reported(tmp_path):
    os.mkfifo(tmp_path / "pipe.abc")
    assert contents(tmp_path, tmp_path / "work") == {"pipe.abc": "is no plain file"}
    assert contents(tmp_path / "pipe.abc", tmp_path / "work") == {"pipe.abc": "is no plain file"}


def test_names_do_not_depend_on_the_locale(tmp_path):
    """Members are named in any script where the system knows ASCII alone."""
    write_zip(tmp_path / "a.zip", [("日本.abc", b"")])
    write_tar(tmp_path / "b.tar", [("日本.abc", b"")])
    code = "import sys\nfrom etude.pipelines.sources.sources import expand_sources\n"
    code += "print(ascii([source.name for source in expand_sources(sys.argv[1:])]))"
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = subprocess.run(
        [sys.executable, "-P", "-c", code, tmp_path / "a.zip", tmp_path / "b.tar"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == ascii(["日本.abc"] * 2) + "\n", result.stderr


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
    (member,) = archives.list_members(tmp_path / "a.zip")
    with pytest.raises(ValueError, match="cannot be read from its archive: Bad CRC-32"):
        archives.read_member(tmp_path / "a.zip", member._replace(size=999))


def test_encrypted_or_damaged_member_is_a_value_error(tmp_path):
    write_zip(tmp_path / "a.zip", [("a.mid", bytes(range(256)) * 10)])
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[60] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    (source,) = expand_sources([str(tmp_path / "a.zip")])
    with pytest.raises(ValueError, match="cannot be read from its archive"):
        read_source(source, tmp_path)


def test_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("etude.pipelines.sources.read.MAX_FILE_BYTES", 10)
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
        ("letter.doc", "known extensions"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, monkeypatch, argument, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "letter.doc").write_text("")
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
