import collections
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
from etude.models.storage.records import read_records
from etude.models.storage.texts import Text
from etude.pipelines.convert import ConversionSummary, _Result, _summary, convert
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
            known["summary"] = convert([str(folder)], output, shards=3)
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
    assert set(result["contents"]) == {*summary.files, *summary.texts, "manifest.jsonl", "summary.json"}
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
    inside = collections.Counter(
        f"{sequence.collection_name}/{sequence.filename}"
        for name in result["summary"].files
        for sequence in read_note_sequences(result["output"] / name)
    )
    assert inside == {key: entry["num_sequences"] for key, entry in entries.items() if entry["num_sequences"]}
    assert list(entries) == sorted(entries)


def test_texts_are_the_lines_of_the_tunes(music_folder, undisturbed):
    result = undisturbed(music_folder)
    texts = [
        Text.decode(record) for name in result["summary"].texts for record in read_records(result["output"] / name)
    ]
    assert len(texts) == 142
    for text in texts:
        lines = (music_folder.parent / text.id.partition("#")[0]).read_text().splitlines()
        written = text.text.splitlines()
        assert any(lines[at : at + len(written)] == written for at in range(len(lines)))
        body = text.text.rstrip("|\n").rpartition("\n")[2]
        at = text.text.index(body)
        assert [
            text.text[start:end] for start, end in zip(text.bar_starts, [*text.bar_starts[1:], None], strict=True)
        ] == [
            *(f"{bar}|" for bar in body.split("|")[:-1]),
            body.split("|")[-1] + "|\n",
        ]
        assert text.bar_starts[0] == at


def test_a_record_and_its_text_are_in_shards_of_one_number(music_folder, undisturbed):
    result = undisturbed(music_folder)
    for name in result["summary"].files:
        ids = [sequence.id for sequence in read_note_sequences(result["output"] / name)]
        assert ids == sorted(ids)
        texts = [Text.decode(r).id for r in read_records(result["output"] / name.replace("notes-", "texts-"))]
        assert texts == [id for id in ids if "#" in id]


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
        "  bars: no-rest 143",
    ]


def test_a_summary_names_the_most_frequent_values_only():
    nothing: dict[str, int] = {}
    tempos = {str(tempo): 100 - tempo for tempo in range(60, 75)}
    summary = ConversionSummary(
        100, 90, 5000, 7384, nothing, nothing, nothing, nothing, tempos, nothing, nothing, nothing, [], []
    )
    lines = summary.describe().split("\n")
    assert lines[0] == "90 pieces from 100 files: 5,000 notes, 2 h 3 min"
    assert lines[3] == "  keys: not given"
    assert lines[4] == f"  tempos: 60 40, 61 39, 62 38, 63 37, 64 36, 65 35, 66 34, 67 33, others {sum(range(26, 33))}"


@pytest.mark.parametrize(("reason", "is_marked"), [("out-of-time", True), ("abc-syntax", False)])
def test_what_the_machine_rejected_is_marked(reason, is_marked):
    result = _Result({("rejected", reason): 2}, {reason: "tunes/a.abc"}, [], [])
    summary = _summary(result, ["a note"])
    (entry,) = summary["rejected"]
    assert (entry["reason"], entry["count"], entry["example"]) == (reason, 2, "tunes/a.abc")
    assert entry.get("machine", False) == is_marked
    assert any("elsewhere they might be read" in note for note in summary["notes"]) == is_marked


def test_two_processes_and_another_place_give_the_same_bytes(music_folder, undisturbed, tmp_path):
    expected = undisturbed(music_folder)["contents"]
    moved = tmp_path / "elsewhere" / "music"
    moved.parent.mkdir()
    music_folder.rename(moved)
    for path in moved.rglob("*"):
        os.utime(path, (1, 1))
    convert([str(moved)], tmp_path / "notes", workers=2, shards=3)
    assert contents(tmp_path / "notes") == expected


def test_the_same_command_again_does_nothing(music_folder, tmp_path):
    convert([str(music_folder / "mixed.abc")], tmp_path / "notes")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "notes").iterdir()}
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
    convert([str(music_folder)], tmp_path / "notes", shards=3)
    (tmp_path / "notes" / "notes-00001-of-00003.tfrecord").unlink()
    convert([str(music_folder)], tmp_path / "notes", shards=3)
    assert contents(tmp_path / "notes") == expected


SCRIPT = """
import sys
sys.path.append(sys.argv[1])
from etude.pipelines.convert import convert
convert([sys.argv[2]], sys.argv[3], workers=int(sys.argv[4]), shards=3)
"""


@pytest.mark.parametrize(("workers", "until"), [(1, ".etude-job.json"), (1, "notes-*"), (2, ".etude-work/*-notes-*")])
def test_a_killed_job_starts_again(music_folder, undisturbed, tmp_path, workers, until):
    expected = undisturbed(music_folder)["contents"]
    output = tmp_path / "notes"
    command = [sys.executable, "-P", "-W", "ignore", "-c", SCRIPT, ROOT, music_folder, output, str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not any(output.glob(until)):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (output / "summary.json").exists()
    # What has its final name is whole.
    for path in output.glob("notes-*"):
        assert path.read_bytes() == expected[path.name]
    convert([str(music_folder)], output, shards=3)
    assert contents(output) == expected
    assert {path.name for path in output.iterdir() if path.name.startswith(".")} == {".etude-job.json"}


def test_no_room_for_temporary_files(tmp_path, abc_tune, monkeypatch):
    (tmp_path / "a.abc").write_text(abc_tune(1))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(EtudeError, match=r"no room for temporary files: No such file .* set TMPDIR"):
        convert([str(tmp_path / "a.abc")], tmp_path / "notes")


def test_names_of_any_script_in_the_simplest_locale(tmp_path, abc_tune):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("日本/曲.abc", abc_tune(1))
    command = [sys.executable, "-P", "-W", "ignore", "-c", SCRIPT, ROOT, tmp_path / "a.zip", tmp_path / "notes", "1"]
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(command, env=os.environ | environment, check=True)
    (line,) = (tmp_path / "notes" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["source"] == "a.zip/日本/曲.abc"
    assert json.loads(line)["status"] == "converted"


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


def test_a_file_that_cannot_be_written_is_one_readable_message(tmp_path, music_folder):
    (tmp_path / "notes" / "notes-00000-of-00001.tfrecord").mkdir(parents=True)
    (tmp_path / "notes" / "notes-00000-of-00001.tfrecord" / "mine").touch()
    with pytest.raises(EtudeError, match=r"notes-00000-of-00001.tfrecord"):
        convert([str(music_folder / "mixed.abc")], tmp_path / "notes", overwrite=True)


def test_archive_without_writing_outside_the_output(tmp_path, abc_tune):
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr("../../evil.abc", abc_tune(1))
    before = set(tmp_path.parent.iterdir())
    summary = convert([str(tmp_path / "pack.zip")], tmp_path / "notes")
    (sequence,) = read_note_sequences(tmp_path / "notes" / summary.files[0])
    assert sequence.id == "pack.zip/evil.abc#1"
    assert {path.name for path in tmp_path.iterdir()} == {"pack.zip", "notes"}
    assert set(tmp_path.parent.iterdir()) == before
