"""The pipelines on Beam's portable runner, which stands in for Flink, Spark and Dataflow.

The workers run from an environment that holds the built wheel and what a data worker needs, no more, and in another
folder, so that nothing is found by luck.
"""

import importlib.metadata
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest

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


@pytest.fixture(scope="module")
def beam_options(environment, tmp_path_factory):
    """Options for a pool of workers that has been started."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("elsewhere")
    # The pool starts `python`.
    path = f"{environment.parent}{os.pathsep}{os.environ['PATH']}"
    command = [environment, "-P", "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
    with (folder / "log").open("wb") as log:
        pool = subprocess.Popen(command, cwd=folder, env=variables(PATH=path), stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if not client.connect_ex(("localhost", port)):
                break
        time.sleep(0.2)
    yield [
        "--runner=PortableRunner",
        "--job_endpoint=embed",
        "--sdk_worker_parallelism=2",
        "--environment_type=EXTERNAL",
        f"--environment_config=localhost:{port}",
    ]
    pool.terminate()
    pool.wait(timeout=30)


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
def test_external_workers_give_the_same_bytes(beam_options, music_folder, tmp_path):
    convert([str(music_folder)], tmp_path / "notes")
    create_dataset([tmp_path / "notes"], tmp_path / "dataset", eval_ratio=0.3)
    convert([str(music_folder)], tmp_path / "portable" / "notes", beam_options=beam_options)
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
