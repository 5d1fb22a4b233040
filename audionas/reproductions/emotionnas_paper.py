"""What EmotionNAS reports, and which of its sizes a rebuilt network confirms.

Source: Sun, Lian, Liu, Tao 2022 (arXiv 2203.13617v1), tables 1 to 4. All figures here are the paper's, UA in
percent on improvised IEMOCAP, 4 classes, leave-one-session-out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from audionas.models import FrameNetwork, n_parameters
from audionas.models.cnn_supernet import CnnSupernet
from audionas.spaces import CnnCellSpace, load_search_space
from audionas.spaces.emotionnas_presets import EMOTIONNAS_PRESETS
from audionas.training.fusion import FusionMlp

TABLE_1: Mapping[str, float] = {
    "CNN-LSTM": 62.0, "RNN-ELM": 63.9, "CNN-GRU": 64.2, "CTC-RNN": 66.2, "PCNSE-SADRN-CTC": 66.3, "EmotionNAS": 72.8,
}  # fmt: skip
TABLE_2: Mapping[str, tuple[str, float]] = {
    "spectrogram": ("0.13M", 63.5), "frames": ("2.23M", 70.3), "fused": ("2.36M", 72.8),
}  # fmt: skip
TABLE_3: Mapping[tuple[int, int], tuple[str, float]] = {
    (3, 4): ("0.07M", 58.7), (3, 6): ("0.13M", 63.5), (4, 8): ("0.35M", 62.3), (8, 16): ("1.32M", 62.1),
}  # fmt: skip
TABLE_4: Mapping[tuple[int, int], tuple[str, float]] = {(1, 128): ("0.36M", 69.4), (2, 256): ("2.23M", 70.3)}
N_CLASSES = 4
WAV2VEC_WIDTH = 512
SPECTROGRAM = (1, 140, 140)


@dataclass(frozen=True)
class Claim:
    """A size that the paper prints, what we count, and whether the two agree."""

    what: str
    paper: str
    counted: int
    is_confirmed: bool
    remark: str = ""

    def record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "what": self.what,
            "paper": self.paper,
            "counted": self.counted,
            "confirmed": self.is_confirmed,
            "remark": self.remark,
        }


def claims() -> list[Claim]:
    """Every parameter count of the paper, rebuilt and counted; no weights are made (torch's meta device)."""
    found = [
        _claim(f"table 3, supernet L={L}, C={C}", paper, supernet_parameters(L, C))
        for (L, C), (paper, _) in TABLE_3.items()
    ]
    at_six = supernet_parameters(6, 16)
    found[-1] = Claim(
        found[-1].what, found[-1].paper, found[-1].counted, False,
        f"the paper's 1.32M is the supernet at L=6, C=16, which has {at_six:,}",
    )  # fmt: skip
    for name in EMOTIONNAS_PRESETS:
        for (n_layers, hidden), (paper, _) in TABLE_4.items():
            counted = frame_parameters(name, n_layers, hidden)
            what = f"table 4, {name} reading, L={n_layers}, h={hidden}, attention not counted"
            found.append(_claim(what, paper, counted))
    found.append(_claim("fusion MLP (8,8), (8,4), (4,4)", "128 (by its layer sizes)", fusion := fusion_parameters(2)))
    spectrogram, frames = supernet_parameters(3, 6), frame_parameters("bidirectional", 2, 256)
    found.append(_claim("table 2, both streams and fusion", "2.36M", spectrogram + frames + fusion))
    return found


def supernet_parameters(n_cells: int, channels: int) -> int:
    """Trainable parameters of the paper's supernet, alphas not counted: 1-channel input, 4 classes."""
    space = load_search_space("darts_cnn")
    assert isinstance(space, CnnCellSpace)
    macro = space.macro.model_copy(update={"n_cells": n_cells, "channels": channels})
    with torch.device("meta"):
        return n_parameters(CnnSupernet(space, macro, SPECTROGRAM, N_CLASSES))


def frame_parameters(preset: str, n_layers: int, hidden: int) -> int:
    """Trainable parameters of a reading of table 4 on 512-d frames, attention pooling not counted."""
    genotype = EMOTIONNAS_PRESETS[preset]
    values = genotype.macro.model_dump(exclude={"causal"}) | {"n_layers": n_layers, "hidden": hidden}
    with torch.device("meta"):
        network = FrameNetwork(genotype, WAV2VEC_WIDTH, N_CLASSES, **values)
        return n_parameters(network) - n_parameters(network.pooling)


def fusion_parameters(n_streams: int, n_classes: int = N_CLASSES) -> int:
    """Trainable parameters of the fusion MLP."""
    return n_parameters(FusionMlp(n_streams, n_classes))


def _claim(what: str, paper: str, counted: int) -> Claim:
    """Confirmed when the count, rounded as the paper rounds, reads the same."""
    number = paper.split()[0]
    same = f"{counted / 1e6:.2f}M" == number if number.endswith("M") else str(counted) == number
    return Claim(what, paper, counted, same)
