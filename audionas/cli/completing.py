"""What a shell offers behind an option, told without loading torch: it waits for the answer at every tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from audionas import shipped
from audionas.cli import names
from audionas.errors import AudionasError
from audionas.training.trackers import TRACKERS

Completer = Callable[[str], list[str]]


def complete(known: Iterable[str], *, is_list: bool = False) -> Completer:
    """Offers the names that begin as what is typed; of a comma-separated list, those not in it yet."""

    def offer(incomplete: str) -> list[str]:
        return offered(sorted(known), incomplete, is_list=is_list)

    return offer


def complete_shipped(shelf: shipped.Shelf, *, is_list: bool = False) -> Completer:
    """Offers the names of YAML files that ship; nothing where they are not found, so that the shell offers files."""

    def offer(incomplete: str) -> list[str]:
        try:
            return offered(shipped.names(shelf), incomplete, is_list=is_list)
        except AudionasError:
            return []

    return offer


def offered(known: Iterable[str], incomplete: str, *, is_list: bool = False) -> list[str]:
    """The names that go on with a beginning.

    >>> offered(["darts", "pc_darts", "random"], "darts,r", is_list=True)
    ['darts,random']
    """
    before, comma, begun = incomplete.rpartition(",") if is_list else ("", "", incomplete)
    taken = before.split(",")
    return [f"{before}{comma}{name}" for name in known if name.startswith(begun) and name not in taken]


spaces = complete_shipped("search_spaces")
strategies = complete_shipped("strategies")
strategy_lists = complete_shipped("strategies", is_list=True)
augmentations = complete_shipped("augmentations")
features = complete((*names.FEATURES, *(f"{name}:" for name in names.ENCODERS)))
datasets = complete(names.DATASETS)
baselines = complete(names.BASELINES)
baseline_lists = complete((*names.BASELINES, *names.PLAIN_BASELINES), is_list=True)
protocols = complete(names.PROTOCOLS)
tasks = complete(names.TASKS)
engines = complete(names.ENGINES)
papers = complete(names.PAPERS)
shelves = complete(names.SHELVES)
trackers = complete(TRACKERS)
