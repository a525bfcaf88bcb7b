"""What an archive's directory says of a file in it."""

from typing import NamedTuple


class Packing(NamedTuple):
    """How a .zip holds a file.

    Attributes:
      method: the zip format's number of the compression.
      size: bytes as they are held.
      checksum: CRC-32 of the expanded bytes.
    """

    method: int
    size: int
    checksum: int


class Member(NamedTuple):
    """One file of an archive.

    Attributes:
      name: its path in the archive.
      size: its size in bytes once expanded.
      offset: where it starts in the (expanded) .tar, or its header in the .zip.
      packing: how a .zip holds it; None in a .tar, which holds it as it is.
      problem: why it cannot be read; empty if it can be.
    """

    name: str
    size: int = 0
    offset: int = 0
    packing: Packing | None = None
    problem: str = ""
