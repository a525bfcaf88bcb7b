"""Runs one of Beam's worker processes, quietly.

Beam's own worker writes its log to the console of whoever started the pipeline, and finds this project only where it is
installed. Start it with `python -P worker.py FOLDER`: a file in the folder, named by its process id, says that it
works; it stays if the process is killed.
"""

import logging
import os
import pathlib
import signal
import sys
import threading
import time

_SECONDS_BETWEEN_LOOKS = 1.0


def main() -> None:
    """Works until the pipeline ends."""
    sign = pathlib.Path(sys.argv.pop(1), str(os.getpid()))
    sign.touch()
    # An interrupt is for whoever started the pipeline, who then ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # With a handler in place nothing is printed; Beam still sends its log to the process that runs the pipeline.
    logging.getLogger().addHandler(logging.NullHandler())
    root = str(pathlib.Path(__file__).parents[3])
    if root not in sys.path:
        sys.path.append(root)
    from etude.pipelines.running.lean_beam import import_beam

    import_beam()
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)
    sign.unlink(missing_ok=True)


def _end_with(parent: int) -> None:
    """Ends this process once its parent is gone, killed perhaps."""
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)


if __name__ == "__main__":
    main()
