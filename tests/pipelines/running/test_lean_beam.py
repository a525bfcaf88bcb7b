"""Beam without what it takes along, in a process of its own, as modules stay imported."""

import subprocess
import sys

import pytest

from etude.pipelines.running.lean_beam import hidden

OPTIONAL = ("bson", "pandas", "pyarrow", "pymongo")

CONVERT = """
import sys
from etude.command_line import main
status = main(["convert", sys.argv[1], "--output", sys.argv[2], *sys.argv[3:]])
print(*(name for name in {names!r} if name in sys.modules))
import pandas
sys.exit(status)
"""


@pytest.mark.parametrize(("options", "expected"), [([], set()), (["--", "--runner=FnApiRunner"], {"pandas"})])
def test_commands_take_nothing_along_unless_beam_has_options(abc_tune, tmp_path, options, expected):
    """What was left out can be imported afterwards."""
    (tmp_path / "a.abc").write_text(abc_tune(1))
    code = CONVERT.format(names=OPTIONAL)
    command = [sys.executable, "-P", "-c", code, tmp_path / "a.abc", tmp_path / "notes", *options]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(result.stdout.split())
    assert imported >= expected if expected else not imported


def test_hidden_modules_come_back(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "module_of_this_test.py").write_text("value = 1\n")
    with hidden("module_of_this_test", "sys"), pytest.raises(ImportError):
        import module_of_this_test
    import module_of_this_test

    assert module_of_this_test.value == 1
    with hidden("module_of_this_test"):  # imported before: it stays
        import module_of_this_test as same
    assert same is module_of_this_test
    del sys.modules["module_of_this_test"]
