"""Arrays on disk by name, in NumPy's .npz form, never pickled."""

import math
import pathlib
import re
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from etude.models.errors import EtudeError
from etude.models.storage.files import write_whole

Arrays = dict[str, npt.NDArray[np.generic]]

MAX_HEADER_BYTES = 1 << 10

_HEADER = re.compile(rb"\{'descr': '(<(?:f2|[fi][48]))', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n")


def save_arrays(path: pathlib.Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Writes arrays, whole or not at all; the same arrays give the same bytes."""
    with write_whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def load_arrays(path: pathlib.Path, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    """Reads the arrays called for, each of the shape that is expected.

    Nothing is read before its size is known to be that of the expected shape, and no header is evaluated, so a hostile
    file can neither fill the memory nor run anything.

    Args:
      path: a file that `save_arrays` wrote.
      shapes: the shape of every array to read.

    Raises:
      EtudeError: if the file is missing or damaged, or an array is missing or of another shape or type.
    """
    arrays: Arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name, shape in shapes.items():
                info = archive.getinfo(f"{name}.npy")
                if info.file_size > 8 * math.prod(shape) + MAX_HEADER_BYTES:
                    raise ValueError(f"array {name} is larger than {shape}")
                if info.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"array {name} is compressed")
                array = _parse(archive.read(info))
                if array.shape != shape:
                    raise ValueError(f"array {name} has the shape {array.shape} instead of {shape}")
                arrays[name] = array
    except FileNotFoundError as error:
        raise EtudeError(f"there is no checkpoint {path}") from error
    except KeyError as error:
        raise EtudeError(f"checkpoint {path} does not fit its configuration: {error.args[0]}") from error
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise EtudeError(f"checkpoint {path} cannot be read: {error}; use another one or train again") from error
    return arrays


def _parse(content: bytes) -> npt.NDArray[np.generic]:
    """The array of a .npy file as `save_arrays` writes it: version 1.0, numbers, little endian, in C order."""
    start = 10 + int.from_bytes(content[8:10], "little")
    header = _HEADER.fullmatch(content[10:start])
    if content[:8] != b"\x93NUMPY\x01\x00" or header is None:
        raise ValueError("an array is not in the form in which checkpoints are written")
    shape = tuple(int(size) for size in header[2].split(b",") if size.strip())
    return np.frombuffer(content, header[1].decode(), offset=start).reshape(shape)
