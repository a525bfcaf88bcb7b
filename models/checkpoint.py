"""Arrays on disk by name, in NumPy's .npz form, never pickled."""

import pathlib
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.errors import EtudeError
from models.files import write_whole

Arrays = dict[str, npt.NDArray[np.generic]]

MAX_HEADER_BYTES = 1 << 10


def save_arrays(path: pathlib.Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Writes arrays, whole or not at all; the same arrays give the same bytes."""
    with write_whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def load_arrays(path: pathlib.Path, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    """Reads the arrays called for, each of the shape that is expected.

    Nothing is read before its size is known to be that of the expected shape, so a hostile file cannot fill the memory.

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
                if info.file_size > 8 * int(np.prod(shape, dtype=np.int64)) + MAX_HEADER_BYTES:
                    raise ValueError(f"array {name} is larger than {shape}")
                with archive.open(info) as member:
                    array = np.lib.format.read_array(member, allow_pickle=False, max_header_size=MAX_HEADER_BYTES)
                if array.shape != shape or array.dtype.kind not in "fi":
                    raise ValueError(f"array {name} is {array.dtype} {array.shape} instead of {shape}")
                arrays[name] = array
    except FileNotFoundError as error:
        raise EtudeError(f"there is no checkpoint {path}") from error
    except KeyError as error:
        raise EtudeError(f"checkpoint {path} does not fit its configuration: {error.args[0]}") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise EtudeError(f"checkpoint {path} cannot be read: {error}; use another one or train again") from error
    return arrays
