"""Hard limits of a search: refused before it begins where no network can meet them, told and recorded at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.errors import SettingsError
from audionas.experiment.corpus import Corpus
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.features import Extractor, extractor_from_settings
from audionas.models.meter import Meter, Place
from audionas.quantities import count_text
from audionas.records import read_jsonl
from audionas.search.front_end_meter import front_end_meter
from audionas.search.limits import LimitCheck, Limits
from audionas.search.limits_smallest import smallest_within
from audionas.search.strategy import Strategy
from audionas.search.trials import FILE_NAME as TRIALS_FILE
from audionas.spaces import CnnCellSpace, Genotype, SearchSpace


def refuse_unreachable(
    limits: Limits, space: SearchSpace, extractors: Mapping[str, Extractor], n_outputs: int, device: str
) -> None:
    """Refuse limits that no network of the space can meet on these (resolved) features, by key of the front-end.

    Raises:
        SettingsError: with the smallest size that the space can reach.
    """
    if limits:
        smallest_within(limits, space, _meter(extractors, n_outputs, device))


def refuse_steering(strategy: Strategy, limits: Limits, space: SearchSpace) -> None:
    """Refuse a strategy that steers by costs where there is no limit to steer by.

    Raises:
        SettingsError: neither parameters nor MACs are limited, or the space has no CNN cells.
    """
    if not strategy.cost_weight:
        return
    if limits.max_parameters is None and limits.max_macs_per_second is None:
        raise SettingsError(
            f"strategy {strategy.name!r}: cost_weight steers by the costs that are limited; give --max-parameters or "
            "--max-macs-per-second, or remove it"
        )
    if not isinstance(space, CnnCellSpace):
        raise SettingsError(
            f"strategy {strategy.name!r}: cost_weight is for spaces of CNN cells, {space.name!r} is of kind "
            f"{space.kind!r}; remove it"
        )


def limit_check(record: Mapping[str, Any], corpora: Mapping[str, Corpus], n_outputs: int) -> LimitCheck | None:
    """The limits in a run's record, to be measured on its features and device; None without limits."""
    limits = Limits.of_record(record.get("limits"))
    if not limits:
        return None
    extractors = {key: extractor_from_settings(corpus.settings, "features") for key, corpus in corpora.items()}
    return LimitCheck(limits, _meter(extractors, n_outputs, str(record["device"])))


def _meter(extractors: Mapping[str, Extractor], n_outputs: int, device: str) -> Meter:
    return front_end_meter({key: Meter(Place(each, n_outputs, device)) for key, each in extractors.items()})


def record_costs(run: RunFolder, check: LimitCheck, genotype: Genotype, talk: Talk) -> None:
    """Save and tell what the network found costs, beside its limits, and how many candidates were over them."""
    costs = check.costs(genotype)
    refused = [line["reason"] for line in read_jsonl(run.path / TRIALS_FILE) if line["event"] == "refused"]
    run.save(network_costs=costs, **({"refused": len(refused)} if refused else {}))
    if refused:
        talk.say(f"{count_text(len(refused), 'candidate')} over the limits, not trained (e.g. {refused[0]})")
    line = f"{costs['parameters']:,} parameters, {costs['macs_per_second']:,.0f} MACs per second of audio, "
    line += f"{costs['memory_mb']:.3g} MB memory of inference"
    if "latency" in costs:
        line += f", {check.meter.latency(genotype)}"
    talk.say(f"network: {line}; limits: {check.limits}")
