"""The distribution: what it holds, and that it lives beside a stranger's packages."""

import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

import pytest

import etude

ROOT = pathlib.Path(etude.__file__).parents[1]

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs a checkout")


def build(root, kind, output):
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", kind, "-d", str(output)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (built,) = output.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_claims_one_name_and_holds_the_linked_packages(wheel):
    names = set(contents(wheel))
    assert {name.partition("/")[0] for name in names} == {"etude"}
    for folder in ("models", "pipelines"):
        ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}
        assert {f"etude/{name}" for name in ours} <= names
        assert len(ours) > 50
    assert "etude/pipelines/report/style.css" in names


def test_the_wheel_of_the_source_distribution_is_the_same(wheel, tmp_path):
    with tarfile.open(build(ROOT, "sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert contents(build(unpacked, "wheel", tmp_path / "wheel")) == contents(wheel)


def test_it_works_in_a_project_with_models_and_pipelines_of_its_own(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    project = tmp_path / "project"
    for name in ("models", "pipelines"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text("raise ImportError('the stranger was imported')")
    # Ahead of an editable installation, which test runs may have.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}

    def python(*words):
        done = subprocess.run([sys.executable, *words], cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "usage: etude" in python("-m", "etude", "generate", "--help")
    where = python(
        "-c", "import etude, etude.models.model, etude.pipelines.convert as c; print(etude.load, c.__file__)"
    )
    assert str(tmp_path / "installed") in where


def test_no_module_is_loaded_under_two_names():
    """An editable installation has the checkout on the path, where `models` could be imported beside `etude.models`."""
    code = (
        "import importlib, os, pkgutil, sys, etude\n"
        "for found in pkgutil.walk_packages(etude.__path__, 'etude.'):\n"
        "    if not found.name.endswith(('__main__', 'beam_worker')): importlib.import_module(found.name)\n"
        "names = {}\n"
        "for name, module in list(sys.modules.items()):\n"
        "    file = getattr(module, '__file__', None)\n"
        f"    if file and os.path.realpath(file).startswith({str(ROOT) + os.sep!r}) and 'site-packages' not in file:\n"
        "        names.setdefault(os.path.realpath(file), []).append(name)\n"
        "assert len(names) > 200, len(names)\n"
        "assert all(len(found) == 1 and found[0].startswith('etude') for found in names.values()), names\n"
    )
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", code], check=True)
