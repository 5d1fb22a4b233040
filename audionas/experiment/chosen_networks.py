"""Which networks of a retraining `predict` and `export --to onnx` take, and a scorer made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.exchange.scored_input import ScoredInput
from audionas.exchange.scoring_network import ScoringEnsemble, ScoringNetwork
from audionas.exchange.torch_scorer import TorchScorer
from audionas.experiment.evaluated_networks import EvaluatedNetwork, final_network, finished_retraining, fold_networks
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.trained_network import WEIGHTS_FILE, load_network
from audionas.features import extractor_from_settings
from audionas.models.cnn_network import CnnNetwork
from audionas.records import to_json
from audionas.spaces.genotype_file import genotype_document


@dataclass(frozen=True)
class Choice:
    """Networks by what the user said: the final model unless `ensemble`, or `fold` with or without `seed`."""

    ensemble: bool = False
    fold: str | None = None
    seed: int | None = None

    def refuse_contradictions(self) -> None:
        """Refuse options that exclude each other.

        Raises:
            SettingsError: they do.
        """
        if self.ensemble and self.fold is not None:
            raise SettingsError("--ensemble and --fold: give one of them; --ensemble takes all folds")
        if self.seed is not None and not self.ensemble and self.fold is None:
            raise SettingsError("--seed: is for --fold and --ensemble; the final model has one seed")

    @property
    def name(self) -> str:
        """What a file of these networks is called."""
        if not self.ensemble and self.fold is None:
            return "final"
        kind = "ensemble" if self.ensemble else f"fold_{self.fold}"
        return kind if self.seed is None else f"{kind}_seed_{self.seed}"


@dataclass(frozen=True)
class ChosenNetworks:
    """The retraining, and those of its networks that were asked for and have weights; `diverged` have none."""

    run: RunFolder
    networks: tuple[EvaluatedNetwork, ...]
    diverged: tuple[str, ...] = ()


def choose_networks(path: Path, choice: Choice) -> ChosenNetworks:
    """The networks of the retraining in a folder, or of the only one in a search's folder.

    Raises:
        SettingsError: options that exclude each other, or no such fold or seed.
        RunError: there is no finished retraining, no final model, or no network with weights.
    """
    choice.refuse_contradictions()
    run = finished_retraining(path)
    final = final_network(run)
    if not choice.ensemble and choice.fold is None:
        if final is None:
            raise RunError(
                f"{run.path}: has no final model; make one with audionas retrain --final, or take --ensemble (all "
                f"folds' networks, averaged) or --fold K (the network of one; folds: {', '.join(_folds(run))})"
            )
        return _with_weights(run, [final])
    return _with_weights(run, _of_folds(run, choice))


def _of_folds(run: RunFolder, choice: Choice) -> list[EvaluatedNetwork]:
    seeds, folds = run.record["seeds"], _folds(run)
    if choice.fold is not None and choice.fold not in folds:
        raise SettingsError(f"--fold: got {choice.fold!r}; {run.path} has: {', '.join(folds)}")
    if choice.seed is not None and choice.seed not in seeds:
        raise SettingsError(f"--seed: got {choice.seed}; {run.path} has: {', '.join(map(str, seeds))}")
    wanted_folds = folds if choice.fold is None else [choice.fold]
    wanted_seeds = seeds if choice.ensemble else seeds[:1]
    if choice.seed is not None:
        wanted_seeds = [choice.seed]
    names = {f"{split_folder(fold)}/seed_{seed}" for fold in wanted_folds for seed in wanted_seeds}
    return [network for network in fold_networks(run) if network.name in names]


def _folds(run: RunFolder) -> list[str]:
    return [split.name for split in outer_splits(Manifest.read(run.path))]


def _with_weights(run: RunFolder, networks: Sequence[EvaluatedNetwork]) -> ChosenNetworks:
    there = [network for network in networks if (network.folder / WEIGHTS_FILE).is_file()]
    left_out = tuple(network.name for network in networks if network not in there)
    if not there:
        raise RunError(
            f"{run.path}: {', '.join(left_out)} without {WEIGHTS_FILE}: the training diverged, or its weights were "
            "removed; take other networks, or retrain"
        )
    return ChosenNetworks(run, tuple(there), left_out)


def scorer_of(chosen: ChosenNetworks, device: str = "cpu") -> TorchScorer:
    """A scorer of these networks: their mean where there are several.

    Raises:
        RunError: weights are damaged, or of another network.
    """
    manifest = Manifest.read(chosen.run.path)
    auxiliary = bool(chosen.run.record["options"]["auxiliary"])
    groups: dict[str, list[tuple[EvaluatedNetwork, ScoringNetwork]]] = {}
    for network in chosen.networks:
        shape = extractor_from_settings(network.features, str(network.folder)).input_shape
        loaded = load_network(network.folder, network.source.genotype, manifest, shape, auxiliary=auxiliary)
        scoring = ScoringNetwork(loaded.network, loaded.normaliser, loaded.task)
        groups.setdefault(to_json(network.features), []).append((network, scoring))
    members = list(groups.values())
    inputs = tuple(_input(group, number, len(members)) for number, group in enumerate(members, start=1))
    ensemble = ScoringEnsemble(
        [[scoring for _, scoring in group] for group in members], [given.lengths is not None for given in inputs]
    )
    longest_s = max(clip.duration_s for clip in manifest.clips)
    return TorchScorer(
        manifest.task, manifest.labels, inputs, longest_s, ensemble.eval().requires_grad_(False).to(device), device
    )


def _input(group: Sequence[tuple[EvaluatedNetwork, ScoringNetwork]], number: int, n_inputs: int) -> ScoredInput:
    settings: Mapping[str, Any] = group[0][0].features
    extractor = extractor_from_settings(dict(settings), "features")
    end = "" if n_inputs == 1 else f"_{number}"
    return ScoredInput(
        features=f"features{end}",
        lengths=f"lengths{end}" if extractor.mask_padding else None,
        scores=f"scores{end}",
        settings=dict(settings),
        shape=extractor.input_shape,
        networks=tuple(network.name for network, _ in group),
        is_any_length=all(takes_any_length(scoring.network, extractor.mask_padding) for _, scoring in group),
    )


def takes_any_length(network: nn.Module, is_masked: bool) -> bool:
    """Whether a network can be fed another number of frames than it was built for.

    Networks of CNN cells tell own output frames by the number of frames that they were built for.
    """
    return not (is_masked and isinstance(network, CnnNetwork))


def genotypes_of(chosen: ChosenNetworks) -> dict[str, dict[str, Any]]:
    """The genotypes of these networks by their hash, without provenance: it names speakers' hashes and places."""
    found = {}
    for network in chosen.networks:
        document = genotype_document(network.source.genotype)
        found[document["hash"]] = {key: value for key, value in document.items() if key != "provenance"}
    return found
