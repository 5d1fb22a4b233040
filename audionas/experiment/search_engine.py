"""Where the trials of a search run: what the user asked for, as `run.json` keeps it and a resumed search reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import ConfigDict, Field

from audionas.errors import SettingsError
from audionas.experiment.run_folder import RunFolder
from audionas.quantities import count_text
from audionas.records import Record, validate
from audionas.run_places import RUN_FILE
from audionas.search.engines import DEFAULT, EngineOptions, check_engine

N_WORKERS = 2  # of an engine that can have several, unless --workers says otherwise


@dataclass(frozen=True)
class EngineRequest:
    """What the user asked for; None is what the engine does by itself."""

    engine: str | None = None
    workers: int | None = None
    timeout_s: float | None = None
    address: str | None = None

    def __bool__(self) -> bool:
        return self != EngineRequest()

    def for_kind(self, kind: str) -> EngineRequest:
        """What of it is for a strategy of a kind: a supernet is trained in this process, whatever trials are."""
        return self if kind == "multi-trial" else EngineRequest()

    @property
    def flags(self) -> dict[str, Any]:
        """The words of `audionas search` and their values."""
        return {"--engine": self.engine, "--workers": self.workers, "--timeout": self.timeout_s,
                "--address": self.address}  # fmt: skip

    def beside(self, record: Mapping[str, Any]) -> EngineRequest:
        """This request, with what a run has on record where it says nothing; another engine has none of that."""
        if self.engine not in (None, record["engine"]):
            return self
        before = EngineRequest(record["engine"], **_recorded(record))
        return replace(before, **{name: value for name, value in asdict(self).items() if value is not None})


def engine_fields(request: EngineRequest, strategy: str, kind: str) -> dict[str, Any]:
    """`engine` and `engine_options` of a run, checked before any work.

    Raises:
        SettingsError: the engine is unknown, not installed, or cannot do this.
    """
    engine = request.engine or DEFAULT
    default = EngineOptions().workers if engine == DEFAULT else N_WORKERS
    workers = default if request.workers is None else request.workers
    options = EngineOptions(workers, request.timeout_s, request.address)
    check_engine(engine, options, strategy, kind)
    return {"engine": engine} | ({} if engine == DEFAULT else {"engine_options": asdict(options)})


def check_trial_engine(request: EngineRequest, threads: int | None, strategy: str) -> None:
    """Refuse, before any work, an engine for the searches by trials inside another run.

    There `--workers` are something else, and those of the engine are `--trial-workers`.

    Raises:
        SettingsError: the engine is unknown, not installed, or cannot do this.
    """
    try:
        engine_threads(engine_fields(request, strategy, "multi-trial"), threads)
    except SettingsError as why:
        raise SettingsError(str(why).replace("--workers", "--trial-workers")) from why


def engine_options(record: Mapping[str, Any]) -> EngineOptions:
    """The options that a run has on record."""
    return EngineOptions(**_recorded(record))


class _Recorded(Record):
    """`engine_options` of a run.json, which may have been edited by hand."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    workers: int = Field(default=1, ge=1)
    timeout_s: float | None = Field(default=None, gt=0)
    address: str | None = None


def _recorded(record: Mapping[str, Any]) -> dict[str, Any]:
    """The engine options on record, as they were written.

    Raises:
        SettingsError: an option is unknown or has a value that no option has.
    """
    found = record.get("engine_options", {})
    validate(_Recorded, found, f"{RUN_FILE}: engine_options")
    return dict(found)


def engine_line(record: Mapping[str, Any]) -> str:
    """What a person is told of the engine."""
    options = engine_options(record)
    where = "" if options.address is None else f" at {options.address}"
    limit = "" if options.timeout_s is None else f", each trial for {options.timeout_s:g} s at most"
    return f"engine: {record['engine']}{where}, {count_text(options.workers, 'worker')} with one thread each{limit}"


def engine_threads(fields: Mapping[str, Any], threads: int | None) -> int | None:
    """The threads to ask for: one where workers share the processor.

    Raises:
        SettingsError: more were asked for.
    """
    if fields["engine"] == DEFAULT:
        return threads
    if threads not in (None, 1):
        raise SettingsError(
            f"--threads: got {threads}; a worker of --engine {fields['engine']} has one, take more --workers"
        )
    return 1


def change_engine(run: RunFolder, fields: Mapping[str, Any]) -> None:
    """Let a search that is resumed run elsewhere, with all searches inside it that are not done."""
    for path in sorted(run.path.rglob(RUN_FILE)):
        inner = run if path.parent == run.path else RunFolder.open(path.parent)
        if inner.record["kind"] in ("search", "nested_search") and inner.record["status"] != "done":
            inner.record.pop("engine_options", None)
            inner.save(**fields)
