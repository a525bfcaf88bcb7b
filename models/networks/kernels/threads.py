"""One thread for BLAS: the products of a step are too small to be shared, and whoever calls the layers takes a core each."""

import contextlib
import functools
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Lets the products of NumPy and of compiled code run on the thread that calls them while the block runs."""
    with _blas().limit(limits=1):
        yield


@functools.cache
def _blas() -> ThreadpoolController:
    # The BLAS that compiled code calls.
    import scipy.linalg.cython_blas  # noqa: F401

    return ThreadpoolController().select(user_api="blas")
