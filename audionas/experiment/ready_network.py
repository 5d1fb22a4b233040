"""`ReadyNetwork`: a trained network with the features and labels of its training, ready for new audio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audionas.audio.manifest import TASK_NAMES, Manifest
from audionas.audio.waveform import load_waveform
from audionas.errors import AudioError, RunError
from audionas.experiment.trained_network import TrainedNetwork, load_network
from audionas.features import Extractor, extractor_from_settings
from audionas.records import read_json, write_json
from audionas.spaces import Genotype
from audionas.spaces.genotype_file import read_genotype_file
from audionas.training.batches import ClipTensors
from audionas.training.scoring import score_rows

MODEL_FILE = "model.json"
_AT_A_TIME = 256  # clips whose features are in memory together
_BATCH = 64


@dataclass(frozen=True)
class _Blocks:
    """Features of some clips as rows."""

    blocks: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.blocks[row]


class ReadyNetwork(nn.Module):
    """A trained network in eval mode, with its extractor, the statistics of its training clips, and its labels.

    As a module it takes features as the extractor gives them, and standardises them itself.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, trained: TrainedNetwork, genotype: Genotype, extractor: Extractor, labels: Sequence[str]
    ) -> None:
        super().__init__()
        self.genotype, self.extractor, self.labels = genotype, extractor, tuple(labels)
        self.task, self._trained = trained.task, trained
        self.network = trained.network
        self.register_buffer("mean", torch.from_numpy(trained.normaliser.mean).to(trained.device))
        self.register_buffer("std", torch.from_numpy(trained.normaliser.std).to(trained.device))
        self.eval()

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits (batch, classes) of one window each.

        Args:
            features: (batch, channels, features, frames) float32 of the network's own width, not standardised.
            lengths: (batch,) int64, frames that are not padding; of a network whose features mask padding.
        """
        x = (features - self.mean) / self.std
        if lengths is None:
            return torch.as_tensor(self.network(x))
        own = torch.arange(x.shape[3], device=x.device) < lengths[:, None, None, None]
        return torch.as_tensor(self.network(x * own, lengths))

    def scores(self, waveforms: Iterable[np.ndarray]) -> np.ndarray:
        """Scores (clips, labels) float64, averaged over the windows of each clip; probabilities of a classification.

        Args:
            waveforms: each (samples,) float32 at `extractor.rate_hz`.

        Raises:
            AudioError: a waveform is too short for the features.
        """
        return self._scored(self._features(waveform) for waveform in waveforms)

    def scores_of_files(self, paths: Iterable[str | Path]) -> np.ndarray:
        """As `scores`, of audio files of any format and rate.

        Raises:
            AudioError: a file is missing, damaged or too short; with its path.
        """
        return self._scored(self._features_of_file(Path(path)) for path in paths)

    def _features_of_file(self, path: Path) -> tuple[np.ndarray, int]:
        try:
            return self._features(load_waveform(path, self.extractor.rate_hz))
        except AudioError as why:  # an extractor does not know the file
            raise why if str(why).startswith(str(path)) else AudioError(f"{path}: {why}") from why

    def _features(self, waveform: np.ndarray) -> tuple[np.ndarray, int]:
        """Features of a clip, rounded as a cache keeps them, and how many of its frames are its own."""
        block = self.extractor(waveform).astype(self.extractor.stored_dtype).astype(np.float32)
        return block, self.extractor.own_frames(len(waveform))

    def _scored(self, clips: Iterable[tuple[np.ndarray, int]]) -> np.ndarray:
        given, parts = iter(clips), [np.zeros((0, len(self.labels)))]
        while chunk := list(islice(given, _AT_A_TIME)):
            blocks, own = zip(*chunk, strict=True)
            tensors = ClipTensors(
                _Blocks(blocks),
                np.zeros(len(blocks), dtype=np.int64),
                self._trained.normaliser,
                self.extractor.input_shape[2],
                self.extractor.test_windows,
                np.array(own, dtype=np.int64) if self.extractor.mask_padding else None,
                test_shift=self.extractor.test_shift,
            )
            rows = range(len(blocks))
            parts.append(score_rows(self.network, tensors, rows, self.task, batch_size=_BATCH, device=self.mean.device))
        return np.concatenate(parts)


def load_final(folder: Path, device: str = "cpu", *, auxiliary: bool = False) -> ReadyNetwork:
    """The model that `retrain --final` left: `model.json` and `weights.safetensors` of a folder.

    Raises:
        RunError: a file is missing, damaged, or they do not fit each other.
        GenotypeError: the genotype in `model.json` is damaged.
    """
    path = folder / MODEL_FILE
    model = read_json(path, "model file")
    needed = {"genotype": dict, "features": dict, "labels": list, "task": str}
    if not isinstance(model, dict) or model.get("schema_version") != 1:
        raise RunError(f"{path}: not a model file of version 1 (damaged, or from a newer audionas)")
    wrong = [key for key, kind in needed.items() if not isinstance(model.get(key), kind)]
    if wrong or model["task"] not in TASK_NAMES or not all(isinstance(label, str) for label in model["labels"]):
        raise RunError(f"{path}: damaged ({', '.join(wrong) or 'labels or task'}); run audionas retrain --final again")
    described = Manifest(root=folder, clips=(), labels=tuple(model["labels"]), task=model["task"])
    genotype = _genotype(model["genotype"])
    return ready_network(folder, genotype, model["features"], described, device, auxiliary=auxiliary)


def ready_network(
    folder: Path,
    genotype: Genotype,
    features: dict[str, Any],
    manifest: Manifest,
    device: str = "cpu",
    *,
    auxiliary: bool = False,
) -> ReadyNetwork:
    """The network whose weights lie in a folder; of the manifest only task and labels count.

    Raises:
        RunError: the weights are missing, damaged, or of another network.
    """
    extractor = extractor_from_settings(features, str(folder))
    trained = load_network(folder, genotype, manifest, extractor.input_shape, auxiliary=auxiliary, device=device)
    return ReadyNetwork(trained, genotype, extractor, manifest.labels)


def _genotype(document: dict[str, Any]) -> Genotype:
    """The genotype of a document, read with all the checks of a file."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "genotype.json"
        write_json(path, document)
        return read_genotype_file(path).genotype
