"""How a trained supernet scores sub-networks: one genotype after another, with the supernet's own weights.

Source: Yu et al. 2020, "Evaluating the Search Phase of Neural Architecture Search" (ICLR): shared weights may rank
architectures differently from training them alone, so their ranking has to be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from audionas.errors import RunError
from audionas.models import Mixing, Supernet, build_supernet
from audionas.models.supernet import batch_statistics
from audionas.search.epoch_log import SCORE_BATCH
from audionas.search.evaluator import SearchData
from audionas.seeding import generator
from audionas.spaces import Genotype, SearchSpace
from audionas.training.checkpoint import FILE_NAME, load_checkpoint
from audionas.training.scoring import predict_clips

_PREFIX = "training_module._model.decisions.network."  # where NNI's Lightning module holds our supernet


def load_supernet(run: Path, space: SearchSpace, data: SearchData, mixing: Mixing | None = None) -> Supernet:
    """The supernet at the last epoch of a one-shot search, from the checkpoint in its run folder.

    Raises:
        RunError: the checkpoint is missing, damaged, or of another space.
    """
    path = run / "checkpoint" / FILE_NAME
    state = load_checkpoint(path)
    if state is None:
        raise RunError(f"{path}: missing, so the supernet's weights are not known; search again")
    supernet = build_supernet(space, data.input_shape, data.n_outputs, mixing)
    own = {k.removeprefix(_PREFIX): v for k, v in state["module"].items() if k.startswith(_PREFIX)}
    try:
        supernet.load_state_dict(own)
    except RuntimeError as why:
        raise RunError(f"{path}: holds other weights than a supernet of this run's space; search again") from why
    return supernet


def supernet_score(supernet: Supernet, genotype: Genotype, data: SearchData, part: str, seed: int) -> float:
    """UA (the task's main score) of the sub-network of a genotype on a part, with batch statistics of the scored clips.

    The order of the clips, and so the batches, is keyed by (seed, "rank", "score"): the same for each genotype.
    """
    rows: Sequence[int] = data.parts[part]
    order = list(rows)
    generator(seed, "rank", "score").shuffle(order)

    def sub_network(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return supernet(x, lengths, genotype)  # type: ignore[no-any-return]

    device = supernet.weights_device
    with batch_statistics(supernet):
        found = predict_clips(
            sub_network, data.tensors, data.manifest, order, data.task, part=part, batch_size=SCORE_BATCH, device=device
        )
    return data.task.metrics(found.truth, found.scores, found.labels).primary.value
