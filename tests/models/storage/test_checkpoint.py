import io
import random
import re
import resource
import struct
import zipfile

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.models.storage.checkpoint import load_arrays, save_arrays

ARRAYS = {
    "weights/kernel": np.arange(12, dtype=np.float32).reshape(3, 4),
    "weights/bias": np.zeros(4, np.float32),
    "step": np.array(200, np.int64),
}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}


@pytest.fixture
def path(tmp_path):
    save_arrays(tmp_path / "checkpoint.npz", ARRAYS)
    return tmp_path / "checkpoint.npz"


def npy(array=None, header=None, data=b""):
    """A .npy file: of an array, or with a header of one's own."""
    buffer = io.BytesIO()
    if header is None:
        np.lib.format.write_array(buffer, array, allow_pickle=True)
        return buffer.getvalue()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def test_arrays_come_back(path):
    loaded = load_arrays(path, SHAPES)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_numpy_reads_it(path):
    with np.load(path, allow_pickle=False) as loaded:
        assert set(loaded.files) == set(ARRAYS)
        np.testing.assert_array_equal(loaded["weights/kernel"], ARRAYS["weights/kernel"])


def test_the_order_in_memory_does_not_matter(path, tmp_path):
    save_arrays(tmp_path / "fortran.npz", {name: np.array(array, order="F") for name, array in ARRAYS.items()})
    assert (tmp_path / "fortran.npz").read_bytes() == path.read_bytes()


def test_the_same_arrays_give_the_same_bytes(path, tmp_path):
    save_arrays(tmp_path / "other.npz", ARRAYS)
    assert (tmp_path / "other.npz").read_bytes() == path.read_bytes()


def test_only_what_is_asked_for_is_read(path):
    assert set(load_arrays(path, {"step": ()})) == {"step"}


def test_a_missing_file(tmp_path):
    with pytest.raises(EtudeError, match=r"there is no checkpoint .*none\.npz"):
        load_arrays(tmp_path / "none.npz", SHAPES)


@pytest.mark.parametrize("shapes", [{"weights/other": (4,)}, {"weights/kernel": (4, 3)}, {"weights/bias": (4, 1)}])
def test_what_does_not_fit_is_named(path, shapes):
    with pytest.raises(EtudeError, match=next(iter(shapes))):
        load_arrays(path, shapes)


def test_a_file_cut_short(path, tmp_path):
    data = path.read_bytes()
    for length in range(0, len(data), 3):
        (tmp_path / "short.npz").write_bytes(data[:length])
        with pytest.raises(EtudeError, match=re.escape("short.npz")):
            load_arrays(tmp_path / "short.npz", SHAPES)


def test_flipped_bits(path, tmp_path):
    """Each gives the arrays as they were, or an error; never others, and never another exception."""
    data = path.read_bytes()
    chooser = random.Random(3)
    refused = 0
    for _ in range(600):
        damaged = bytearray(data)
        damaged[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
        (tmp_path / "damaged.npz").write_bytes(damaged)
        try:
            loaded = load_arrays(tmp_path / "damaged.npz", SHAPES)
        except EtudeError:
            refused += 1
        else:
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(loaded[name], array)
    assert refused > 200


def test_garbage(tmp_path):
    chooser = random.Random(4)
    for length in (0, 1, 22, 500):
        (tmp_path / "garbage.npz").write_bytes(chooser.randbytes(length))
        with pytest.raises(EtudeError):
            load_arrays(tmp_path / "garbage.npz", SHAPES)


def test_a_pickle_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    for content in (npy(np.array([Trap()], dtype=object)), np.array([Trap()], dtype=object).dumps()):
        write_zip(tmp_path / "trap.npz", {"step": content})
        with pytest.raises(EtudeError, match=r"trap\.npz"):
            load_arrays(tmp_path / "trap.npz", {"step": (1,)})
    assert not (tmp_path / "sprung").exists()


def test_a_zip_bomb(tmp_path):
    write_zip(tmp_path / "bomb.npz", {"step": npy(np.zeros(10_000_000))}, zipfile.ZIP_DEFLATED)
    assert (tmp_path / "bomb.npz").stat().st_size < 200_000
    with pytest.raises(EtudeError, match="step is larger"):
        load_arrays(tmp_path / "bomb.npz", {"step": ()})


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (3000000000, 3000000000, 3000000000)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (4.0,)}\n",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (4,)}\n",
        b"{'descr': '<f0', 'fortran_order': False, 'shape': (4,)}\n",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (4,)}\n",
        b"{'descr': '|S4', 'fortran_order': False, 'shape': (4,)}\n",
        b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}\n",
        b"{'descr': '<f4', 'shape': (4,)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)" + b" " * 5000 + b"}\n",
        b"[" * 900 + b"\n",
        b"\xff\n",
        b"\n",
    ],
)
def test_hostile_headers(tmp_path, header):
    write_zip(tmp_path / "hostile.npz", {"weights/bias": npy(header=header, data=bytes(16))})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(EtudeError, match=r"hostile\.npz"):
        load_arrays(tmp_path / "hostile.npz", {"weights/bias": (4,)})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_what_is_not_written_here_is_refused(tmp_path):
    array = ARRAYS["weights/kernel"]
    for content in (npy(np.asfortranarray(array)), npy(array.astype(">f4")), npy(array.astype(np.complex64))):
        write_zip(tmp_path / "other.npz", {"kernel": content})
        with pytest.raises(EtudeError, match="not in the form"):
            load_arrays(tmp_path / "other.npz", {"kernel": (3, 4)})
    write_zip(tmp_path / "packed.npz", {"kernel": npy(array)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(EtudeError, match="compressed"):
        load_arrays(tmp_path / "packed.npz", {"kernel": (3, 4)})
