import collections
import hashlib
import random

import pytest

from etude.models.errors import UsageError
from etude.models.melodies.melody import Melody, as_events
from etude.pipelines.sequences.split import SplitRule, fingerprint, leaked, record_digest, side

CONTENT = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(4000)]


def test_shares_are_about_the_ratios():
    rule = SplitRule(eval_ratio=0.2, test_ratio=0.1)
    counts = collections.Counter(side([content], rule) for content in CONTENT)
    assert counts["eval"] == pytest.approx(800, abs=100)
    assert counts["test"] == pytest.approx(400, abs=80)
    assert rule.splits == ("train", "eval", "test")


def test_known_sides():
    """Pinned: another version must not move anyone's melodies."""
    rule = SplitRule(eval_ratio=0.3, test_ratio=0.2, salt="pepper")
    assert [side([content], rule) for content in CONTENT[:8]] == PINNED


PINNED = ["train", "train", "eval", "eval", "eval", "train", "test", "eval"]


def test_the_smallest_hash_decides_whatever_the_order():
    rule = SplitRule(eval_ratio=0.5)
    for _ in range(50):
        piece = random.Random(1).sample(CONTENT, 5)
        assert side(piece, rule) == side(sorted(piece), rule) == side([min(piece)], rule)


def test_salt_changes_the_split_and_growing_the_ratio_only_adds():
    sides = [[side([content], rule) for content in CONTENT] for rule in (SplitRule(0.1), SplitRule(0.1, salt="x"))]
    assert sides[0] != sides[1]
    small = {content for content in CONTENT if side([content], SplitRule(0.1)) == "eval"}
    large = {content for content in CONTENT if side([content], SplitRule(0.2)) == "eval"}
    assert small < large


def test_leaks():
    a, b, c, d = CONTENT[:4]
    melodies = [("train", a), ("train", b), ("eval", b), ("eval", c), ("test", a), ("test", c), ("eval", d)]
    assert leaked(melodies) == {a, b}


@pytest.mark.parametrize("ratios", [(-0.1, 0), (1, 0), (0, 1), (0.5, 0.5), (float("nan"), 0)])
def test_impossible_ratios(ratios):
    with pytest.raises(UsageError):
        SplitRule(*ratios)


def test_fingerprint_depends_on_every_part_of_a_record_and_not_on_order():
    def digest(split="train", events=(60, -2), **grid):
        return record_digest(split, Melody(as_events(events), **grid))

    other = digest("eval", (62, -2))
    base = fingerprint([digest(), other])
    assert fingerprint([other, digest()]) == base
    changes = [digest("eval"), digest(steps_per_bar=12), digest(steps_per_quarter=3), digest(events=(60, 2))]
    assert all(fingerprint([changed, other]) != base for changed in changes)
    assert fingerprint([digest(), digest(), other]) != base
    assert fingerprint([digest(id="x", source="y"), other]) == base
