"""The public transforms in pipelines of one's own."""

import collections
import pathlib
import re

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

import etude.pipelines
from etude.models.representations.registry import make_representation
from etude.models.storage.records import read_records
from etude.pipelines import Describe, ExtractSequences, Piece, ReadMusic, SplitByContent, SplitRule, WriteRecords
from etude.pipelines.readers.abc.tunebook import read_tunebook

README = pathlib.Path(etude.pipelines.__file__).with_name("README.md")


def pipeline():
    return beam.Pipeline(runner="FnApiRunner")


def test_every_public_name_is_there():
    assert {name for name in etude.pipelines.__all__ if getattr(etude.pipelines, name) is None} == set()
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = etude.pipelines.Nothing


def test_the_lines_of_the_readme(music_folder, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(code.replace("[SOURCE]", f"[{str(music_folder / 'inner')!r}]"), str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert "('pieces', 'number'): 140" in printed
    assert "('train', " in printed
    assert "('eval', " in printed


def number_of_counts(counts):
    return counts["pieces", "number"]


def test_bytes_of_ones_own(abc_tune, midi):
    files = [("a.abc", abc_tune(1).encode()), ("b/c.mid", midi([60, 62, 64] * 20)), ("d.mid", b"no MIDI")]
    with pipeline() as run:
        music = run | beam.Create(files) | ReadMusic()
        assert_that(music.pieces | beam.Map(lambda piece: piece.id), equal_to(["a.abc#1", "b/c.mid"]))
        assert_that(music.sources | beam.Keys(), equal_to([name for name, _ in files]), "sources")
        assert_that(music.pieces | Describe() | beam.Map(number_of_counts), equal_to([2]), "described")


def test_pieces_of_ones_own(abc_tune):
    """Sequences out of a flow are those that the representation gives by itself."""
    representation = make_representation("melody")
    pieces = []
    for number in range(20):
        sequence = read_tunebook(abc_tune(number).encode())[0].note_sequence()
        sequence.id = f"tune{number}"
        pieces.append(Piece(sequence))
    expected = collections.Counter(
        tuple(sequence.tokens.tolist()) for piece in pieces for sequence in representation.extract(piece).sequences
    )
    with pipeline() as run:
        split = run | beam.Create(pieces) | SplitByContent(SplitRule(0.3))
        sequences = (split | ExtractSequences(representation)).sequences
        assert_that(
            sequences | beam.Map(lambda one: tuple(one[1].tokens.tolist())), equal_to(list(expected.elements()))
        )


def test_records_of_ones_own(tmp_path):
    records = [("mine", f"record{number}", str(number).encode()) for number in range(100)]
    with pipeline() as run:
        written = run | beam.Create(records) | WriteRecords(str(tmp_path), 3)
        assert_that(written | beam.Map(lambda one: one[2]) | beam.CombineGlobally(sum), equal_to([100]))
    paths = sorted(tmp_path.glob("mine-*"))
    assert [path.name for path in paths] == [f"mine-0000{index}-of-00003.tfrecord" for index in range(3)]
    assert sorted(int(record) for path in paths for record in read_records(path)) == list(range(100))
