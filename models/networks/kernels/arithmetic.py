"""Compilation, and the arithmetic that the cells share.

Code is compiled when it is first called with arrays of a kind, and kept on disk for the next process. While it runs, other
threads of Python do too. Sums may be reordered, and products and sums fused, by the compiler.
"""

import functools
import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

_REORDERING = {"contract", "reassoc", "nsz", "arcp"}
_F = np.float32
_ZERO, _ONE, _TWO, _HALF = _F(0), _F(1), _F(2), _F(0.5)

# Least-squares fits, reweighted towards the smallest largest relative error. exp(r) for |r| <= ln(2) / 2, within 7.5e-8:
_EXP = (
    _F(8.297647906e-3),
    _F(4.191541957e-2),
    _F(1.666757503e-1),
    _F(4.999889452e-1),
    _F(0.9999996918),
    _F(1.000000072),
)
_TO_POWERS_OF_TWO, _LN_2, _LARGEST = _F(1.4426950408889634), _F(0.6931471805599453), _F(87.0)
# tanh(x) / x in x^2 for |x| <= 0.64, within 5.2e-9:
_TANH = (
    _F(-5.544863619e-3), _F(2.048708598e-2), _F(-5.368862453e-2), _F(1.333072003e-1), _F(-3.333324295e-1), _F(0.9999999949),
)  # fmt: skip
_SMALL = _F(0.64)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays and numbers as machine code."""
    folder = cache_folder()
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(folder)
    try:
        return _compiler(cache=folder is not None)(function)
    finally:
        settings.CACHE_DIR = before


def inlined(function: Function) -> Function:
    """A function that becomes part of the compiled ones that call it."""
    return _compiler(inline="always")(function)


def _compiler(**options: Any) -> Callable[[Function], Function]:
    compiler = numba.njit(nogil=True, error_model="numpy", fastmath=_REORDERING, **options)
    return cast(Callable[[Function], Function], compiler)


@functools.cache
def cache_folder() -> pathlib.Path | None:
    """Where machine code is kept; None where nothing can be written.

    It is named by the sources of all kernels: numba looks at the file that it compiles, not at what becomes part of it.
    """
    sources = sorted(pathlib.Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path("~/.cache").expanduser()
    folder = pathlib.Path(base, "etude", f"kernels-{digest}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


@inlined
def exp(x: Any) -> Any:
    """The exponential of a float32 within [-87, 87], of what is outside that of the nearest."""
    x = _LARGEST if x > _LARGEST else x
    x = -_LARGEST if x < -_LARGEST else x
    power = np.floor(x * _TO_POWERS_OF_TWO + _HALF)
    r = x - power * _LN_2
    p = ((((_EXP[0] * r + _EXP[1]) * r + _EXP[2]) * r + _EXP[3]) * r + _EXP[4]) * r + _EXP[5]
    # 2^power: the exponent of a float32 begins at its bit 23, and is 127 for 1.
    return p * np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)


@inlined
def tanh(x: Any) -> Any:
    """The hyperbolic tangent of a float32; exact to the last places also where it is nearly 1, and 1 - tanh^2 counts."""
    s = x * x
    small = x * (((((_TANH[0] * s + _TANH[1]) * s + _TANH[2]) * s + _TANH[3]) * s + _TANH[4]) * s + _TANH[5])
    size = x if x > _ZERO else -x
    e = exp(-_TWO * size)
    large = (_ONE - e) / (_ONE + e)
    large = large if x > _ZERO else -large
    return small if size < _SMALL else large


@inlined
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) of a float32."""
    return _ONE / (_ONE + exp(-x))


@inlined
def sigmoids(first: Any, second: Any, third: Any, out: Any) -> None:
    """The sigmoid of a sum of three, [units] each: slices of a gate are faster than its places in a longer row."""
    for unit in range(len(out)):
        out[unit] = sigmoid(first[unit] + second[unit] + third[unit])


@inlined
def tanhs(first: Any, second: Any, third: Any, out: Any) -> None:
    """As `sigmoids`, of the hyperbolic tangent."""
    for unit in range(len(out)):
        out[unit] = tanh(first[unit] + second[unit] + third[unit])


@compiled
def project(inputs: Any, start: int, stop: int, kernel: Any, out: Any) -> None:
    """Rows of inputs times a kernel.

    Args:
      inputs: [rows, input_size]; or, where they are one-hot, the places of the ones, [rows].
      start: the first row.
      stop: the row after the last.
      kernel: [input_size, columns].
      out: [stop - start, columns].
    """
    if inputs.ndim == 1:
        for row in range(start, stop):
            out[row - start] = kernel[inputs[row]]
    else:
        np.dot(inputs[start:stop], kernel, out)


@compiled
def project_back(
    inputs: Any, start: int, stop: int, transposed: Any, d_rows: Any, d_kernel: Any, d_inputs: Any, room: Any
) -> None:
    """The gradients of `project`: adds to that of the kernel, sets those of the inputs.

    Args:
      inputs: as `project` took them.
      start: the first row.
      stop: the row after the last.
      transposed: the kernel transposed, [columns, input_size].
      d_rows: gradients with respect to what came out, [stop - start, columns].
      d_kernel: [input_size, columns].
      d_inputs: [rows, input_size]; no rows where they are not wanted.
      room: [input_size, columns].
    """
    if inputs.ndim == 1:
        for row in range(start, stop):
            place = inputs[row]
            for column in range(d_rows.shape[1]):
                d_kernel[place, column] += d_rows[row - start, column]
    else:
        add_product(inputs[start:stop], d_rows, d_kernel, room)
        if len(d_inputs):
            np.dot(d_rows, transposed, d_inputs[start:stop])


@compiled
def add_product(left: Any, right: Any, total: Any, room: Any) -> None:
    """Adds left' x right to the total, by way of a room of its shape."""
    np.dot(left.T, right, room)
    for row in range(total.shape[0]):
        for column in range(total.shape[1]):
            total[row, column] += room[row, column]
