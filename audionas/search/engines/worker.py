"""The child's side of `process_pool`: reads jobs from its pipe, answers with outcomes, ends with its parent."""

from __future__ import annotations

import os
import threading
from collections.abc import MutableSequence
from multiprocessing.connection import Connection
from queue import SimpleQueue

from audionas.search.engines.contract import Job
from audionas.search.engines.meter import Meter
from audionas.search.engines.packed import unpack
from audionas.search.engines.shared_file import SharedFile
from audionas.search.engines.work import work

READY = "ready"


def serve(pipe: Connection, data: bytes, arrays: SharedFile, values: MutableSequence[float]) -> None:
    """Say that all is loaded, then do jobs until the parent closes the pipe, by intention or by its death."""
    jobs: SimpleQueue[Job] = SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, jobs), daemon=True).start()
    use_one_thread()
    evaluator = unpack(data, arrays.buffers())
    meter = Meter(values)
    pipe.send(READY)
    while True:
        job = jobs.get()
        with meter.trial():
            outcome = work(evaluator, job)
        pipe.send(outcome)


def use_one_thread() -> None:
    """Workers share the cores among themselves; denormals are flushed as in any other run."""
    import torch

    from audionas.seeding import flush_denormals

    torch.set_num_threads(1)
    flush_denormals()


def _listen(pipe: Connection, jobs: SimpleQueue[Job]) -> None:
    """Pass jobs on; without a parent there is nobody to work for, so leave in the middle of a trial too."""
    try:
        while True:
            jobs.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)
