from hypothesis import given
from hypothesis import strategies as st

from etude.pipelines.jobs.shards import MAX_SLICES, slices


@given(st.lists(st.integers(0, 300_000), max_size=400))
def test_slices_hold_every_item_once_and_in_order(sizes):
    parts = slices(list(range(len(sizes))), sizes)
    assert [item for part in parts for item in part.items] == list(range(len(sizes)))
    assert [part.index for part in parts] == list(range(len(parts)))
    assert all(part.total == len(parts) and part.items for part in parts)


def test_slices_are_small_enough_to_share_out_and_few_enough_to_list():
    assert len(slices(range(1059), [800] * 1059)) == 17
    assert len(slices(range(10), [1 << 20] * 10)) == 10
    assert 400 < len(slices(range(1_000_000), [5_000] * 1_000_000)) <= MAX_SLICES


def test_shard_names():
    (part,) = slices(["a"], [1])
    assert part.shard("notes") == "notes-00000-of-00001.tfrecord"
