"""What the commands show, and where it cannot be shown."""

import io
import json
import os
import pathlib
import subprocess
import sys

import pytest

from etude.console import Console, _bar

BASIC = pathlib.Path(__file__).parents[1] / "testdata" / "magenta" / "basic_rnn" / "bundle.mag"
LINE = [sys.executable, "-P", "-m", "etude"]
SCORE = [*LINE, "score", str(BASIC), "--events", "[60, -2, 62]", "--events", "[60, -2, 64]"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def shell(text, **more):
    """Runs a line of bash, in which $@ is `etude score` of two melodies."""
    words = ["bash", "-o", "pipefail", "-c", text, "bash", *SCORE]
    return subprocess.run(words, capture_output=True, text=True, env={**ENVIRONMENT, **more}, check=False, timeout=120)


def test_a_reader_that_ends_early_is_no_failure():
    done = shell('"$@" | head -n 1')
    assert (done.returncode, done.stderr) == (0, shell('"$@"').stderr)
    assert len(done.stdout.splitlines()) == 1
    done = shell('"$@" | true')
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_closed_and_full_outputs():
    done = shell('"$@" >&-')
    assert (done.returncode, done.stdout) == (1, "")
    assert "standard output is closed" in done.stderr
    done = shell('"$@" 2>&-')
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert shell('"$@" <&- >&- 2>&-').returncode == 1
    done = shell('"$@" > /dev/full')
    assert done.returncode == 1
    assert "cannot write to standard output: No space left" in done.stderr


def test_without_a_temporary_folder(tmp_path):
    """Python falls back on the working folder, which has to be gone, too."""
    code = (
        "import os, sys, tempfile; tempfile.tempdir = '/nowhere'\n"
        "from etude.command_line import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *SCORE[4:]], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2), done.stderr


def test_names_cannot_steer_the_terminal(etude):
    (etude.folder / "\x1b[31mred\x9b.mid").write_bytes(b"")
    done = etude("score", BASIC, "\x1b[31mred\x9b.mid", "--events", "[60, 62]")
    assert "\x1b" not in done.stderr + done.stdout
    assert "\x9b" not in done.stderr + done.stdout
    assert r"\x1b[31mred\x9b.mid" in done.stderr


def test_what_is_no_text_is_refused(etude):
    done = etude("generate", BASIC, "--output", b"m\xff".decode(errors="surrogateescape"), status=2)
    assert "is not UTF-8" in done.stderr


def test_a_bar_shows_no_count_before_there_is_one():
    file = io.StringIO()
    with _bar(file, "generating", False) as (progress, console):
        console.print("a message", markup=False)
        progress(0, 10, "[note]")
    text = file.getvalue()
    assert "?" not in text.replace("-:--:--", "")
    assert "a message" in text


def test_messages_go_above_the_bar():
    """On a terminal; the bar is drawn again below them."""
    terminal, user = os.openpty()
    before = os.dup(2)
    os.dup2(user, 2)
    try:
        console = Console(debug=True)
        with console.progress("working on it") as progress:
            progress(0, 2)
            console.say("a message [not markup]")
        console.close(keep_log=False)
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(user)
    shown = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert "working on it" in shown.partition("a message [not markup]")[2]


@pytest.mark.parametrize("events", ["C4 D4 E4", "[C4, D4, E4]"])
def test_squashing_is_said(etude, events):
    done = etude("score", BASIC, "--events", "[61, -2, 63, -2]", "--events", events)
    assert "1 of 2 melodies were brought into the model's key and range" in done.stderr
    moved, same = (json.loads(line) for line in done.stdout.splitlines())
    assert (moved["transpose_amount"] != 0, same["transpose_amount"], same["num_steps"]) == (True, 0, 12)
    done = etude("score", BASIC, "--no-squash", "--events", "[61, -2, 63, -2]")
    assert "brought" not in done.stderr
