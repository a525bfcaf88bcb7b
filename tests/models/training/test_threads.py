import subprocess
import sys

import pytest

PROGRAM = """
import sys
import tensorflow as tf
from etude.models.registry import configure
from etude.models.training.threads import use_as_many_threads_as_pay

use_as_many_threads_as_pay(configure("abc-characters", {"batch_size": int(sys.argv[1])}))
threading = tf.config.threading
print(threading.get_inter_op_parallelism_threads(), threading.get_intra_op_parallelism_threads())
"""


@pytest.mark.parametrize(("batch_size", "expected"), [(1, "1 1"), (2, "0 0")])
def test_one_row_has_one_thread(batch_size, expected):
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(batch_size)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == expected.split()
