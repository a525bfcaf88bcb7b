"""A reader that stalls, crashes or eats memory ends its own process and costs one piece."""

import json
import os
import signal
import subprocess
import sys
import time

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from etude.models.errors import EtudeError
from etude.pipelines import ReadMusic
from etude.pipelines.readers import read_music
from etude.pipelines.readers.isolated_reader import IsolatedReader, Limits
from etude.pipelines.reasons import MACHINE, REMEDIES
from etude.pipelines.sources.source import Source

MISBEHAVING = """
import etude.pipelines.readers.abc.reader, os, pathlib, re, signal
from etude.pipelines.readers import read_music
from etude.pipelines.readers.isolated_process import serve

def stall():
    pathlib.Path(__file__).with_name("stalling").touch()
    re.match("(a|a)+$", 64 * "a" + "b")  # 2 to the 64 steps, inside of C code

def read(source, data, passed_over):
    for place, reading in enumerate(read_music(source, data, passed_over)):
        if "Stalls" in reading.title and place not in passed_over:
            stall()
        yield reading
    if source.name == "stalls.abc":
        stall()
    if source.name == "crashes.abc":
        os.kill(os.getpid(), signal.SIGSEGV)

serve(read)
"""
LIMITS = Limits(seconds=0.3)
LARGE = bytes(1 << 25)
"""Too much to be taken in by a process that may have 64 MB."""


@pytest.fixture
def misbehaving(tmp_path):
    program = tmp_path / "misbehaving.py"
    program.write_text(MISBEHAVING)
    reader = IsolatedReader(LIMITS, program)
    yield reader
    reader.close()


def read(reader, name, data):
    (readings,) = map(list, reader.read([(Source("tunes", name, "/nowhere"), data)]))
    return readings


def is_working(pid):
    """Whether a process is there, and not only its exit status."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return found != "" and not found.startswith("Z")


def test_the_same_readings_as_without_it(abc_tune, midi, musicxml):
    book = abc_tune(1) + "\nX:2\nT:Bad\nK:C\n[CEG\n\n" + abc_tune(3)
    files = [("a.abc", book.encode()), ("b.mid", midi([60, 62])), ("c.xml", musicxml()), ("d.mid", b""), ("e.abc", b"")]
    reader = IsolatedReader()
    for name, data in files:
        assert read(reader, name, data) == list(read_music(Source("tunes", name, "/nowhere"), data))
    reader.close()


def test_many_files_at_once(misbehaving, abc_tune):
    """Each piece comes once, and what happens in one file costs no other."""
    book = (abc_tune(1) + "\n" + abc_tune(2)).encode()
    names = ["a.abc", "stalls.abc", "b.abc", "crashes.abc", "crashes.abc", "c.abc"]
    found = [
        [reading.rejected.reason if reading.rejected else reading.reference_number for reading in readings]
        for readings in misbehaving.read([(Source("tunes", name, ""), book) for name in names])
    ]
    ends = {"stalls.abc": ["out-of-time"], "crashes.abc": ["reader-crashed"]}
    assert found == [[1, 2, *ends.get(name, [])] for name in names]


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [("stalls.abc", "out-of-time", "rest of the file"), ("crashes.abc", "reader-crashed", "SIGSEGV")],
)
def test_the_end_of_the_process_costs_the_rest_of_one_file(misbehaving, abc_tune, name, reason, detail):
    data = abc_tune(1).encode()
    first, last = read(misbehaving, name, data)
    assert first.sequence.id == f"tunes/{name}#1"
    assert last.rejected.reason == reason
    assert detail in last.rejected.detail
    assert [reading.rejected for reading in read(misbehaving, "next.abc", data)] == [None]


@pytest.mark.parametrize("num_stalling", [1, 3, 4])
def test_a_tune_that_stalls_costs_no_other(misbehaving, abc_tune, num_stalling):
    """Up to three of a file; from the fourth on, the rest is not read."""
    stalling = [abc_tune(2 + number).replace("T:", "T:Stalls ", 1) for number in range(num_stalling)]
    book = "\n".join([abc_tune(1), *stalling, abc_tune(9)]).encode()
    found = read(misbehaving, "book.abc", book)
    rejected = [reading.rejected and reading.rejected.reason for reading in found]
    assert rejected == [None, *["out-of-time"] * num_stalling, *([None] if num_stalling < 4 else [])]
    assert [reading.reference_number for reading in found][:4] == [1, 2, *([3, 4] if num_stalling > 1 else [9])]
    assert found[1].title.startswith("Stalls")
    assert ("the tune" if num_stalling < 4 else "the rest of the file") in found[
        -2 if num_stalling < 4 else -1
    ].rejected.detail


def test_a_process_that_is_killed_while_it_waits(misbehaving, abc_tune):
    data = abc_tune(1).encode()
    read(misbehaving, "a.abc", data)
    misbehaving._process._popen.kill()
    misbehaving._process._popen.wait()
    assert [reading.rejected for reading in read(misbehaving, "next.abc", data)] == [None]


def test_memory_is_limited():
    reader = IsolatedReader(Limits(megabytes=64))
    (reading,) = read(reader, "a.mid", LARGE)
    assert reading.rejected.reason == "out-of-memory"
    reader.close()


def test_what_is_not_wanted_any_more_is_not_read(misbehaving, abc_tune):
    book = (abc_tune(1) + "\n" + abc_tune(2)).encode()
    (readings,) = misbehaving.read([(Source("tunes", "a.abc", ""), book)])
    assert next(readings).reference_number == 1
    del readings
    assert [reading.reference_number for reading in read(misbehaving, "a.abc", book)] == [1, 2]


def test_a_process_that_does_not_start(tmp_path):
    (tmp_path / "broken.py").write_text("raise SystemExit(7)")
    with pytest.raises(EtudeError, match=r"did not start .*broken.py.*exit 7"):
        read(IsolatedReader(program=tmp_path / "broken.py"), "a.abc", b"")


def test_no_process_outlives_the_one_that_asked(tmp_path):
    """Not even in C code, and though the asker is killed."""
    program = tmp_path / "misbehaving.py"
    program.write_text(MISBEHAVING)
    asker = f"""
import pathlib
from etude.pipelines.readers.isolated_reader import IsolatedReader, Limits
from etude.pipelines.sources.source import Source
reader = IsolatedReader(Limits(seconds=600), pathlib.Path({str(program)!r}))
print(reader._running()._popen.pid, flush=True)
for readings in reader.read([(Source("", "stalls.abc", ""), b"X:1\\nK:C\\nC")]):
    list(readings)
"""
    process = subprocess.Popen([sys.executable, "-P", "-c", asker], stdout=subprocess.PIPE)
    pid = int(process.stdout.readline())
    while not (tmp_path / "stalling").exists():
        time.sleep(0.1)
    process.kill()
    process.communicate()
    for _ in range(600):
        if not is_working(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("it goes on")


def test_reasons_are_marked_in_the_manifest(abc_tune):
    files = [("a.abc", abc_tune(1).encode()), ("b.mid", LARGE), ("c.abc", abc_tune(3).encode())]
    with beam.Pipeline(runner="FnApiRunner") as run:
        music = run | beam.Create(files) | ReadMusic(limits=Limits(megabytes=64))
        assert_that(music.pieces | beam.Map(lambda piece: piece.id), equal_to(["a.abc#1", "c.abc#3"]))
        lines = music.sources | beam.Values() | beam.Map(json.loads) | beam.FlatMap(lambda line: line["rejected"])
        expected = {"reason": "out-of-memory", "detail": "the rest of the file was not read", "machine": True}
        assert_that(lines, equal_to([expected]), "rejected")


def test_every_reason_has_a_remedy():
    assert set(MACHINE) <= set(REMEDIES)
