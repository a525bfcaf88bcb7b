"""Whether layers can be compiled here."""

import functools


@functools.cache
def why_not_compiled() -> str:
    """Why they cannot: numba is missing, which has no wheels for some machines, or fails; empty if they can."""
    import numpy as np

    try:
        from etude.models.networks.kernels.arithmetic import project

        out = np.zeros((1, 1), np.float32)
        project(np.ones((1, 1), np.float32), 0, 1, np.ones((1, 1), np.float32), out)
    except Exception as error:  # whatever a compiler raises
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "" if out[0, 0] == 1 else "compiled code gives wrong results"
