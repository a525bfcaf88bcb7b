"""A bucket at both ends: moto's server on a loopback port stands in for S3."""

import os
import socket
import subprocess
import sys
import time
import zipfile

import boto3
import pytest

from etude.models.dataset import read_for_model
from etude.models.registry import configure
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.files.dataset_folder import open_folder
from etude.pipelines.files.file_systems import match

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore.*", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def endpoint():
    """The address of a server that was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        with socket.socket() as client:
            if not client.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """A bucket that this process and those that it starts can reach."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="music")
    yield client
    for found in client.list_objects_v2(Bucket="music").get("Contents", []):
        client.delete_object(Bucket="music", Key=found["Key"])
    client.delete_bucket(Bucket="music")


def below(client, prefix):
    """The visible files below a prefix, by name."""
    found = {}
    for entry in client.list_objects_v2(Bucket="music", Prefix=f"{prefix}/").get("Contents", []):
        name = entry["Key"].removeprefix(f"{prefix}/")
        if not name.startswith("."):
            found[name] = client.get_object(Bucket="music", Key=entry["Key"])["Body"].read()
    return found


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_bucket_gets_the_bytes_of_a_folder(music_folder, bucket, tmp_path):
    convert([str(music_folder)], tmp_path / "notes", shards=2)
    create_dataset([tmp_path / "notes"], tmp_path / "dataset", eval_ratio=0.4, shards=2)
    convert([str(music_folder)], "s3://music/out/notes", shards=2, workers=2)
    assert below(bucket, "out/notes") == contents(tmp_path / "notes")
    create_dataset(["s3://music/out/notes"], "s3://music/out/dataset", eval_ratio=0.4, shards=2, workers=2)
    assert below(bucket, "out/dataset") == contents(tmp_path / "dataset")
    # Nothing unfinished is left, and what is complete is not done again.
    assert not match("s3://music/out/notes/.etude-work/**")
    assert convert([str(music_folder)], "s3://music/out/notes", shards=2).was_complete
    configuration = configure("basic")
    remote = read_for_model(open_folder("s3://music/out/dataset"), "train", configuration)
    local = read_for_model(tmp_path / "dataset", "train", configuration)
    assert (remote.ids, remote.flat.tolist()) == (local.ids, local.flat.tolist())


def test_sources_in_a_bucket(music_folder, bucket, tmp_path):
    """Files below a prefix, and an archive."""
    folder = music_folder / "inner"
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        for path in sorted(folder.iterdir())[:20]:
            archive.write(path, path.name)
    for path in folder.iterdir():
        bucket.upload_file(str(path), "music", f"inner/{path.name}")
    bucket.upload_file(str(tmp_path / "pack.zip"), "music", "pack.zip")
    convert([str(folder), str(tmp_path / "pack.zip")], tmp_path / "local")
    convert(["s3://music/inner", "s3://music/pack.zip"], tmp_path / "remote")
    assert contents(tmp_path / "remote") == contents(tmp_path / "local")
    assert os.path.exists(tmp_path / "remote" / "summary.json")


def test_a_bucket_is_looked_at_before_any_pipeline_ran(bucket):
    """By a process of its own, as commands do it."""
    bucket.put_object(Bucket="music", Key="one", Body=b"")
    code = "import sys; from etude.pipelines.files.file_systems import exists; print(*map(exists, sys.argv[1:]))"
    command = [sys.executable, "-P", "-W", "ignore", "-c", code, "s3://music/one", "s3://music/other"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == "True False\n", result.stderr
