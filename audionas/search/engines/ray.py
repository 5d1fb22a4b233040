"""Trials on a Ray cluster: one made for the run on this machine, or one that is running already.

Ray is an extra and is imported when a search asks for it. A worker is a Ray actor that holds the evaluator, whose
arrays lie once a machine in Ray's object store. As with `process_pool`, an actor that dies, or is killed because its
trial takes too long, costs that one trial and is replaced. What a killed trial had spent is not known here.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from audionas import __version__
from audionas.errors import RunError, SettingsError
from audionas.search.engines.contract import EngineOptions, Evaluator, Job, Outcome
from audionas.search.engines.meter import N_VALUES, Meter, costs_of
from audionas.search.engines.options import check_pool
from audionas.search.engines.packed import Packed, pack, unpack
from audionas.search.engines.ray_worker import RayWorker
from audionas.search.engines.work import work
from audionas.search.engines.worker import use_one_thread
from audionas.search.engines.worker_pool import WorkerPool

KNOCK_S = 10.0
STORE_BYTES = 128 * 2**20  # beside the features; Ray takes a third of the memory if nothing is said


class Trainer:
    """What an actor is: the evaluator, waiting for jobs."""

    def __init__(self, packed: tuple[bytes, Sequence[Any]]) -> None:
        use_one_thread()
        self._evaluator = unpack(*packed)
        self._values = [0.0] * N_VALUES
        self._meter = Meter(self._values)

    def version(self) -> str:
        """Which audionas the worker has; the answer says that it is ready."""
        return __version__

    def run(self, job: Job) -> Outcome:
        """The outcome of a job, with its costs."""
        with self._meter.trial():
            outcome = work(self._evaluator, job)
        return replace(outcome, costs=costs_of(self._values, str(getattr(self._evaluator, "device", "cpu"))))


class RayEngine(WorkerPool[RayWorker]):
    """Starts an actor when there is a job and none is idle."""

    name = "ray"

    def __init__(self, evaluator: Evaluator, options: EngineOptions) -> None:
        super().__init__()
        self.n_workers, self._timeout_s = options.workers, options.timeout_s
        _refuse_gpu(evaluator)
        packed = pack(evaluator, same_machine=options.address is None)
        self._disconnect = connect(options, packed.n_bytes)
        self._shared = _share(packed)

    def close(self) -> None:
        """Kill the actors, and the cluster if it was made for the run; may be called twice."""
        super().close()
        self._shared = None
        self._disconnect()

    def _start(self) -> RayWorker:
        return RayWorker(Trainer, self._shared, self._timeout_s)

    def _wait(self, busy: list[RayWorker], seconds: float) -> None:
        import ray

        ray.wait([worker.answer for worker in busy], timeout=None if math.isinf(seconds) else seconds)


def connect(options: EngineOptions, n_bytes: int) -> Callable[[], object]:
    """Start a cluster, or join one; gives back what undoes it.

    Raises:
        RunError: there is no cluster at the address, or none can be started; it has fewer processors than there are to
            be workers.
    """
    ray = _quiet_ray()
    leave: Callable[[], object] = ray.shutdown
    if ray.is_initialized():  # the caller's own cluster
        return _nothing
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "include_dashboard": None}
    try:
        if options.address is None:
            store = STORE_BYTES + 2 * n_bytes
            own: dict[str, Any] = {"num_cpus": options.workers, "object_store_memory": store}
            ray.init("local", **own, _node_ip_address="127.0.0.1", **quiet | {"include_dashboard": False})
            return leave
        ray.init(address=options.address, **quiet)
    except Exception as why:  # Ray has no class of its own for this and raises Exception itself
        raise RunError(_no_cluster(options.address, why)) from why
    n_processors = int(ray.cluster_resources().get("CPU", 0))
    if n_processors < options.workers:
        ray.shutdown()
        raise RunError(f"--workers {options.workers}: the cluster at {options.address} has {n_processors} processors")
    return leave


def check(options: EngineOptions) -> None:
    """Refuse what this engine cannot do.

    Raises:
        SettingsError: fewer than 1 worker, a timeout of 0 s or less, or Ray is not installed.
        RunError: nobody listens at the address.
    """
    check_pool(options)
    if importlib.util.find_spec("ray") is None:
        raise SettingsError("--engine ray: Ray is not installed; install it with: pip install 'audionas[ray]'")
    if options.address is not None:
        try:
            _knock(options.address)
        except (OSError, OverflowError) as why:
            raise RunError(_no_cluster(options.address, why)) from why


def build(evaluator: Evaluator, options: EngineOptions) -> RayEngine:
    """The engine.

    Raises:
        SettingsError: the options do not fit, or the evaluator cannot be sent to another process or wants a GPU.
        RunError: the cluster cannot be reached.
    """
    check(options)
    return RayEngine(evaluator, options)


def _share(packed: Packed) -> Any:
    """A reference to the evaluator in Ray's object store, where arrays are shared and not copied."""
    import numpy as np
    import ray

    return ray.put((packed.data, [np.frombuffer(buffer, dtype=np.uint8) for buffer in packed.buffers]))


def _refuse_gpu(evaluator: Evaluator) -> None:
    device = str(getattr(evaluator, "device", "cpu"))
    if device != "cpu":
        raise SettingsError(f"--engine ray: its workers train on processors, got --device {device}; use process_pool")


def _quiet_ray() -> Any:
    """Ray, which else reports its use to its makers and (2.60) prints the deaths of workers to standard output."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray._private import worker

    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = _nothing
    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)  # that it asks for a token
    return ray


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def _knock(address: str) -> None:
    """Raise OSError at once if nobody listens at HOST:PORT; Ray would try for many minutes."""
    host, _, port = address.rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()


def _no_cluster(address: str | None, why: BaseException) -> str:
    reason = next(iter(str(why).splitlines()), type(why).__name__)
    if address is None:
        return f"--engine ray: no cluster could be started here ({reason}); free memory, or use --engine process_pool"
    return (
        f"--address {address}: no Ray cluster answers there ({reason}); start one with `ray start --head`, or leave "
        "--address out for a cluster on this machine; if the cluster asks for a token (`ray start` says so), set "
        "RAY_AUTH_MODE=token here too"
    )
