"""Reads SoundFont 2 files: the samples of an instrument, and how each is to be played.

Only what a plain melody needs: key and velocity ranges, tuning, loops, volume envelope and attenuation. The sound font is
the small General MIDI one that pretty-midi carries. Format: SoundFont Technical Specification 2.01 (Creative, 1998).
"""

import dataclasses
import importlib.util
import mmap
import pathlib
import struct

import numpy as np
import numpy.typing as npt

from etude.models.errors import EtudeError

_RECORDS = {
    "phdr": "<20s3H3I",
    "pbag": "<2H",
    "pgen": "<Hh",
    "inst": "<20sH",
    "ibag": "<2H",
    "igen": "<Hh",
    "shdr": "<20s5IBb2H",
}

_KEY_RANGE, _VELOCITY_RANGE, _INSTRUMENT, _SAMPLE = 43, 44, 41, 53
_START, _END, _LOOP_START, _LOOP_END = 0, 1, 2, 3
_COARSE = {_START: 4, _END: 12, _LOOP_START: 45, _LOOP_END: 50}
_ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = 34, 35, 36, 37, 38
_ATTENUATION, _COARSE_TUNE, _FINE_TUNE, _SAMPLE_MODES, _SCALE_TUNING, _ROOT_KEY = 48, 51, 52, 54, 56, 58
_RIGHT_CHANNEL = 2
_DEFAULTS = {_ATTACK: -12000, _HOLD: -12000, _DECAY: -12000, _RELEASE: -12000, _SCALE_TUNING: 100, _ROOT_KEY: -1}
_ADDED_BY_PRESET = {_ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE, _ATTENUATION, _COARSE_TUNE, _FINE_TUNE}

Generators = dict[int, int]


@dataclasses.dataclass(frozen=True)
class Voice:
    """A sample and how it sounds at one key.

    Attributes:
      samples: in [-1, 1].
      loop: first sample of the loop, and the one after its last; None where the sound is not looped.
      sample_rate: in Hz, at which it sounds at the key asked for.
      attack: seconds to full volume.
      hold: seconds at full volume.
      decay: seconds in which it would fall by 100 dB; it stops at the sustain level.
      sustain: the share of full volume that is held, 0 to 1.
      release: seconds in which it falls by 100 dB once the key is let go.
      gain: 0 to 1.
    """

    samples: npt.NDArray[np.float32]
    loop: tuple[int, int] | None
    sample_rate: float
    attack: float
    hold: float
    decay: float
    sustain: float
    release: float
    gain: float


class SoundFont:
    """The instruments of a SoundFont file."""

    def __init__(self, path: pathlib.Path) -> None:
        """Reads the tables of a file; samples are read when they are asked for.

        Raises:
          EtudeError: if it is missing or no SoundFont.
        """
        self._path = path
        try:
            with path.open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            chunks = dict(_chunks(data, 12, len(data)))
            self._tables = {
                name: list(struct.iter_unpack(form, data[slice(*chunks[name])])) for name, form in _RECORDS.items()
            }
            self._samples = np.frombuffer(data, "<i2", (chunks["smpl"][1] - chunks["smpl"][0]) // 2, chunks["smpl"][0])
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise EtudeError(f"{path} is not a sound font: {error}; install pretty-midi again") from error

    def voices(self, program: int, key: int, velocity: int) -> list[Voice]:
        """What sounds together when a key is struck (none where the instrument has no such key).

        Args:
          program: General MIDI instrument, 0 to 127.
          key: MIDI pitch.
          velocity: 1 to 127.
        """
        presets = [index for index, row in enumerate(self._tables["phdr"][:-1]) if row[1:3] == (program, 0)]
        voices = []
        for preset in presets[:1]:
            for outer in self._zones("phdr", 3, "pbag", "pgen", _INSTRUMENT, preset, key, velocity):
                for inner in self._zones("inst", 1, "ibag", "igen", _SAMPLE, outer[_INSTRUMENT], key, velocity):
                    added = {
                        name: inner.get(name, _DEFAULTS.get(name, 0)) + outer.get(name, 0) for name in _ADDED_BY_PRESET
                    }
                    header = self._tables["shdr"][inner[_SAMPLE]]
                    if header[8] != _RIGHT_CHANNEL:
                        voices.append(self._voice({**_DEFAULTS, **inner, **added}, header, key, velocity))
        return voices

    def _zones(
        self, heads: str, bag_column: int, bags: str, generators: str, last: int, index: int, key: int, velocity: int
    ) -> list[Generators]:
        """The generators of each zone of a preset or instrument that the key and the velocity fall into."""
        first_bag, end_bag = (self._tables[heads][at][bag_column] for at in (index, index + 1))
        result: list[Generators] = []
        common: Generators = {}
        for bag in range(first_bag, end_bag):
            first, end = (self._tables[bags][at][0] for at in (bag, bag + 1))
            own = dict(self._tables[generators][first:end])
            if last not in own:
                common = own if bag == first_bag else common
            elif _contains(own, _KEY_RANGE, key) and _contains(own, _VELOCITY_RANGE, velocity):
                result.append({**common, **own})
        return result

    def _voice(self, zone: Generators, header: tuple[int, ...], key: int, velocity: int) -> Voice:
        _, start, end, loop_start, loop_end, rate, original, correction, *_ = header
        offset = {name: zone.get(name, 0) + 32768 * zone.get(coarse, 0) for name, coarse in _COARSE.items()}
        first, stop = start + offset[_START], end + offset[_END]
        loop = loop_start + offset[_LOOP_START] - first, loop_end + offset[_LOOP_END] - first
        is_looped = zone.get(_SAMPLE_MODES, 0) & 1 and 0 <= loop[0] < loop[1] <= stop - first
        root = zone[_ROOT_KEY] if zone[_ROOT_KEY] >= 0 else original
        cents = (key - root) * zone[_SCALE_TUNING] + 100 * zone[_COARSE_TUNE] + zone[_FINE_TUNE] + correction
        return Voice(
            samples=(self._samples[first:stop] / 32768).astype(np.float32),
            loop=loop if is_looped else None,
            sample_rate=rate * 2 ** (cents / 1200),
            attack=_seconds(zone[_ATTACK]),
            hold=_seconds(zone[_HOLD]),
            decay=_seconds(zone[_DECAY]),
            sustain=10 ** (-min(max(zone[_SUSTAIN], 0), 1440) / 200),
            release=_seconds(zone[_RELEASE]),
            gain=(velocity / 127) ** 2 * 10 ** (-max(zone[_ATTENUATION], 0) / 500),
        )


def general_midi_path() -> pathlib.Path:
    """The sound font that pretty-midi carries.

    Raises:
      EtudeError: if pretty-midi is not installed.
    """
    package = importlib.util.find_spec("pretty_midi")
    if package is None or not package.submodule_search_locations:
        raise EtudeError("pretty-midi is not installed; install Etude with its dependencies (pip install etude)")
    return pathlib.Path(package.submodule_search_locations[0]) / "TimGM6mb.sf2"


def _chunks(data: mmap.mmap, start: int, end: int) -> list[tuple[str, tuple[int, int]]]:
    """Name, start and end of every chunk of a RIFF file that is not a list, those in lists too."""
    found: list[tuple[str, tuple[int, int]]] = []
    while start + 8 <= end:
        name, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        first, after = start + 8, min(start + 8 + size, end)
        found += _chunks(data, first + 4, after) if name == b"LIST" else [(name.decode("latin-1"), (first, after))]
        start = after + size % 2
    return found


def _contains(zone: Generators, name: int, value: int) -> bool:
    """Whether a range, its ends in the two bytes of a number, holds a value; a missing one holds all."""
    low, high = struct.unpack("2B", struct.pack("<h", zone[name])) if name in zone else (0, 127)
    return low <= value <= high


def _seconds(timecents: int) -> float:
    return 2 ** (timecents / 1200) if timecents > -12000 else 0.0
