"""audionas: neural architecture search for audio.

Cheap to import: torch, NNI and Lightning load when a name that needs them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audionas.estimators import AudioNASClassifier
    from audionas.models import build_model
    from audionas.opened_runs import Run, open_run
    from audionas.search import Strategy, load_strategy, run_search
    from audionas.spaces import CnnGenotype, Genotype, SearchSpace, load_search_space
    from audionas.spaces.genotype_file import load_genotype, save_genotype

__version__ = "0.1.0"

_HOMES = {
    "AudioNASClassifier": "audionas.estimators",
    "Run": "audionas.opened_runs",
    "open_run": "audionas.opened_runs",
    "load_search_space": "audionas.spaces",
    "SearchSpace": "audionas.spaces",
    "Genotype": "audionas.spaces",
    "CnnGenotype": "audionas.spaces",
    "load_genotype": "audionas.spaces.genotype_file",
    "save_genotype": "audionas.spaces.genotype_file",
    "build_model": "audionas.models",
    "load_strategy": "audionas.search",
    "Strategy": "audionas.search",
    "run_search": "audionas.search",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


__all__ = [
    "AudioNASClassifier", "CnnGenotype", "Genotype", "Run", "SearchSpace", "Strategy", "build_model", "load_genotype",
    "load_search_space", "load_strategy", "open_run", "run_search", "save_genotype",
]  # fmt: skip
