import errno
import os
import stat

import pytest

from etude.models.errors import EtudeError
from etude.models.storage.files import remove_partial_files, write_text, write_whole


def test_a_file_is_written_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "text.txt"
    write_text(path, "für Elise\n")
    assert path.read_bytes() == "für Elise\n".encode()
    assert os.listdir(path.parent) == ["text.txt"]


def test_it_takes_its_name_only_once_complete(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with write_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (RuntimeError(), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (SystemExit(), SystemExit),
        (OSError(errno.ENOSPC, "No space left on device"), EtudeError),
        # What has nothing to do with the file that is written keeps its own name.
        (FileNotFoundError(errno.ENOENT, "No such file", "another"), FileNotFoundError),
    ],
)
def test_what_fails_leaves_nothing_behind(tmp_path, error, shown):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail():
        with write_whole(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(shown):
        fail()
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


def test_permissions_are_those_of_an_ordinary_file(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.write_text("")
    write_text(tmp_path / "ours", "")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EtudeError, match=r"cannot write .*choose another output folder"):
        write_text(tmp_path / "file" / "inside", "text")


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(EtudeError, match="cannot write"):
        write_text(tmp_path / "taken", "text")
    assert os.listdir(tmp_path) == ["taken"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: os.write(os.open("/dev/full", os.O_WRONLY), b"x"))
    with pytest.raises(EtudeError, match=r"No space left on device.*free some space"):
        write_text(tmp_path / "file", "text")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_removed(tmp_path):
    with write_whole(tmp_path / "file"):
        (left,) = os.listdir(tmp_path)
    (tmp_path / "file").unlink()
    (tmp_path / left).write_bytes(b"half")
    (tmp_path / "whole.part").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"")
    remove_partial_files(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "whole.part"]
    remove_partial_files(tmp_path / "nowhere")
