"""The pipelines on Beam's portable runner, which stands in for Flink, Spark and Dataflow.

The workers run from an environment that holds the built wheel and what a data worker needs, no more, and in another
folder, so that nothing is found by luck.
"""

import concurrent.futures
import importlib.metadata
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2_grpc, beam_job_api_pb2
from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import fn_runner

import etude
from etude.models.errors import EtudeError
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset

ROOT = pathlib.Path(etude.__file__).parents[1]
WORKER_PACKAGES = ("apache-beam", "google-crc32c", "numpy", "protobuf")
ABSENT = ("tensorflow", "librosa", "pretty_midi", "mido", "music21")


def variables(**added):
    """This process's environment variables without those by which a Python would find this project."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | added


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, env=variables(), **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The Python of an environment for workers."""
    folder = tmp_path_factory.mktemp("workers")
    uv = shutil.which("uv") or pytest.skip("uv is not installed")
    run(uv, "build", "--wheel", "--python", sys.executable, "--out-dir", folder / "dist", ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    run(uv, "venv", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    same = [f"{name}=={importlib.metadata.version(name)}" for name in WORKER_PACKAGES]
    run(uv, "pip", "install", "--python", python, *same)
    # Of note-seq the workers need the definition of NoteSequence, not the libraries for audio and charts.
    note_seq = f"note-seq=={importlib.metadata.version('note-seq')}"
    run(uv, "pip", "install", "--python", python, "--no-deps", wheel, note_seq)
    return python


def free_port():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def wait_until_it_listens(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if not client.connect_ex(("localhost", port)):
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens at port {port}")


class Turns(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Hands requests for workers to several pools by turns, as a cluster spreads them over its machines."""

    def __init__(self, ports):
        stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub
        self.pools = [stub(grpc.insecure_channel(f"localhost:{port}")) for port in ports]
        self.started = {}

    def StartWorker(self, request, context):  # noqa: N802 (gRPC's name)
        self.started[request.worker_id] = len(self.started) % len(self.pools)
        return self.pools[self.started[request.worker_id]].StartWorker(request)

    def StopWorker(self, request, context):  # noqa: N802 (gRPC's name)
        return self.pools[self.started[request.worker_id]].StopWorker(request)


@pytest.fixture(scope="module")
def pools(environment, tmp_path_factory):
    """Two pools of workers, each in a folder of its own, behind one address: what was started, and the address."""
    # A pool starts `python`.
    path = f"{environment.parent}{os.pathsep}{os.environ['PATH']}"
    ports = [free_port(), free_port()]
    processes = []
    for port in ports:
        folder = tmp_path_factory.mktemp("elsewhere")
        command = [environment, "-P", "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
        with (folder / "log").open("wb") as log:
            processes.append(subprocess.Popen(command, cwd=folder, env=variables(PATH=path), stdout=log, stderr=log))
    for port in ports:
        wait_until_it_listens(port)
    turns = Turns(ports)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(turns, server)
    address = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    yield turns, address
    server.stop(None)
    for process in processes:
        process.terminate()
        process.wait(timeout=30)


class JobOfTwoWorkers(local_job_service.BeamJob):
    """Beam's own job server gives a job one worker, whatever its options say."""

    def _invoke_runner(self):
        self.set_state(beam_job_api_pb2.JobState.RUNNING)
        runner = fn_runner.FnApiRunner(provision_info=self._provision_info)
        runner._num_workers = 2
        return runner.run_via_runner_api(self._pipeline_proto, self.pipeline_options())


@pytest.fixture(scope="module")
def job_server():
    """The address of a job server."""
    server = local_job_service.LocalJobServicer(beam_job_type=JobOfTwoWorkers)
    yield f"localhost:{server.start_grpc_server()}"
    server.stop()


@pytest.fixture
def beam_options(job_server, pools):
    """Options for two workers, one of each pool."""
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={job_server}",
        "--environment_type=EXTERNAL",
        f"--environment_config={pools[1]}",
    ]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_workers_have_what_they_need_and_no_more(environment, tmp_path):
    found = run(
        environment,
        "-P",
        "-c",
        "import importlib.util, sys; import etude.pipelines.readers; print(etude.pipelines.readers.__file__); "
        "print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name)))",
        *ABSENT,
        cwd=tmp_path,
    ).splitlines()
    assert pathlib.Path(found[0]).is_relative_to(environment.parents[1])
    assert found[1] == ""


@pytest.mark.filterwarnings("ignore")
def test_two_pools_of_workers_give_the_same_bytes(pools, beam_options, music_folder, tmp_path):
    convert([str(music_folder)], tmp_path / "notes")
    create_dataset([tmp_path / "notes"], tmp_path / "dataset", eval_ratio=0.3)
    before = len(pools[0].started)
    convert([str(music_folder)], tmp_path / "portable" / "notes", beam_options=beam_options)
    assert sorted(list(pools[0].started.values())[before:]) == [0, 1]
    assert contents(tmp_path / "portable" / "notes") == contents(tmp_path / "notes")
    create_dataset([tmp_path / "notes"], tmp_path / "portable" / "dataset", eval_ratio=0.3, beam_options=beam_options)
    assert contents(tmp_path / "portable" / "dataset") == contents(tmp_path / "dataset")
    assert "dataset.json" in contents(tmp_path / "dataset")


@pytest.mark.filterwarnings("ignore")
def test_errors_of_external_workers_are_readable(beam_options, tmp_path):
    damaged = tmp_path / "notes.tfrecord"
    damaged.write_bytes(b"nonsense" * 10)
    with pytest.raises(EtudeError, match=r"notes.tfrecord: record 1 cannot be read"):
        create_dataset([damaged], tmp_path / "dataset", beam_options=beam_options)
