import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import zipfile

import pytest

import etude
from etude.models.errors import EtudeError
from etude.pipelines.convert import ConversionSummary, convert
from etude.pipelines.readers.note_sequences import read_note_sequences

ROOT = pathlib.Path(etude.__file__).parents[1]


def contents(folder):
    """Every file that a user sees, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Returns what a conversion of a music folder gives when nothing happens to it, computed once."""
    known = {}

    def run(folder):
        if "contents" not in known:
            output = tmp_path_factory.mktemp("undisturbed") / "notes"
            known["summary"] = convert([str(folder)], output)
            known["output"] = output
            known["contents"] = contents(output)
        return known

    return run


def test_what_is_written(music_folder, undisturbed):
    result = undisturbed(music_folder)
    summary, output = result["summary"], result["output"]
    assert summary.num_sources == 153
    assert summary.num_sequences == 152
    assert summary.sources_by_status == {"converted": 150, "rejected": 2, "partly": 1}
    assert summary.formats == {"abc": 142, "midi": 9, "musicxml": 1}
    assert summary.rejected == {"abc-syntax": 2, "unreadable": 1}
    assert not summary.was_complete
    assert len(summary.files) == 3
    assert set(result["contents"]) == {*summary.files, "manifest.jsonl", "summary.json"}
    sequences = [sequence for name in summary.files for sequence in read_note_sequences(output / name)]
    assert len({sequence.id for sequence in sequences}) == len(sequences) == 152
    assert all(sequence.filename and sequence.collection_name == "music" for sequence in sequences)


def test_manifest_accounts_for_every_source(music_folder, undisturbed):
    result = undisturbed(music_folder)
    entries = {entry["source"]: entry for entry in map(json.loads, result["contents"]["manifest.jsonl"].splitlines())}
    assert len(entries) == 153
    assert sum(entry["num_sequences"] for entry in entries.values()) == 152
    assert entries["music/corrupt.mid"]["status"] == "rejected"
    mixed = entries["music/mixed.abc"]
    assert (mixed["status"], mixed["num_sequences"]) == ("partly", 2)
    (bad,) = mixed["rejected"]
    assert (bad["reason"], bad["reference_number"], bad["title"]) == ("abc-syntax", 2, "Bad")
    line = (music_folder / "mixed.abc").read_text().splitlines().index("X:2") + 1
    assert bad["line"] == line
    assert bad["detail"].startswith(f"music/mixed.abc:{line + 4}:5: expected ']'")
    for name in result["summary"].files:
        inside = {s.collection_name + "/" + s.filename for s in read_note_sequences(result["output"] / name)}
        assert inside == {key for key, entry in entries.items() if entry["shard"] == name and entry["num_sequences"]}


def test_summary_gives_remedies_and_no_place_or_time(music_folder, undisturbed):
    result = undisturbed(music_folder)
    summary = json.loads(result["contents"]["summary.json"])
    assert {entry["reason"] for entry in summary["rejected"]} == {"abc-syntax", "unreadable"}
    assert all(entry["remedy"] and entry["example"].startswith("music/") for entry in summary["rejected"])
    for name in ("summary.json", "manifest.jsonl"):
        assert str(music_folder.parent).encode() not in result["contents"][name]


def test_summary_counts(music_folder, undisturbed):
    result = undisturbed(music_folder)
    summary = json.loads(result["contents"]["summary.json"])
    sequences = [s for name in result["summary"].files for s in read_note_sequences(result["output"] / name)]
    assert summary["num_notes"] == sum(len(sequence.notes) for sequence in sequences)
    assert summary["num_seconds"] == sum(round(sequence.total_time) for sequence in sequences)
    # Each tune has 8 bars of 4/4 at 120 quarter notes a minute, each MIDI file 160 notes of an eighth of a second.
    assert summary["lengths"] == {"15 to 30 s": 152}
    assert summary["metres"] == {"4/4": 143, "none": 9}
    assert summary["keys"] == {"C major": 143}
    assert summary["tempos"] == {"120": 152}
    lines = result["summary"].describe().split("\n")
    assert lines[0].startswith(f"152 pieces from 153 files: {summary['num_notes']:,} notes, 0 h ")
    assert lines[1:] == [
        "  formats: abc 142, midi 9, musicxml 1",
        "  metres: 4/4 143, none 9",
        "  keys: C major 143",
        "  tempos: 120 152",
        "  lengths: 15 to 30 s 152",
    ]


def test_a_summary_names_the_most_frequent_values_only():
    nothing: dict[str, int] = {}
    tempos = {str(tempo): 100 - tempo for tempo in range(60, 75)}
    summary = ConversionSummary(
        100, 90, 5000, 7384, nothing, nothing, nothing, nothing, tempos, nothing, nothing, [], []
    )
    lines = summary.describe().split("\n")
    assert lines[0] == "90 pieces from 100 files: 5,000 notes, 2 h 3 min"
    assert lines[3] == "  keys: not given"
    assert lines[4] == f"  tempos: 60 40, 61 39, 62 38, 63 37, 64 36, 65 35, 66 34, 67 33, others {sum(range(26, 33))}"


def test_two_processes_and_another_place_give_the_same_bytes(music_folder, undisturbed, tmp_path):
    expected = undisturbed(music_folder)["contents"]
    moved = tmp_path / "elsewhere" / "music"
    moved.parent.mkdir()
    music_folder.rename(moved)
    for path in moved.rglob("*"):
        os.utime(path, (1, 1))
    convert([str(moved)], tmp_path / "notes", workers=2)
    assert contents(tmp_path / "notes") == expected


def test_the_same_command_again_does_nothing(music_folder, tmp_path, monkeypatch):
    convert([str(music_folder / "mixed.abc")], tmp_path / "notes")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "notes").iterdir()}
    monkeypatch.setitem(sys.modules, "etude.pipelines.jobs.beam_runner", None)
    notes = []
    summary = convert(
        [str(music_folder / "mixed.abc")], tmp_path / "notes", progress=lambda done, total, note="": notes.append(note)
    )
    assert summary.was_complete
    assert summary.num_sequences == 2
    assert any("complete already" in note for note in notes)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "notes").iterdir()} == before


def test_changed_sources_are_another_job(music_folder, tmp_path, abc_tune):
    source = music_folder / "mixed.abc"
    convert([str(source)], tmp_path / "notes")
    source.write_text(abc_tune(7) + "\n" + abc_tune(8) + "\n" + abc_tune(9))
    with pytest.raises(EtudeError, match="another job"):
        convert([str(source)], tmp_path / "notes")
    assert convert([str(source)], tmp_path / "notes", overwrite=True).num_sequences == 3


def test_lost_shard_is_written_again(music_folder, undisturbed, tmp_path):
    expected = undisturbed(music_folder)["contents"]
    convert([str(music_folder)], tmp_path / "notes")
    (tmp_path / "notes" / "notes-00001-of-00003.tfrecord").unlink()
    convert([str(music_folder)], tmp_path / "notes")
    assert contents(tmp_path / "notes") == expected


SCRIPT = """
import sys
sys.path.append(sys.argv[1])
from etude.pipelines.convert import ConversionSummary, convert
def progress(done, total, note=""):
    print(done, flush=True)
convert([sys.argv[2]], sys.argv[3], workers=int(sys.argv[4]), progress=progress)
"""


@pytest.mark.parametrize(("workers", "finished"), [(1, 0), (1, 1), (2, 1)])
def test_killed_job_goes_on_where_it_was(music_folder, undisturbed, tmp_path, workers, finished):
    expected = undisturbed(music_folder)["contents"]
    output = tmp_path / "notes"
    command = [sys.executable, "-P", "-W", "ignore", "-c", SCRIPT, ROOT, music_folder, output, str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if len(list(output.glob(".etude-work/convert/*.json"))) >= finished and (output / ".etude-job.json").exists():
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (output / "summary.json").exists()
    convert([str(music_folder)], output)
    assert contents(output) == expected
    assert {path.name for path in output.iterdir() if path.name.startswith(".")} == {".etude-job.json"}


def test_nothing_could_be_converted(tmp_path, music_folder):
    for _ in range(2):  # the folder is free for another try
        with pytest.raises(
            EtudeError, match=r"none of the 1 files(.|\n)*1 x abc-syntax: .*standard(.|\n)*manifest.jsonl"
        ):
            convert([str(music_folder / "broken.abc")], tmp_path / "notes")
        assert {path.name for path in (tmp_path / "notes").iterdir()} == {"manifest.jsonl"}
    assert convert([str(music_folder / "mixed.abc")], tmp_path / "notes").num_sequences == 2


@pytest.mark.parametrize("source", ["missing", "empty"])
def test_nothing_to_convert_leaves_no_folder(tmp_path, source):
    (tmp_path / "empty").mkdir()
    with pytest.raises(EtudeError, match=source):
        convert([str(tmp_path / source)], tmp_path / "notes")
    assert not (tmp_path / "notes").exists()


def test_full_disk_is_one_readable_message(tmp_path, music_folder, monkeypatch):
    def full(path, records):
        raise EtudeError(f"cannot write {path}: No space left on device; choose another output folder")

    monkeypatch.setattr("etude.pipelines.convert.write_records", full)
    with pytest.raises(EtudeError, match=r"No space left on device; choose another output folder$"):
        convert([str(music_folder / "mixed.abc")], tmp_path / "notes")


def test_archive_without_writing_outside_the_output(tmp_path, abc_tune):
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr("../../evil.abc", abc_tune(1))
    before = set(tmp_path.parent.iterdir())
    summary = convert([str(tmp_path / "pack.zip")], tmp_path / "notes")
    (sequence,) = read_note_sequences(tmp_path / "notes" / summary.files[0])
    assert sequence.id == "pack.zip/evil.abc#1"
    assert {path.name for path in tmp_path.iterdir()} == {"pack.zip", "notes"}
    assert set(tmp_path.parent.iterdir()) == before
