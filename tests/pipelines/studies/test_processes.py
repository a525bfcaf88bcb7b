import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from etude.pipelines.studies.processes import run_tasks

WORK = """
import os, pathlib, signal, sys, time
from etude.models.errors import EtudeError

def work(task, progress):
    kind, folder = task
    pathlib.Path(folder, f"{kind}-{os.getpid()}").touch()
    progress(1, 2, kind)
    if kind == "fail":
        raise EtudeError("no such thing")
    if kind == "fault":
        raise ValueError("bad")
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exit":
        os._exit(3)
    if kind == "wait":
        time.sleep(60)
    progress(2, 2)
"""

MAIN = """
import signal, sys
from etude.pipelines.studies.processes import run_tasks
import work_of_tests

class Deaf:
    def moved(self, *_): pass
    def ended(self, *_): pass

if __name__ == "__main__":
    # A job in the background of a shell is started with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run_tasks(work_of_tests.work, [("wait", sys.argv[1])] * 2, 2, Deaf())
"""


class Log:
    def __init__(self):
        self.moves, self.ends = [], []

    def moved(self, index, done, total, note):
        self.moves.append((index, done, total, note))

    def ended(self, index, error):
        self.ends.append((index, error))


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The function `work`, in a module that other processes can import."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "work_of_tests.py").write_text(WORK)
    monkeypatch.syspath_prepend(modules)
    import work_of_tests

    yield work_of_tests.work
    del sys.modules["work_of_tests"]


def pids(folder, kind):
    return [int(path.name.split("-")[1]) for path in folder.glob(f"{kind}-*")]


def is_running(pid):
    state = pathlib.Path(f"/proc/{pid}/stat")
    if state.parent.parent.joinpath("self").exists():
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_failures_stay_with_their_tasks(work, tmp_path):
    log = Log()
    kinds = ["fail", "ok", "die", "ok", "exit", "fault", "ok"]
    run_tasks(work, [(kind, str(tmp_path)) for kind in kinds], 2, log)
    assert sorted(log.ends) == [
        (0, "no such thing"),
        (1, ""),
        (2, "its process was killed (SIGKILL); the machine may have run out of memory"),
        (3, ""),
        (4, "its process ended with status 3"),
        (5, "ValueError: bad"),
        (6, ""),
    ]
    assert [move for move in log.moves if move[0] == 1] == [(1, 1, 2, "ok"), (1, 2, 2, "")]


def test_a_process_does_one_task_after_another(work, tmp_path):
    run_tasks(work, [("ok", str(tmp_path))] * 4, 1, Log())
    assert len(pids(tmp_path, "ok")) == 1
    assert os.getpid() not in pids(tmp_path, "ok")


def test_no_process_outlives_an_exception(work, tmp_path):
    class Stop(BaseException):
        pass

    class Stopping(Log):
        def ended(self, index, error):
            raise Stop

    with pytest.raises(Stop):
        run_tasks(work, [("wait", str(tmp_path)), ("fail", str(tmp_path))], 2, Stopping())
    assert len(pids(tmp_path, "wait")) <= 1
    assert not any(map(is_running, pids(tmp_path, "wait") + pids(tmp_path, "fail")))


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_the_one_that_waits(work, tmp_path, by):
    (tmp_path / "main.py").write_text(MAIN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py"), str(tmp_path)], env=environment, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: len(pids(tmp_path, "wait")) == 2)
    assert all(map(is_running, pids(tmp_path, "wait")))
    process.send_signal(by)
    assert process.wait(30) != 0
    wait_until(lambda: not any(map(is_running, pids(tmp_path, "wait"))))
