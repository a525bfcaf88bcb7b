import dataclasses
import random

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that, equal_to

from etude.models.representations.sequence import Sequence
from etude.pipelines.sequences.extracted import ExtractedPiece, ExtractedPieceCoder
from etude.pipelines.sequences.leaks import DropLeaks


def content(number):
    return number.to_bytes(16, "big")


def piece(number, split, tracks, sequences):
    """A piece with the contents of its tracks and of its sequences, as numbers."""
    return ExtractedPiece(
        id=f"piece{number}",
        split=split,
        contents=tuple(map(content, tracks)),
        sequences=tuple(Sequence(np.array([one, -2]), str(index)) for index, one in enumerate(sequences)),
        sequence_contents=tuple(map(content, sequences)),
    )


def named(extracted):
    return extracted.id, extracted.sequence_contents, tuple(int(one.tokens[0]) for one in extracted.sequences)


@pytest.mark.parametrize("seed", range(5))
def test_leaks_are_what_comparing_all_with_all_finds(seed):
    chooser = random.Random(seed)
    pieces = [
        piece(
            number,
            chooser.choice(["train", "train", "eval", "test"]),
            chooser.sample(range(60), chooser.randrange(3)),
            [chooser.randrange(1000, 1060) for _ in range(chooser.randrange(4))],
        )
        for number in range(60)
    ]
    train = [one for one in pieces if one.split == "train"]
    of_pieces = {content for one in train for content in one.contents}
    of_sequences = {content for one in train for content in one.sequence_contents}
    dropped_pieces = {one.id for one in pieces if one.split != "train" and of_pieces & set(one.contents)}
    kept, dropped = [], [("pieces", name) for name in dropped_pieces]
    for one in pieces:
        if one.id in dropped_pieces:
            continue
        stays = [one.split == "train" or found not in of_sequences for found in one.sequence_contents]
        contents = tuple(found for found, keep in zip(one.sequence_contents, stays, strict=True) if keep)
        kept.append((one.id, contents, tuple(int.from_bytes(found, "big") for found in contents)))
        dropped += [("sequences", f"{one.id}:{index}") for index, keep in enumerate(stays) if not keep]
    assert dropped_pieces
    assert len(dropped) > len(dropped_pieces)
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        leaks = pipeline | beam.Create(pieces) | DropLeaks()
        assert_that(leaks.kept | beam.Map(named), equal_to(kept), "kept")
        assert_that(leaks.dropped, equal_to(dropped), "dropped")


@pytest.mark.parametrize("tokens", [np.array([60, -2, -1, 1 << 20]), ("a", "<end>", "é")])
def test_what_a_piece_gave_travels_whole(tokens):
    sequence = Sequence(tokens, "0:1", attributes={"steps_per_bar": 12})
    before = ExtractedPiece(
        id="tunes/é.abc#1",
        split="eval",
        contents=(content(1), content(2)),
        sequences=(sequence, sequence),
        sequence_contents=(content(3), content(3)),
        rejected=(("too-short", '{"source": "tunes/é.abc#1"}'),),
        num_truncated=1,
    )
    after = ExtractedPieceCoder().decode(ExtractedPieceCoder().encode(before))
    for one in after.sequences:
        assert list(one.tokens) == list(tokens)
        assert (one.id, one.source, one.attributes) == (sequence.id, sequence.source, sequence.attributes)
    assert dataclasses.replace(after, sequences=()) == dataclasses.replace(before, sequences=())
    empty = ExtractedPiece("x", "train")
    assert ExtractedPieceCoder().decode(ExtractedPieceCoder().encode(empty)) == empty
