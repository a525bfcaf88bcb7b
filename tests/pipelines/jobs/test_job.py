import pathlib
import subprocess
import sys
import time

import pytest

import etude
from etude.models.errors import EtudeError
from etude.models.storage.records import write_records
from etude.pipelines.jobs import job as jobs
from etude.pipelines.jobs.job import JOB_FILE, Resources, claim, make_job, run_phase
from etude.pipelines.jobs.shards import Slice


@pytest.fixture
def job(tmp_path):
    return make(tmp_path / "out")


def make(output, inputs="a"):
    return make_job("convert", output, "summary.json", inputs)


def finish(job, files=("notes-1.tfrecord",)):
    with claim(job) as is_complete:
        assert not is_complete
        for name in files:
            (job.output / name).write_text("x")
        jobs.write_result(job.output / job.marker, {"parts": [{"files": list(files)}]})


def test_complete_folder_is_left_alone(job):
    finish(job)
    before = {path.name: path.stat().st_mtime_ns for path in job.output.iterdir()}
    assert set(before) == {JOB_FILE, "summary.json", "notes-1.tfrecord"}
    with claim(job) as is_complete:
        assert is_complete
    assert {path.name: path.stat().st_mtime_ns for path in job.output.iterdir()} == before


def test_folder_that_misses_a_listed_file_is_not_complete(job):
    finish(job)
    (job.output / "notes-1.tfrecord").unlink()
    with claim(job) as is_complete:
        assert not is_complete
        assert not (job.output / job.marker).exists()


def test_other_job_is_refused_and_leaves_no_trace(job):
    finish(job)
    before = sorted(path.name for path in job.output.iterdir())
    with pytest.raises(EtudeError, match=r"another job.*--overwrite"), claim(make(job.output, "b")):
        pass
    assert sorted(path.name for path in job.output.iterdir()) == before


def test_overwrite_removes_the_other_job_and_nothing_else(job):
    finish(job, ("notes-1.tfrecord", "notes-2.tfrecord"))
    (job.output / "my own.txt").write_text("keep")
    with claim(make(job.output, "b"), overwrite=True) as is_complete:
        assert not is_complete
        assert {path.name for path in job.output.iterdir()} == {JOB_FILE, jobs.WORK_FOLDER, "my own.txt"}


def test_overwrite_removes_what_the_other_command_wrote(job):
    finish(job)
    other = make_job("dataset", job.output, "dataset.json", "a")
    with claim(other, overwrite=True):
        assert {path.name for path in job.output.iterdir()} == {JOB_FILE, jobs.WORK_FOLDER}


def test_failure_does_not_remove_what_was_there(job):
    finish(job, ("notes-1.tfrecord", "notes-2.tfrecord"))
    (job.output / "notes-1.tfrecord").unlink()
    with pytest.raises(ZeroDivisionError), claim(job):
        raise ZeroDivisionError
    assert (job.output / "notes-2.tfrecord").exists()


def test_records_without_a_job_are_refused(job):
    job.output.mkdir()
    (job.output / "notes-1.tfrecord").write_text("")
    with pytest.raises(EtudeError, match="--overwrite"), claim(job):
        pass


def test_failure_before_anything_is_done_leaves_no_trace(job):
    with pytest.raises(ZeroDivisionError), claim(job):
        raise ZeroDivisionError
    assert not job.output.exists()


def fail_half_way(job):
    with claim(job):
        jobs.write_result(job.result_path("phase", 0), {})
        (job.output / ".notes-1.tfrecord.x.part").write_text("")
        raise ZeroDivisionError


def test_failure_later_keeps_what_is_done(job):
    with pytest.raises(ZeroDivisionError):
        fail_half_way(job)
    with claim(job) as is_complete:
        assert not is_complete
        assert job.result_path("phase", 0).exists()


def test_leftovers_of_a_killed_writer_are_removed(job):
    with pytest.raises(ZeroDivisionError):
        fail_half_way(job)
    with claim(job):
        assert not list(job.output.glob(".*.part"))


def test_output_that_is_a_file_or_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EtudeError, match="is a file"), claim(make(tmp_path / "file")):
        pass
    with pytest.raises(EtudeError, match=r"cannot write to .*choose another"), claim(make(tmp_path / "file" / "out")):
        pass


def test_second_process_is_refused(job, tmp_path):
    pytest.importorskip("fcntl")
    script = (
        "import sys, time; from etude.pipelines.jobs.job import claim, make_job\n"
        "job = make_job('convert', sys.argv[1], 'summary.json', 'a')\n"
        "with claim(job): print('mine', flush=True); time.sleep(60)"
    )
    root = pathlib.Path(etude.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", f"import sys; sys.path.append({str(root)!r})\n{script}", job.output],
        stdout=subprocess.PIPE,
    )
    try:
        process.stdout.readline()
        with pytest.raises(EtudeError, match="another process is writing"), claim(make(job.output, "a")):
            pass
    finally:
        process.kill()
        process.communicate()
    with claim(job) as is_complete:  # the lock goes with its process
        assert not is_complete


class Write:
    def __init__(self, job, calls):
        self.job, self.calls = job, calls

    def __call__(self, part):
        self.calls.append(part.index)
        write_records(self.job.output / part.shard("notes"), [])
        jobs.write_result(self.job.result_path("phase", part.index), {})
        return {"records": 1}


def test_phase_does_only_what_is_missing(job, monkeypatch):
    """In this process, without Beam."""
    calls, seen = [], []
    monkeypatch.setitem(sys.modules, "etude.pipelines.jobs.beam_runner", _PlainLoop)
    parts = [Slice(index, 4, ()) for index in range(4)]
    resources = Resources(progress=lambda done, total, note="": seen.append((done, total, note)))
    with claim(job):
        run_phase(job, "phase", Write(job, calls), parts, ["notes"], resources, "working")
        assert calls == [0, 1, 2, 3]
        assert seen[0] == (0, 4, "working")
        assert seen[-1] == (4, 4, "working")
        (job.output / parts[1].shard("notes")).unlink()
        job.result_path("phase", 2).unlink()
        calls.clear()
        run_phase(job, "phase", Write(job, calls), parts, ["notes"], resources, "working")
        assert calls == [1, 2]


def test_progress_is_told_while_slices_finish(job, monkeypatch):
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.01)
    monkeypatch.setitem(sys.modules, "etude.pipelines.jobs.beam_runner", _PlainLoop)
    seen = []

    def work(part):
        jobs.write_result(job.result_path("phase", part.index), {})
        deadline = time.monotonic() + 10
        while part.index + 1 not in seen and time.monotonic() < deadline:
            time.sleep(0.005)
        return {}

    resources = Resources(progress=lambda done, total, note="": seen.append(done))
    with claim(job):
        run_phase(job, "phase", work, [Slice(index, 3, ()) for index in range(3)], [], resources, "")
    assert sorted(set(seen)) == [0, 1, 2, 3]


class _PlainLoop:
    @staticmethod
    def run_slices(function, slices, workers, beam_options):
        for part in slices:
            function(part)
