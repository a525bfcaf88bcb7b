"""Which melodies train a model and which ones judge it.

The side is decided by content and a salt, never by order, time or chance, so that a copy of a tune, in any key, falls on
the same side, and so that adding music moves nothing that was there.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

from etude.models.errors import UsageError
from etude.models.melodies.melody import Melody

TRAIN = "train"
EVAL = "eval"
TEST = "test"


@dataclasses.dataclass(frozen=True)
class SplitRule:
    """How melodies are split.

    Attributes:
      eval_ratio: the share of pieces that evaluate, in [0, 1).
      test_ratio: the share of pieces that are kept for a last test, in [0, 1).
      salt: another salt gives another split.
    """

    eval_ratio: float = 0.1
    test_ratio: float = 0.0
    salt: str = ""

    def __post_init__(self) -> None:
        for name in ("eval_ratio", "test_ratio"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 0 and less than 1, not {value}")
        if self.eval_ratio + self.test_ratio >= 1:
            raise UsageError(
                f"--eval-ratio {self.eval_ratio} and --test-ratio {self.test_ratio} leave nothing to train on"
            )

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, train first."""
        held_out = ((EVAL, self.eval_ratio), (TEST, self.test_ratio))
        return (TRAIN, *(name for name, ratio in held_out if ratio > 0))


def side(content_hashes: Sequence[bytes], rule: SplitRule) -> str:
    """The split of a piece.

    Args:
      content_hashes: the content hashes of all melodies of the piece, in any order; at least one.
      rule: how melodies are split.

    Returns:
      "train", "eval" or "test", the same for all melodies of the piece: the smallest hash decides.
    """
    digest = hashlib.sha256(rule.salt.encode() + b"\0" + min(content_hashes)).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < rule.test_ratio:
        return TEST
    if position < rule.test_ratio + rule.eval_ratio:
        return EVAL
    return TRAIN


def leaked(sides_and_hashes: Iterable[tuple[str, bytes]]) -> set[bytes]:
    """Content that is both in train and in a held-out split, and has to leave the latter.

    This happens where pieces on different sides share one of their melodies.

    Args:
      sides_and_hashes: split and content hash of every melody.
    """
    train: set[bytes] = set()
    held_out: set[bytes] = set()
    for name, content in sides_and_hashes:
        (train if name == TRAIN else held_out).add(content)
    return train & held_out


def fingerprint(digests: Iterable[bytes]) -> str:
    """The fingerprint of a dataset: SHA-256 over the sorted digests of its records.

    It depends neither on the order of the records nor on how they are spread over files.

    Args:
      digests: `record_digest` of every record, train, eval and test.
    """
    total = hashlib.sha256()
    for digest in sorted(digests):
        total.update(digest)
    return total.hexdigest()


def record_digest(split: str, melody: Melody) -> bytes:
    """SHA-256 over the music of one stored melody, its grid and its split."""
    events = ",".join(map(str, melody.events.tolist()))
    text = f"{split} {melody.steps_per_bar} {melody.steps_per_quarter} {events}"
    return hashlib.sha256(text.encode()).digest()
