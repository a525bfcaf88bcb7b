import logging
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import apache_beam as beam
import pytest

import etude
from etude.models.errors import EtudeError, UsageError
from etude.pipelines.running import runner
from etude.pipelines.running.progress import Tally
from etude.pipelines.running.runner import Resources, Watch, run
from tests.interrupts import heeding_interrupts

ROOT = str(pathlib.Path(etude.__file__).parents[1])
WATCH = Watch("testing")


def over(function, elements, spread=False):
    """A pipeline that calls a function on every element."""

    def build(pipeline):
        created = pipeline | beam.Create(elements)
        (created | beam.Reshuffle() if spread else created) | "Call" >> beam.Map(function)

    return build


def count(number, tally):
    tally.add()


def test_every_element_is_worked_on_and_progress_is_told(tmp_path):
    tally = Tally.in_folder(str(tmp_path), "done")
    told = []
    resources = Resources(progress=lambda done, total, note="": told.append((done, total, note)))
    run(over(lambda number: tally.add(), list(range(200))), resources, Watch("counting", tally, lambda: 200))
    assert tally.count() == 200
    assert told[0][1:] == (200, "counting")


def fail(number):
    if number == 2:
        raise EtudeError("the disk is full\nmake room")


def fail_for_other_reasons(number):
    raise ZeroDivisionError


def test_own_errors_come_through_and_others_stay_what_they_are():
    with pytest.raises(EtudeError, match=r"^the disk is full\nmake room$"):
        run(over(fail, [1, 2, 3]), Resources(), WATCH)
    with pytest.raises(Exception, match="ZeroDivisionError") as caught:
        run(over(fail_for_other_reasons, [1]), Resources(), WATCH)
    assert not isinstance(caught.value, EtudeError)


def write_process_id(folder):
    pathlib.Path(folder, str(os.getpid())).touch()


def test_worker_processes(tmp_path, capfd):
    run(over(write_process_id, [str(tmp_path)] * 20, spread=True), Resources(workers=2), WATCH)
    processes = {path.name for path in tmp_path.iterdir()}
    assert processes
    assert str(os.getpid()) not in processes
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def fail_in_worker(number):
    raise EtudeError("cannot write somewhere; choose another folder")


def test_errors_come_through_from_worker_processes():
    with pytest.raises(EtudeError, match=r"^cannot write somewhere; choose another folder$"):
        run(over(fail_in_worker, [1]), Resources(workers=2), WATCH)


KILLED = """
import os, signal, sys
sys.path.append(sys.argv[1])
import apache_beam as beam
from etude.models.errors import EtudeError
from etude.pipelines.running.runner import Resources, Watch, run

def be_killed(number):
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def build(pipeline):
    pipeline | beam.Create([0, 1]) | beam.Reshuffle() | beam.Map(be_killed)

try:
    run(build, Resources(workers=2), Watch("testing"))
except EtudeError as error:
    print(error)
"""


def test_a_killed_worker_is_an_error_and_no_hang():
    """Beam alone waits for it for ever, one time in two."""
    command = [sys.executable, "-P", "-W", "ignore", "-c", KILLED, ROOT]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.stdout.startswith("a worker process was killed")
    assert "run the same command again" in result.stdout


SLOW = """
import pathlib, sys, time
sys.path.append(sys.argv[1])
import apache_beam as beam
from etude.pipelines.running.runner import Resources, Watch, run

def wait(path):
    pathlib.Path(path).touch()
    time.sleep(600)

def build(pipeline):
    pipeline | beam.Create([sys.argv[2]]) | beam.Map(wait)

try:
    run(build, Resources(workers=int(sys.argv[3])), Watch("testing"))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_is_an_interrupt(tmp_path, workers):
    started = tmp_path / "started"
    command = [sys.executable, "-P", "-W", "ignore", "-c", SLOW, ROOT, started, str(workers)]
    with heeding_interrupts():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not started.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in output


def test_an_abandoned_pipeline_is_silent_and_nothing_else_is(monkeypatch, caplog):
    reported = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    for name in runner._LIBRARIES:
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    runner._silence()
    for module in ("grpc._server", "apache_beam.runners.worker", "somebody"):
        namespace = {"__name__": module}
        exec("def fail():\n    raise ValueError(__name__)", namespace)
        thread = threading.Thread(target=namespace["fail"])
        thread.start()
        thread.join()
        logging.getLogger(module).error("from %s", module)
    assert [str(failure.exc_value) for failure in reported] == ["somebody"]
    assert caplog.messages == ["from somebody"]


def test_nothing_is_logged_to_the_console(capfd):
    handlers = list(logging.getLogger().handlers)
    run(over(str, [1]), Resources(), WATCH)
    with pytest.raises(EtudeError):
        run(over(fail, [2]), Resources(), WATCH)
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
        run(over(str, [1]), Resources(beam_options=options), WATCH)
    assert capfd.readouterr().err == ""


def test_any_runner_and_option_passes_through(tmp_path):
    options = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner", "--direct_num_workers=1"]
    run(over(write_process_id, [str(tmp_path)]), Resources(beam_options=options), WATCH)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_runner_that_is_not_there_is_named():
    options = ("--runner=PortableRunner", "--job_endpoint=localhost:1", "--job_server_timeout=1")
    with pytest.raises(EtudeError, match=r"^PortableRunner failed: .*leave --runner away"):
        run(lambda pipeline: pipeline | beam.Create([1]), Resources(beam_options=options), Watch("counting"))


def test_workers_are_positive():
    with pytest.raises(UsageError, match="--workers"):
        run(over(str, [1]), Resources(workers=0), WATCH)
