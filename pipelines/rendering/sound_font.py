"""The sound font, brought into a form that the synthesiser plays in tune.

It is TimGM6mb by Tim Brechbill (General MIDI, 6 MB, GNU General Public License version 2), which the package pretty-midi
carries: nothing is downloaded, and it is no part of what this project distributes.

The synthesiser of symusic takes the key that a sample was recorded at from the sample's header, and passes over the key that
an instrument may name instead (generator 58). So each such use of a sample gets a header of its own that says the same.
Format: SoundFont Technical Specification 2.01 (Creative, 1998).
"""

import importlib.util
import itertools
import pathlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from etude.models.errors import EtudeError

_SAMPLE, _ROOT_KEY = 53, 58
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("operator", "<u2"), ("amount", "<i2")])
_HEADER = np.dtype([("name", "S20"), ("places", "<u4", 5), ("pitch", "u1"), ("rest", "V5")])

Tables = dict[bytes, bytes]


def find_sound_font() -> pathlib.Path:
    """The sound font that pretty-midi carries.

    Raises:
      EtudeError: if it is not there.
    """
    package = importlib.util.find_spec("pretty_midi")
    folders = package.submodule_search_locations if package else None
    path = pathlib.Path(folders[0]) / "TimGM6mb.sf2" if folders else None
    if path is None or not path.is_file():
        raise EtudeError("pretty-midi or its sound font is not installed; install Etude with its dependencies")
    return path


def with_root_keys_in_samples(font: bytes) -> bytes:
    """A sound font that says the same: where an instrument names a key for a sample, its header has that key, too.

    Args:
      font: a SoundFont 2 file.

    Raises:
      EtudeError: if it is none.
    """
    try:
        lists = dict(_chunks(font[12:]))
        tables = dict(_chunks(lists[b"pdta"]))
        lists[b"pdta"] = b"".join(_chunk(name, table) for name, table in _corrected(tables).items())
    except (KeyError, ValueError, IndexError) as error:
        raise EtudeError(f"the sound font is damaged ({error!r}); install pretty-midi again") from error
    body = b"sfbk" + b"".join(_chunk(b"LIST", name + content) for name, content in lists.items())
    return _chunk(b"RIFF", body)


def _corrected(tables: Tables) -> Tables:
    bags = np.frombuffer(tables[b"ibag"], _BAG)["generator"]
    generators = np.frombuffer(tables[b"igen"], _GENERATOR).copy()
    headers = np.frombuffer(tables[b"shdr"], _HEADER)
    # The last record of each table only marks its end.
    instruments = np.frombuffer(tables[b"inst"], np.dtype([("name", "S20"), ("bag", "<u2")]))["bag"]
    added: list[npt.NDArray[np.void]] = []
    for first, end in itertools.pairwise(instruments.tolist()):
        common = -1
        for bag in range(first, end):
            zone = generators[bags[bag] : bags[bag + 1]]
            root = zone["amount"][zone["operator"] == _ROOT_KEY]
            sample = np.flatnonzero(zone["operator"] == _SAMPLE)
            key = int(root[0]) if root.size else common
            if not sample.size:
                common = key if bag == first else common
            elif key >= 0:
                header = headers[zone["amount"][sample[0]] : zone["amount"][sample[0]] + 1].copy()
                header["pitch"] = key
                zone["amount"][sample[0]] = len(headers) - 1 + len(added)
                added.append(header)
    whole = np.concatenate([headers[:-1], *added, headers[-1:]])
    return {**tables, b"igen": generators.tobytes(), b"shdr": whole.tobytes()}


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the chunks that follow each other; of a list, the name of its kind."""
    start = 0
    while start + 8 <= len(data):
        name, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        content = data[start + 8 : start + 8 + size]
        yield (content[:4], content[4:]) if name == b"LIST" else (name, content)
        start += 8 + size + size % 2


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)
