"""The child's side of `process_pool`: reads jobs from its pipe, answers with outcomes, ends with its parent.

What takes seconds to import is imported after the pipe is listened to, so that a child whose parent dies while it is
still loading does not load to the end.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import MutableSequence
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audionas.search.engines.shared_file import SharedFile

READY = "ready"
BEGUN = "begun"


def serve(
    pipe: Connection, data: bytes, arrays: SharedFile, values: MutableSequence[float], card: str | None = None
) -> None:
    """Say that all is loaded, then do jobs until the parent closes the pipe, by intention or by its death.

    `card` is the one GPU that this process is to see.
    """
    if card is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = card
    jobs: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, jobs), daemon=True).start()
    from audionas.search.engines.meter import Meter
    from audionas.search.engines.packed import unpack
    from audionas.search.engines.work import work

    use_one_thread()
    evaluator = unpack(data, arrays.buffers())
    meter = Meter(values)
    pipe.send(READY)
    while True:
        job = pickle.loads(jobs.get())  # our own parent's
        pipe.send(BEGUN)
        with meter.trial():
            outcome = work(evaluator, job)
        pipe.send(outcome)


def use_one_thread() -> None:
    """Workers share the cores among themselves; denormals are flushed and memory kept as in any other run."""
    import torch

    from audionas.process_memory import keep_freed_memory
    from audionas.seeding import flush_denormals

    torch.set_num_threads(1)
    flush_denormals()
    keep_freed_memory()


def _listen(pipe: Connection, jobs: SimpleQueue[bytes]) -> None:
    """Pass jobs on, as they are: unpickling may import, and only one thread should.

    Without a parent there is nobody to work for, so leave, in the middle of a trial too.
    """
    try:
        while True:
            jobs.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)
