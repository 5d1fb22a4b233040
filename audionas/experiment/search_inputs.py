"""What a search was asked for, as its run folder keeps it: space.yaml, strategy.yaml, the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.search_plan import yaml_text
from audionas.records import parse_yaml, write_text
from audionas.search import Strategy
from audionas.search.strategy import strategy_from_settings
from audionas.spaces import SearchSpace, space_from_settings

KINDS = ("search", "nested_search")


def read_inputs(path: Path) -> tuple[SearchSpace, Strategy, Manifest]:
    """Space, strategy and manifest as a run folder holds them."""
    run = RunFolder.open(path, *KINDS)
    texts: dict[str, dict[str, Any]] = {}
    for name in ("space", "strategy"):
        file = path / f"{name}.yaml"
        if not file.is_file():
            raise RunError(f"{file}: missing; the run was stopped before it began, start it anew")
        texts[name] = parse_yaml(file.read_text(encoding="utf-8"), str(file))
    space = space_from_settings(texts["space"], run.record["space"], str(path / "space.yaml"))
    strategy = strategy_from_settings(texts["strategy"], run.record["strategy"], str(path / "strategy.yaml"))
    if strategy.algorithm != run.record.get("algorithm", strategy.algorithm):
        raise RunError(
            f"{path / 'strategy.yaml'}: has algorithm {strategy.algorithm!r}, but the run began with "
            f"{run.record['algorithm']!r}; put its strategy back, or start another run"
        )
    return space, strategy, Manifest.read(path)


def write_inputs(path: Path, space: SearchSpace, strategy: Strategy, manifest: Manifest) -> None:
    """Leave them in a run folder."""
    manifest.write(path)
    write_text(path / "space.yaml", yaml_text(space.to_settings()))
    write_text(path / "strategy.yaml", yaml_text(strategy.to_settings()))
