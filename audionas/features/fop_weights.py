"""The file that a pre-training leaves: weights, statistics of its frames, and what it was trained on.

`weights.safetensors` holds `encoder.*` and `output.*` of the network, `normaliser.mean` and `normaliser.std`, each
(bands,), and one text of metadata, `audionas`: the sizes, the features, and which audio was read. Nothing in it is
unpickled or evaluated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field
from safetensors import safe_open
from safetensors.torch import load, save
from torch import Tensor

from audionas.errors import SettingsError
from audionas.features.encoder_files import LOAD_ERRORS
from audionas.features.fop_network import FopEncoder, FopSizes, NextFrame
from audionas.records import Record, to_json, validate, write_bytes

WEIGHTS_FILE = "weights.safetensors"
_METADATA = "audionas"
_MEAN, _STD = "normaliser.mean", "normaliser.std"


class FopFacts(Record):
    """What a file of weights says of itself.

    `trained_on` is one line for people; `groups_read` has the form that it has in a genotype's provenance.
    """

    sizes: FopSizes
    features: dict[str, Any]
    trained_on: str = Field(max_length=2000)
    groups_read: tuple[dict[str, Any], ...] = ()
    speaker_independence_checked: bool = False


@dataclass(frozen=True)
class FopWeights:
    """A pre-trained network in eval mode, with the mean and standard deviation, (bands,), of the frames it met."""

    facts: FopFacts
    network: NextFrame
    mean: Tensor
    std: Tensor
    sha256: str

    @property
    def encoder(self) -> FopEncoder:
        """The network without its output layer."""
        return self.network.encoder


def save_fop_weights(path: Path, network: NextFrame, mean: Tensor, std: Tensor, facts: FopFacts) -> str:
    """Write the file atomically; returns its sha256."""
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    state |= {_MEAN: mean.flatten().contiguous(), _STD: std.flatten().contiguous()}
    data = save(state, {_METADATA: to_json(facts.model_dump(mode="json"))})
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def load_fop_weights(path: Path) -> FopWeights:
    """The network of a file that `audionas pretrain` left.

    Raises:
        SettingsError: the file is missing, damaged, or something else.
    """
    if not path.is_file():
        raise SettingsError(f"{path}: no such weights; give the {WEIGHTS_FILE} that audionas pretrain left")
    try:
        data = path.read_bytes()
        state = load(data)
        facts = read_fop_facts(path)
        mean, std = state.pop(_MEAN), state.pop(_STD)
        network = NextFrame(facts.sizes.encoder(len(mean)))
        network.load_state_dict(state)
    except LOAD_ERRORS as why:
        raise _not_ours(path, why) from why
    network.eval().requires_grad_(False)
    return FopWeights(facts, network, mean.float(), std.float(), hashlib.sha256(data).hexdigest())


def read_fop_facts(path: Path) -> FopFacts:
    """What a file of weights says of itself, without its tensors.

    Raises:
        SettingsError: the file is missing, damaged, or something else.
    """
    try:
        with safe_open(path, "pt") as stream:
            metadata: Mapping[str, str] = stream.metadata() or {}
        return validate(FopFacts, json.loads(metadata[_METADATA]), str(path))
    except LOAD_ERRORS as why:
        raise _not_ours(path, why) from why


def _not_ours(path: Path, why: BaseException) -> SettingsError:
    reason = " ".join(str(why).split())[:120]
    return SettingsError(f"{path}: not the weights of a pre-training ({reason}); give what audionas pretrain left")


__all__ = ["WEIGHTS_FILE", "FopFacts", "FopWeights", "load_fop_weights", "read_fop_facts", "save_fop_weights"]
