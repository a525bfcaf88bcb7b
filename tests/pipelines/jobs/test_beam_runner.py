import logging
import os
import pathlib
import subprocess
import sys

import pytest

import etude
from etude.models.errors import EtudeError, UsageError
from etude.pipelines.jobs.beam_runner import run_slices
from etude.pipelines.jobs.shards import Slice, slices

PARTS = slices(list(range(200)), [1] * 200)


def count(part):
    return {"items": len(part.items), f"slice-{part.index}": 1}


def test_every_slice_is_processed_once_and_counted():
    assert run_slices(count, PARTS) == {"items": 200, **{f"slice-{part.index}": 1 for part in PARTS}}
    assert run_slices(count, []) == {}


def fail(part):
    if part.index == 2:
        raise EtudeError("the disk is full\nmake room")
    return {}


def fail_for_other_reasons(part):
    raise ZeroDivisionError


def test_own_errors_come_through_and_others_stay_what_they_are():
    with pytest.raises(EtudeError, match=r"^the disk is full\nmake room$"):
        run_slices(fail, PARTS)
    with pytest.raises(Exception, match="ZeroDivisionError") as caught:
        run_slices(fail_for_other_reasons, PARTS)
    assert not isinstance(caught.value, EtudeError)


def write_process_id(part):
    # Leaves the other worker time to get its share.
    pathlib.Path(part.items[0], f"{part.index}-{os.getpid()}").touch()
    if part.index == 3:
        raise EtudeError("cannot write somewhere; choose another folder")
    return {}


def test_worker_processes(tmp_path, capfd):
    """One start of the processes for all that is to be seen of them: each takes seconds."""
    parts = [Slice(index, 3, (str(tmp_path),)) for index in range(3)]
    run_slices(write_process_id, parts, workers=2)
    processes = {path.name.split("-")[1] for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 3
    assert str(os.getpid()) not in processes
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_errors_come_through_from_worker_processes(tmp_path):
    with pytest.raises(EtudeError, match=r"^cannot write somewhere; choose another folder$"):
        run_slices(write_process_id, [Slice(3, 4, (str(tmp_path),))], workers=2)


KILLED = """
import os, signal, sys
sys.path.append(sys.argv[1])
from etude.models.errors import EtudeError
from etude.pipelines.jobs.beam_runner import run_slices
from etude.pipelines.jobs.shards import Slice

def be_killed(part):
    if part.index == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return {}

try:
    run_slices(be_killed, [Slice(index, 2, ()) for index in range(2)], workers=2)
except EtudeError as error:
    print(error)
"""


def test_a_killed_worker_is_an_error_and_no_hang():
    """Beam alone waits for it for ever, one time in two."""
    command = [sys.executable, "-P", "-W", "ignore", "-c", KILLED, str(pathlib.Path(etude.__file__).parents[1])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("a worker process was killed")
    assert "run the same command again" in result.stdout


def test_nothing_is_logged_to_the_console(capfd):
    handlers = list(logging.getLogger().handlers)
    run_slices(count, PARTS)
    with pytest.raises(EtudeError):
        run_slices(fail, PARTS)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    assert logging.getLogger().handlers == handlers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--runner=DaskRunner"], "silently loses data"),
        (["--runner", "apache_beam.runners.dask.dask_runner.DaskRunner"], "silently loses data"),
        (["--direct_num_workers=many"], "invalid int value"),
        (["--direct_num_worker=2", "--nonsense"], "nonsense"),
    ],
)
def test_options_that_cannot_be(options, message, capfd):
    with pytest.raises(UsageError, match=message):
        run_slices(count, PARTS, beam_options=options)
    assert capfd.readouterr().err == ""


def test_any_runner_and_option_passes_through():
    options = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner", "--direct_num_workers=1"]
    assert run_slices(count, PARTS, beam_options=options)["items"] == 200


def test_workers_are_positive():
    with pytest.raises(UsageError, match="--workers"):
        run_slices(count, PARTS, workers=0)
