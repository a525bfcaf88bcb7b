"""What is stored and counted of pieces and sequences: functions of one element each."""

import hashlib
import struct

from etude.models.magenta.records import file_name
from etude.models.representations.representation import Representation
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.records.counts import Counts
from etude.pipelines.records.write import Record
from etude.pipelines.sequences.sequence_coder import SplitSequence

REJECTED = "rejected.jsonl"
_DIGEST = struct.Struct("<8I")
"""A SHA-256 as numbers that add up without regard to their order, and stay below 64 bits."""


def output_name(split: str, dense: str | None) -> str:
    """What a split's files are called: by Magenta for the sequences of the representation `dense`, if one is named."""
    return file_name(split, dense) if dense else split


def sequence_record(element: SplitSequence, representation: Representation, is_dense: bool) -> Record:
    """The record that stores a sequence."""
    split, sequence = element
    return output_name(split, representation.name if is_dense else None), sequence.id, representation.encode(sequence)


def rejected_record(named: tuple[str, str]) -> Record:
    """The line that says why music gave no sequence."""
    return REJECTED, named[0], named[1].encode("utf-8", "replace")


def count_piece(piece: Piece) -> Counts:
    """A piece for the number of all, and its name, content and split for their fingerprint."""
    identity = "\0".join([piece.split, piece.id, *(content.hex() for content in piece.contents)])
    return {
        ("all", "pieces"): 1,
        **digest_counts("pieces", hashlib.sha256(identity.encode("utf-8", "replace")).digest()),
    }


def count_sequence(element: SplitSequence, representation: Representation) -> Counts:
    """The statistics of a stored sequence by split, and its digest for the dataset's fingerprint."""
    split, sequence = element
    counts: Counts = {
        ("number", split): 1,
        ("tokens", split): len(sequence),
        ("notes", split): representation.num_notes(sequence),
        ("max-tokens", split): len(sequence),
        **digest_counts("sequences", hashlib.sha256(split.encode() + representation.digest(sequence)).digest()),
    }
    if "steps_per_bar" in sequence.attributes:
        counts[f"bars {split}", str(sequence.attributes["steps_per_bar"])] = 1
    return counts


def count_copy(kind: str) -> Counts:
    """A piece with the notes of another one, by what kind of copy it is."""
    return {("copies", kind): 1}


def count_leak(dropped: tuple[str, str]) -> Counts:
    """A piece or a sequence that was dropped."""
    return {("leaked", dropped[0]): 1}


def digest_counts(name: str, digest: bytes) -> Counts:
    """A SHA-256 as counts that can be summed in any order."""
    return {(f"digest {name}", str(index)): part for index, part in enumerate(_DIGEST.unpack(digest))}


def total_digest(counts: Counts, name: str) -> str:
    """SHA-256 over the sums of digests: neither the order of elements nor where they are stored changes it."""
    sums = [counts.get((f"digest {name}", str(index)), 0) for index in range(8)]
    return hashlib.sha256(" ".join(map(str, sums)).encode()).hexdigest()
