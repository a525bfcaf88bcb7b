"""How work is cut into slices: one slice of the inputs makes one shard of each output."""

import dataclasses
from collections.abc import Sequence
from typing import Generic, TypeVar

MIN_SLICE_ITEMS = 64
MIN_SLICE_BYTES = 1 << 18
MAX_SLICES = 1000

Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class Slice(Generic[Item]):
    """A fixed part of the sorted inputs.

    Attributes:
      index: its number, from 0.
      total: the number of slices.
      items: its inputs.
    """

    index: int
    total: int
    items: tuple[Item, ...]

    def shard(self, name: str) -> str:
        """The file name of this slice's shard of an output."""
        return shard_name(name, self.index, self.total)


def shard_name(name: str, index: int, total: int) -> str:
    """`NAME-SSSSS-of-NNNNN.tfrecord`."""
    return f"{name}-{index:05d}-of-{total:05d}.tfrecord"


def slices(items: Sequence[Item], sizes: Sequence[int]) -> list[Slice[Item]]:
    """Cuts inputs into slices of similar size.

    A slice ends once it holds 64 items or 256 kB; on large inputs both grow, so that there are about a thousand slices
    at most. The cut depends on the items alone, never on the number of workers.

    Args:
      items: the inputs, in order.
      sizes: bytes of each.
    """
    max_items = max(MIN_SLICE_ITEMS, -(-len(items) * 2 // MAX_SLICES))
    max_bytes = max(MIN_SLICE_BYTES, -(-sum(sizes) * 2 // MAX_SLICES))
    cuts: list[list[Item]] = []
    count = size = 0
    for item, item_size in zip(items, sizes, strict=True):
        if not cuts or count >= max_items or size >= max_bytes:
            cuts.append([])
            count = size = 0
        cuts[-1].append(item)
        count += 1
        size += item_size
    return [Slice(index, len(cuts), tuple(cut)) for index, cut in enumerate(cuts)]
