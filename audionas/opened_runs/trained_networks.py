"""The trained networks of a retraining, ready for inference: the final model, or that of a fold and a seed."""

from __future__ import annotations

from pathlib import Path

from audionas.audio.folds import split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.final_model import FINAL
from audionas.experiment.genotype_sources import read_source, source_features
from audionas.experiment.ready_network import MODEL_FILE, ReadyNetwork, load_final, ready_network
from audionas.experiment.run_folder import RunFolder


def trained_network(folder: Path, fold: str | None, seed: int, device: str) -> ReadyNetwork:
    """The final model where no fold is named, else the network that was tested on a fold.

    Raises:
        RunError: there is no final model and no fold is named, no such fold or seed, or no weights.
    """
    run = RunFolder.open(folder, "retrain")
    auxiliary = bool(run.record["options"]["auxiliary"])
    if fold is None:
        if not (folder / FINAL / MODEL_FILE).is_file():
            raise RunError(
                f"{folder}: has no final model (audionas retrain --final makes one); name a test fold, as in "
                f"model(fold={_folds(run)[0]!r}), of: {', '.join(_folds(run))}"
            )
        return load_final(folder / FINAL, device, auxiliary=auxiliary)
    if str(fold) not in _folds(run):
        raise RunError(f"{folder}: no test fold {str(fold)!r}; there are: {', '.join(_folds(run))}")
    if seed not in run.record["seeds"]:
        raise RunError(f"{folder}: no seed {seed}; there are: {', '.join(map(str, run.record['seeds']))}")
    source = read_source(folder / split_folder(str(fold)) / "genotype.json")
    place = folder / split_folder(str(fold)) / f"seed_{seed}"
    manifest = Manifest.read(folder)
    return ready_network(place, source.genotype, source_features(source), manifest, device, auxiliary=auxiliary)


def _folds(run: RunFolder) -> list[str]:
    return [str(name) for name in run.record["genotypes"]]
