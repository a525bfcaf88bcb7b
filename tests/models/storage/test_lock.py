import subprocess
import sys
import threading

import pytest

from etude.models.errors import EtudeError
from etude.models.storage.lock import locked

HOLD = """
import sys
from etude.models.storage.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_keeps_others_out_and_ends_with_its_process(tmp_path):
    folder = tmp_path / "new" / "folder"
    words = [sys.executable, "-P", "-c", HOLD, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(EtudeError, match="another process is writing"), locked(folder):
            pass
        holder.kill()
    with locked(folder):
        (folder / "a file").write_text("")
    assert [path.name for path in folder.iterdir()] == ["a file"]


def test_leaves_no_empty_folder_that_it_made(tmp_path):
    with locked(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert not (tmp_path / "a").exists()
    (tmp_path / "mine").mkdir()
    with locked(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine").is_dir()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(EtudeError, match="cannot write"), locked(tmp_path / "taken" / "inside"):
        pass


def test_waits_as_long_as_it_is_told_to(tmp_path):
    released = threading.Event()

    def hold(held):
        with locked(tmp_path):
            held.set()
            released.wait(60)

    held = threading.Event()
    holder = threading.Thread(target=hold, args=(held,))
    holder.start()
    held.wait(60)
    with pytest.raises(EtudeError, match="another process"), locked(tmp_path, 0.1):
        pass
    timer = threading.Timer(0.2, released.set)
    timer.start()
    with locked(tmp_path, 60):
        assert released.is_set()
    holder.join()
