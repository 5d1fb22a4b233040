"""`BestEpoch`: keeps the weights of the epoch that scored highest on the validation rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from audionas.audio.manifest import Manifest
from audionas.records import write_bytes
from audionas.training.batches import ClipTensors
from audionas.training.checkpoint import FILE_NAME, load_checkpoint
from audionas.training.scoring import predict_clips
from audionas.training.tasks import TaskSeam

VALIDATION = "validation"


class BestEpoch:
    """Keeps the weights of the best validation epoch: highest UA (the task's main score), of equals the first.

    Args:
        part: name of the part that these rows are; the history has its score as `<part>_ua` (`_map`, `_ccc`).
    """

    def __init__(
        self,
        path: Path,
        network: nn.Module,
        tensors: ClipTensors,
        manifest: Manifest,
        rows: Sequence[int],
        task: TaskSeam,
        part: str = VALIDATION,
    ) -> None:
        self.path, self._network, self._tensors, self._manifest = path, network, tensors, manifest
        self._rows, self._task = rows, task
        self._highest, self.epoch = -math.inf, 0
        self.key, self._part = f"{part}_{task.main}", part

    def look(self, record: dict[str, float]) -> None:
        """Score the validation rows; keep the weights if they are the best so far."""
        self._network.eval()
        device = next(self._network.parameters()).device
        found = predict_clips(
            self._network, self._tensors, self._manifest, self._rows, self._task, part=self._part, device=device
        )
        self._network.train()
        record[self.key] = self._task.metrics(found.truth, found.scores, found.labels).primary.value
        if record[self.key] > self._highest:
            self._highest, self.epoch = record[self.key], int(record["epoch"])
            state = weights(self._network)
            state[self.key] = torch.tensor(self._highest, dtype=torch.float64)
            state["epoch"] = torch.tensor(self.epoch)
            write_bytes(self.path, save(state))

    def resume(self) -> None:
        """Remember, after a restart, how good the kept weights are and of which epoch.

        They may be of an epoch that is trained again: on a GPU not to the same bits, so what is kept counts, and
        not the history.
        """
        if self.path.exists():
            kept = load_file(self.path)
            self._highest, self.epoch = float(kept[self.key]), int(kept["epoch"])


def restore(network: nn.Module, folder: Path, best: BestEpoch, history: Sequence[Mapping[str, float]]) -> None:
    """Put the chosen weights into the network: the best epoch's, or (after a late kill) the checkpoint's."""
    if best.key in history[-1]:
        state = load_file(best.path)
        del state[best.key], state["epoch"]
        network.load_state_dict(state)
        return
    saved = load_checkpoint(folder / "checkpoint" / FILE_NAME)
    if saved is not None and saved["epoch"] == len(history):
        network.load_state_dict({name.removeprefix("_model."): value for name, value in saved["module"].items()})


def weights(network: nn.Module) -> dict[str, Tensor]:
    """The state of a network on the CPU, as safetensors keeps it."""
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
