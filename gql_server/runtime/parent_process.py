"""The end of a worker whose supervisor has ended."""

import multiprocessing
import os
import signal
from threading import Thread


def stop_with_parent() -> None:
    """Let this process stop, as at SIGTERM, when the process that started it has ended; for workers.

    A supervisor that is killed cannot stop its workers. They would continue to serve on its socket, so that
    no other server could listen there, and no signal to the supervisor would stop them.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_wait_and_stop, args=(parent,), daemon=True).start()


def _wait_and_stop(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
