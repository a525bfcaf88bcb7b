"""The notebooks run from start to end, each in an empty folder and a process of its own."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

LEAVES = {
    "musician": ({"hornpipe.mid", "hornpipe.abc", "hornpipe.musicxml", "hornpipe.wav"}, "K:"),
    "researcher": ({"notes", "jigs", "runs"}, "95% interval"),
}
"""Of each notebook, what it leaves in its folder, and a part of what it says."""

RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
"""


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(notebook, tmp_path):
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / ".ipython")}
    words = [sys.executable, "-P", "-c", RUN, str(notebook)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    files, said = LEAVES[notebook.stem]
    assert files <= {path.name for path in tmp_path.iterdir()}
    assert said in done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_keeps_nothing_that_it_showed(notebook):
    book = json.loads(notebook.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_there_is_one_for_each():
    assert {path.stem for path in NOTEBOOKS} == set(LEAVES)
