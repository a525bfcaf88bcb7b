import json
import os
import pathlib
import random
import subprocess
import sys
import time

import numpy as np
import pytest

import etude
from etude.models import registry
from etude.models.dataset import read_description
from etude.models.encodings.encoding import as_vectors
from etude.models.errors import EtudeError, UsageError
from etude.models.melodies.content import content_hash
from etude.models.melodies.extraction import ExtractionOptions, extract
from etude.models.melodies.melody import metres, squash
from etude.models.melodies.notes import notes_of
from etude.models.storage.records import read_records, write_records
from etude.models.storage.sequence_examples import decode_inputs_and_labels, decode_melody
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset
from etude.pipelines.readers.note_sequences import NoteSequence

OCTAVE = (0, 2, 4, 5, 7, 9, 11, 12)


def piece(number, name=None, key=60, bars=8, instruments=1):
    """A piece in 4/4 whose music depends on its number alone."""
    sequence = NoteSequence(id=name if name is not None else f"piece{number}", ticks_per_quarter=220)
    for instrument in range(instruments):
        chooser = random.Random(number * 100 + instrument)
        for beat in range(4 * bars):
            sequence.notes.add(
                start_time=beat / 2,
                end_time=beat / 2 + chooser.choice((0.25, 0.5)),
                pitch=key + chooser.choice(OCTAVE),
                velocity=80,
                instrument=instrument,
            )
    sequence.total_time = 2 * bars
    return sequence


def write_notes(path, sequences):
    write_records(path, [sequence.SerializeToString(deterministic=True) for sequence in sequences])
    return path


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """A folder of 3 files: 60 pieces, two of them copies in other keys, one too short, one polyphonic."""
    folder = tmp_path_factory.mktemp("notes")
    polyphonic = piece(91)
    polyphonic.notes.add(start_time=0, end_time=1, pitch=90, velocity=80)
    write_notes(folder / "a.tfrecord", [piece(number) for number in range(30)])
    write_notes(folder / "b.tfrecord", [*(piece(number) for number in range(30, 58)), piece(90, bars=3), polyphonic])
    write_notes(folder / "c.tfrecord", [piece(3, "copy of 3", key=65), piece(40, "copy of 40", key=55)])
    return folder


@pytest.fixture(scope="module")
def dataset(notes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset") / "out"
    description = create_dataset([notes], folder, eval_ratio=0.3, test_ratio=0.1, shards=3)
    return folder, description


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def melodies(folder, split):
    return [
        decode_melody(record) for path in sorted(folder.glob(f"{split}-*.tfrecord")) for record in read_records(path)
    ]


def test_every_melody_is_in_one_split(dataset, notes):
    folder, _ = dataset
    stored = {split: melodies(folder, split) for split in ("train", "eval", "test")}
    assert sum(map(len, stored.values())) == 60
    assert all(stored.values())
    expected = {}
    for path in sorted(notes.glob("*.tfrecord")):
        for record in read_records(path):
            sequence = NoteSequence.FromString(record)
            for melody in extract(sequence).melodies:
                expected[f"{sequence.id}:{melody.instrument}:0"] = melody.events.tolist()
    assert {m.id: m.events.tolist() for split in stored.values() for m in split} == expected
    assert all(m.source == m.id.removesuffix(":0:0") for split in stored.values() for m in split)


def test_copies_share_a_side(dataset):
    folder, _ = dataset
    sides = {m.source: split for split in ("train", "eval", "test") for m in melodies(folder, split)}
    assert sides["piece3"] == sides["copy of 3"]
    assert sides["piece40"] == sides["copy of 40"]


def test_description(dataset):
    folder, description = dataset
    assert read_description(folder) == description
    assert description.format == "etude"
    assert (description.representation.name, description.representation.unit) == ("melody", "step")
    assert {name: json.loads(value) for name, value in description.representation.options.items()} == {
        field.name: getattr(description.extraction, field.name) for field in description.extraction.DESCRIPTOR.fields
    }
    assert description.num_pieces == 62
    assert dict(description.rejected) == {"too-short": 1, "polyphonic": 1}
    assert [split.name for split in description.splits] == ["train", "eval", "test"]
    for split in description.splits:
        stored = melodies(folder, split.name)
        assert split.num_melodies == len(stored)
        assert split.num_steps == sum(len(m.events) for m in stored)
        assert split.num_notes == sum(int((m.events >= 0).sum()) for m in stored)
        assert split.max_steps == max(len(m.events) for m in stored)
        assert dict(split.melodies_by_steps_per_bar) == {16: len(stored)}
        assert list(split.files) == sorted(path.name for path in folder.glob(f"{split.name}-*"))
    assert len(description.splits[0].files) == 3
    written = json.loads((folder / "dataset.json").read_text())
    assert set(written) == {field.name for field in description.DESCRIPTOR.fields}


def test_ngram_overlap_is_what_a_plain_count_gives(dataset):
    folder, description = dataset

    def ngrams(split, n):
        runs = []
        for melody in melodies(folder, split):
            _, pitches, durations = (values.tolist() for values in notes_of(melody.events)[:3])
            tokens = [(pitches[i] - pitches[i - 1], durations[i]) for i in range(1, len(pitches))]
            runs += [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
        return runs

    assert set(description.eval_ngram_overlap) == {4, 8}
    for n, share in description.eval_ngram_overlap.items():
        train = set(ngrams("train", n))
        held_out = ngrams("eval", n)
        assert share == pytest.approx(sum(run in train for run in held_out) / len(held_out))


def test_rejected_tracks_are_listed(dataset):
    folder, _ = dataset
    entries = [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]
    assert [(entry["source"], entry["reason"]) for entry in entries] == [
        ("piece90", "too-short"),
        ("piece91", "polyphonic"),
    ]


def test_two_processes_give_the_same_bytes(dataset, notes, tmp_path):
    create_dataset([notes], tmp_path / "out", eval_ratio=0.3, test_ratio=0.1, shards=3, workers=2)
    assert contents(tmp_path / "out") == contents(dataset[0])


def test_fingerprint_does_not_depend_on_files(dataset, notes, tmp_path):
    sequences = [NoteSequence.FromString(record) for path in notes.glob("*.tfrecord") for record in read_records(path)]
    random.Random(0).shuffle(sequences)
    one = write_notes(tmp_path / "one.tfrecord", sequences)
    description = create_dataset([one], tmp_path / "out", eval_ratio=0.3, test_ratio=0.1)
    assert description.fingerprint == dataset[1].fingerprint
    other = create_dataset([one], tmp_path / "other", eval_ratio=0.3, test_ratio=0.1, salt="x")
    assert other.fingerprint != description.fingerprint


SCRIPT = """
import sys
sys.path.append(sys.argv[1])
from etude.pipelines.dataset import create_dataset
create_dataset([sys.argv[2]], sys.argv[3], eval_ratio=0.3, test_ratio=0.1, shards=3)
"""


@pytest.mark.parametrize("until", [".etude-job.json", ".etude-work/*-train-*", "train-*"])
def test_a_killed_job_starts_again(dataset, notes, tmp_path, until):
    output = tmp_path / "out"
    root = pathlib.Path(etude.__file__).parents[1]
    command = [sys.executable, "-P", "-W", "ignore", "-c", SCRIPT, root, notes, output]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not any(output.glob(until)):
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert not (output / "dataset.json").exists()
    (output / ".train-00001-of-00003.tfrecord.abc.part").write_bytes(b"half")
    create_dataset([notes], output, eval_ratio=0.3, test_ratio=0.1, shards=3)
    assert contents(output) == contents(dataset[0])
    assert {path.name for path in output.iterdir() if path.name.startswith(".")} == {".etude-job.json"}


def test_same_command_again_does_nothing_and_another_is_refused(notes, tmp_path):
    create_dataset([notes], tmp_path / "out", eval_ratio=0.3)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    create_dataset([notes], tmp_path / "out", eval_ratio=0.3)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    with pytest.raises(EtudeError, match="another job"):
        create_dataset([notes], tmp_path / "out", eval_ratio=0.2)
    assert create_dataset([notes], tmp_path / "out", eval_ratio=0.2, overwrite=True).split_rule.eval_ratio == 0.2


def test_pieces_with_a_leaked_track_leave_the_held_out_split(tmp_path):
    """Pieces of two tracks that share one of them: where they fall on different sides, eval loses the piece."""
    sequences = []
    for number in range(40):
        both = piece(number, f"both{number}", instruments=2)
        other = piece(number, f"other{number}", instruments=1)
        extra = piece(1000 + number, instruments=1)
        for note in extra.notes:
            note.instrument = 1
        other.notes.extend(extra.notes)
        sequences += [both, other]
    description = create_dataset([write_notes(tmp_path / "n.tfrecord", sequences)], tmp_path / "out", eval_ratio=0.5)
    train = {content_hash(m.events) for m in melodies(tmp_path / "out", "train")}
    held_out = [content_hash(m.events) for m in melodies(tmp_path / "out", "eval")]
    assert held_out
    assert not train & set(held_out)
    assert description.num_leaked_pieces_dropped > 0
    total = len(melodies(tmp_path / "out", "train")) + len(held_out)
    assert total + 2 * description.num_leaked_pieces_dropped == 160


def test_melodies_that_pieces_share_in_part_leave_the_held_out_split(tmp_path):
    """Different pieces may give one melody, where both are cut to the same beginning."""
    sequences = []
    for number in range(40):
        for ending in (1, 2):
            whole = piece(number, f"piece{number} ending {ending}", bars=8)
            for note in piece(1000 * ending + number, bars=8).notes:
                moved = whole.notes.add()
                moved.CopyFrom(note)
                moved.start_time += 16
                moved.end_time += 16
            whole.total_time = 32
            sequences.append(whole)
    notes = write_notes(tmp_path / "n.tfrecord", sequences)
    options = ExtractionOptions(max_steps=128)
    description = create_dataset([notes], tmp_path / "out", eval_ratio=0.5, extraction=options)
    train = {content_hash(m.events) for m in melodies(tmp_path / "out", "train")}
    held_out = [content_hash(m.events) for m in melodies(tmp_path / "out", "eval")]
    assert description.num_leaked_pieces_dropped == 0
    assert description.num_leaked_melodies_dropped > 0
    assert not train & set(held_out)
    assert description.num_leaked_melodies_dropped + len(held_out) + len(melodies(tmp_path / "out", "train")) == 80


def test_duplicates_are_counted_and_dropped_on_demand(tmp_path):
    """The first by name stays, whatever its side."""
    first = write_notes(tmp_path / "a.tfrecord", [piece(number) for number in range(20)])
    later = [piece(3, "x exact"), piece(4, "x transposed", key=65), piece(4, "y", key=65), piece(20), piece(20, "twin")]
    files = [first, write_notes(tmp_path / "b.tfrecord", later)]
    kept = create_dataset(files, tmp_path / "kept", eval_ratio=0.4)
    dropped = create_dataset(files, tmp_path / "dropped", eval_ratio=0.4, dedupe=True)
    for description in (kept, dropped):
        assert description.num_duplicate_pieces == 3
        assert description.num_transposed_duplicate_pieces == 1
    assert (kept.duplicates_dropped, dropped.duplicates_dropped) == (False, True)
    ids = {
        name: {m.id.partition(":")[0] for split in ("train", "eval") for m in melodies(tmp_path / name, split)}
        for name in ("kept", "dropped")
    }
    assert len(ids["kept"]) == 25
    assert ids["dropped"] == {f"piece{number}" for number in range(21)}
    assert sum(split.num_melodies for split in dropped.splits) == 21


def test_the_split_is_that_of_the_pieces_whatever_becomes_of_them(notes, dataset, tmp_path):
    other = create_dataset(
        [notes],
        tmp_path / "out",
        eval_ratio=0.3,
        test_ratio=0.1,
        extraction=ExtractionOptions(min_bars=2, max_steps=64),
    )
    assert other.pieces_fingerprint == dataset[1].pieces_fingerprint
    assert other.fingerprint != dataset[1].fingerprint
    sides = {m.source: split for split in ("train", "eval", "test") for m in melodies(tmp_path / "out", split)}
    for split in ("train", "eval", "test"):
        assert all(sides.get(m.source, split) == split for m in melodies(dataset[0], split))


def test_pieces_of_one_name_keep_different_ids(tmp_path):
    sequences = [piece(number, "same") for number in range(20)] + [piece(number, "") for number in range(20, 40)]
    create_dataset([write_notes(tmp_path / "n.tfrecord", sequences)], tmp_path / "out", eval_ratio=0.4)
    ids = [m.id for split in ("train", "eval") for m in melodies(tmp_path / "out", split)]
    assert len(set(ids)) == len(ids) == 40
    assert {"same:0:0", "same~2:0:0", "n.tfrecord:40:0:0"} <= set(ids)


def test_transposition_touches_train_only(notes, dataset, tmp_path):
    description = create_dataset(
        [notes], tmp_path / "out", eval_ratio=0.3, test_ratio=0.1, transpositions=(0, 3, 80), shards=3
    )
    plain = melodies(dataset[0], "train")
    stored = melodies(tmp_path / "out", "train")
    assert [m.transposition for m in stored if m.transposition == 80] == []
    assert description.rejected["transposition-out-of-range"] == len(plain)
    assert len(stored) == 2 * len(plain)
    by_id = {m.id: m for m in stored}
    for original in plain:
        copy = by_id.pop(f"{original.id}:+3")
        original = by_id.pop(original.id)
        assert (original.transposition, copy.transposition) == (0, 3)
        assert np.array_equal(np.where(original.events >= 0, original.events + 3, original.events), copy.events)
    assert not by_id
    assert [m.id for m in melodies(tmp_path / "out", "eval")] == [m.id for m in melodies(dataset[0], "eval")]


@pytest.mark.parametrize("config", ["basic", "lookback_rnn", "attention"])
def test_magenta_form_is_the_encoding_of_the_same_melodies(notes, dataset, tmp_path, config):
    description = create_dataset(
        [notes], tmp_path / "out", eval_ratio=0.3, test_ratio=0.1, format="magenta", config=config
    )
    assert {path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".tfrecord"} == {
        "training_melodies.tfrecord",
        "eval_melodies.tfrecord",
        "test_melodies.tfrecord",
    }
    assert (description.format, description.config) == ("magenta", config.removesuffix("_rnn"))
    assert description.fingerprint == dataset[1].fingerprint
    encoding = registry.make_encoding(registry.configure(config))
    for split in description.splits:
        records = list(read_records(tmp_path / "out" / split.files[0]))
        stored = sorted(melodies(dataset[0], split.name), key=lambda melody: melody.id)
        assert len(records) == len(stored) == split.num_melodies
        for record, melody in zip(records, stored, strict=True):
            inputs, labels = decode_inputs_and_labels(record)
            events = squash(melody.events, 48, 84, 0)[0]
            assert len(inputs) == len(labels) == len(events) - 1
            assert np.array_equal(labels, encoding.labels(events[None], metres(16))[0, 1:])
            assert np.array_equal(
                inputs, as_vectors(encoding.inputs(events[None], metres(16))[0, :-1], encoding.input_size)
            )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "magenta"}, "--config"),
        ({"config": "basic"}, "--format magenta"),
        ({"format": "csv"}, "--format"),
        ({"format": "magenta", "config": "nonsense"}, "nonsense"),
        ({"format": "magenta", "config": "basic", "transpositions": (0, 1)}, "undoes transposition"),
        ({"format": "magenta", "config": "basic", "extraction": ExtractionOptions(8)}, "steps-per-quarter"),
        ({"transpositions": (1, 1, 0)}, "transpositions"),
        ({"eval_ratio": 1.5}, "--eval-ratio"),
        ({"workers": 0}, "--workers"),
        ({"beam_options": ["--nonsense"]}, "nonsense"),
    ],
)
def test_options_that_cannot_be_leave_no_trace(notes, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        create_dataset([notes], tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_transposed_copies_for_mono(notes, tmp_path):
    description = create_dataset(
        [notes], tmp_path / "out", eval_ratio=0.3, format="magenta", config="mono", transpositions=(0, 1)
    )
    assert description.splits[0].num_melodies % 2 == 0


def test_empty_splits_are_an_error_with_numbers_and_a_remedy(tmp_path):
    notes = write_notes(tmp_path / "n.tfrecord", [piece(1)])
    for ratio, message in (
        (0.01, "eval split is empty: 1 melodies out of 1 pieces.*larger --eval-ratio"),
        (0.99, "train split is empty.*smaller --eval-ratio.*--salt"),
    ):
        with pytest.raises(EtudeError, match=message):
            create_dataset([notes], tmp_path / "out", eval_ratio=ratio)
    description = create_dataset([notes], tmp_path / "out", eval_ratio=0)  # the folder is free for another try
    assert [split.name for split in description.splits] == ["train"]


def test_no_melodies_is_an_error_with_reasons_and_flags(tmp_path):
    polyphonic = piece(1)
    polyphonic.notes.add(start_time=0, end_time=1, pitch=90, velocity=80)
    notes = write_notes(tmp_path / "n.tfrecord", [piece(2, bars=3), piece(3, bars=2), polyphonic])
    with pytest.raises(EtudeError) as caught:
        create_dataset([notes], tmp_path / "out")
    lines = str(caught.value).splitlines()
    assert lines[0] == "none of the 3 pieces has a melody:"
    assert "2 x too-short" in lines[1]
    assert "--min-bars" in lines[1]
    assert "1 x polyphonic" in lines[2]
    assert "--polyphony highest" in lines[2]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"rejected.jsonl"}


def test_files_without_records(tmp_path):
    write_records(tmp_path / "empty.tfrecord", [])
    (tmp_path / "nothing.tfrecord").touch()
    with pytest.raises(EtudeError, match=r"no pieces in .*empty.*nothing.*etude convert"):
        create_dataset([tmp_path / "empty.tfrecord", tmp_path / "nothing.tfrecord"], tmp_path / "out")


@pytest.mark.parametrize("lost", ["notes-00001-of-00002.tfrecord", "texts-00000-of-00002.tfrecord"])
def test_a_lost_shard_is_named(tmp_path, abc_tune, lost):
    (tmp_path / "tunes.abc").write_text("\n".join(abc_tune(number) for number in range(20)))
    convert([str(tmp_path / "tunes.abc")], tmp_path / "notes", shards=2)
    (tmp_path / "notes" / lost).unlink()
    with pytest.raises(EtudeError, match=f"notes has lost {lost}; run its 'etude convert' command again"):
        create_dataset([tmp_path / "notes"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_inputs_that_cannot_be(tmp_path, notes):
    (tmp_path / "empty").mkdir()
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / ".etude-job.json").write_text("{}")
    (tmp_path / "unfinished" / "notes-00000-of-00002.tfrecord").write_text("")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "dataset.json").write_text("{}")
    (tmp_path / "text.tfrecord").write_text("this is no record file")
    write_records(tmp_path / "other.tfrecord", [b"\x08\x96"])
    for name, message in {
        "missing": "does not exist",
        "empty": "etude convert",
        "unfinished": "not finished",
        "dataset": "is a dataset already",
        "text.tfrecord": "record 1",
        "other.tfrecord": "record 1 is not a NoteSequence",
    }.items():
        with pytest.raises(EtudeError, match=message):
            create_dataset([tmp_path / name], tmp_path / "out")
    with pytest.raises(EtudeError, match="no NoteSequences were given"):
        create_dataset([], tmp_path / "out")
    with pytest.raises(EtudeError, match="is a file"):
        create_dataset([notes], tmp_path / "text.tfrecord")


def test_plain_record_files_are_read_too(tmp_path):
    """Magenta writes them without compression."""
    from etude.models.storage.records import frame

    (tmp_path / "n.tfrecord").write_bytes(b"".join(frame(piece(n).SerializeToString()) for n in range(30)))
    assert create_dataset([tmp_path / "n.tfrecord"], tmp_path / "out", eval_ratio=0.3).num_pieces == 30


def test_output_holds_no_place_and_no_time(dataset, notes):
    for name, data in contents(dataset[0]).items():
        assert os.fsencode(str(notes.parent)) not in data, name
