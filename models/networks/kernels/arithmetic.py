"""Compilation, and the arithmetic that the cells share.

Code is compiled when it is first called with arrays of a kind, and kept on disk for the next process. While it runs, other
threads of Python do too. Sums may be reordered, and products and sums fused, by the compiler.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

_REORDERING = {"contract", "reassoc", "nsz", "arcp"}
_F = np.float32

# tanh(x) = x p(x^2) / q(x^2) within 8.3e-9 relative for |x| <= 8.2, where tanh rounds to 1: a rational least-squares fit,
# reweighted towards the smallest largest error.
_P = (_F(1.4840697434e-8), _F(2.1637380462e-5), _F(3.5566930320e-3), _F(1.3432128713e-1), _F(0.9999999918))
_Q = (_F(8.3704446211e-7), _F(3.3863864519e-4), _F(2.6108324423e-2), _F(4.6765454467e-1), _F(1.0))
_TOP = _F(8.2)
_HALF = _F(0.5)


def compiled(function: Function) -> Function:
    """A function of arrays and numbers as machine code."""
    return cast(
        Function, numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=_REORDERING)(function)
    )


def inlined(function: Function) -> Function:
    """A function that becomes part of the compiled ones that call it."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy", fastmath=_REORDERING, inline="always")(function))


@inlined
def tanh(x: Any) -> Any:
    """The hyperbolic tangent of a float32."""
    x = _TOP if x > _TOP else x
    x = -_TOP if x < -_TOP else x
    s = x * x
    p = (((_P[0] * s + _P[1]) * s + _P[2]) * s + _P[3]) * s + _P[4]
    q = (((_Q[0] * s + _Q[1]) * s + _Q[2]) * s + _Q[3]) * s + _Q[4]
    return x * p / q


@inlined
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) of a float32."""
    return _HALF * tanh(_HALF * x) + _HALF


@inlined
def sigmoids(first: Any, second: Any, third: Any, out: Any) -> None:
    """The sigmoid of a sum of three, [units] each. (Slices of a gate are faster than its places in a longer row.)"""
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
