"""A listening test by its commands, from sources to figures."""

import json

from etude.command_line import COMMANDS
from etude.pipelines.listening.answers import read_key
from tests.pipelines.listening.conftest import listening_sources
from tests.pipelines.listening.test_analyse import sheet_text

__all__ = ["listening_sources"]


def test_a_test_is_made_and_its_answers_are_analysed(etude, listening_sources, tmp_path):
    test = tmp_path / "test"
    made = etude("listen", "create", *listening_sources, "--output", test, "--clips", 4, "--seconds", 3, "--minimum", 1)
    assert "takes 90 answers" in made.stderr
    assert f"give to listeners: {test / 'listen.html'}" in made.stderr
    key = read_key(test)
    again = etude("listen", "create", *listening_sources, "--output", test, status=1).stderr
    assert "whose answers would have no key" in again
    assert read_key(test) == key
    answers = tmp_path / "answers"
    answers.mkdir()
    for number in range(3):
        (answers / f"{number}.json").write_text(sheet_text(key, f"l{number}", 0.8, number))
    (answers / "broken.json").write_text("{")
    found = etude("listen", "analyse", test / "key.json", answers, "--output", tmp_path / "results")
    assert "all models" in found.stdout
    assert "broken.json: damaged" in found.stdout
    figures = json.loads((tmp_path / "results" / "listening.json").read_text())
    assert figures["num_sheets"] == 3
    assert "Can listeners tell?" in (tmp_path / "results" / "listening.html").read_text()
    assert "holds a listening test" in etude("dataset", tmp_path, "--output", test, status=1).stderr


def test_wrong_usage(etude, listening_sources, tmp_path):
    assert "did you mean 'create'" in etude("listen", "crate", status=2).stderr
    assert "analyse" in etude("listen", status=2).stdout
    made, music = listening_sources
    assert "no real tunes" in etude("listen", "create", made, "--output", tmp_path / "t", status=2).stderr
    assert "--kind" in etude("listen", "create", made, music, "--output", "t", "--kind", "both", status=2).stderr


def test_help_of_both(etude):
    for command in ("create", "analyse"):
        assert f"  etude listen {command} " in etude("listen", command, "--help").stdout
    assert "listen" in COMMANDS
