"""Which shard a record belongs to, and how shards are called."""

import hashlib

SHARD_BYTES = 1 << 26
"""About as much as one shard holds before it is compressed: what a worker sorts in memory."""


def num_shards(num_bytes: int, expansion: float) -> int:
    """The number of shards of an output.

    Args:
      num_bytes: of the input.
      expansion: bytes of output for a byte of input, roughly.
    """
    return max(1, round(num_bytes * expansion / SHARD_BYTES))


def shard_of(name: str, shards: int) -> int:
    """The shard of a record: a hash of its name, so that it depends on nothing else."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % shards


def shard_name(name: str, index: int, total: int) -> str:
    """`NAME-SSSSS-of-NNNNN.tfrecord`."""
    return f"{name}-{index:05d}-of-{total:05d}.tfrecord"
