"""What a request for a search is refused for before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audionas.audio.folds import OuterSplit
from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError
from audionas.experiment.front_ends import candidate_extractors
from audionas.experiment.limits import refuse_unreachable
from audionas.experiment.prepare import common_rate
from audionas.experiment.search_plan import divide_search_clips
from audionas.features import load_features
from audionas.search import Strategy
from audionas.search.estimate import check_memory
from audionas.search.gradient_pass import graphs_are_on
from audionas.spaces import SearchSpace
from audionas.training.precision import checked_precision
from audionas.training.tasks import task_of

if TYPE_CHECKING:
    from audionas.experiment.search import SearchRequest


def check_computing(request: SearchRequest, strategy: Strategy) -> None:
    """Refuse a device that is not there, a precision that it or a supernet has not, and what is for supernets alone.

    Raises:
        SettingsError: says what is accepted; of `AUDIONAS_GRAPHS` too.
    """
    graphs_are_on()
    checked_precision(request.precision, request.device)
    is_supernet = strategy.kind == "one-shot"
    if request.precision == "16" and is_supernet:
        raise SettingsError("--precision 16: a supernet takes 32 or bf16, whose losses need no scaling")
    if request.recomputes and not is_supernet:
        raise SettingsError(f"--recompute: is for one-shot strategies; {strategy.name} trains one network at a time")


def check_plan(
    space: SearchSpace, strategy: Strategy, manifest: Manifest, splits: Sequence[OuterSplit], request: SearchRequest
) -> tuple[int, int, int]:
    """Refuse, before anything is written, parts that cannot be made and a batch that does not fit.

    Returns the largest input shape of the splits.

    Raises:
        ManifestError: too few groups for the parts.
        SettingsError: `--pick best` without a monitor part, or limits below the space's smallest network.
        RunError: the memory does not suffice.
    """
    extractors = candidate_extractors(space, load_features(request.features or space.features))
    inputs: set[tuple[tuple[int, int, int], int]] = set()
    for split in splits:
        parts = divide_search_clips(manifest, split, strategy, request.seed)
        strategy.check_pick(request.pick, bool(parts.get("monitor")))
        durations = [manifest.clips[row].duration_s for row in split.search]
        own = {key: each.of_split(split.name) for key, each in extractors.items()}
        resolved = {key: each.resolve(common_rate(manifest), durations) for key, each in own.items()}
        found = {(each.input_shape, each.length_samples) for each in resolved.values()}
        if not found <= inputs:
            refuse_unreachable(request.limits, space, resolved, task_of(manifest).n_outputs(manifest), request.device)
        inputs |= found
    if strategy.kind == "one-shot":
        n_outputs = task_of(manifest).n_outputs(manifest)
        for shape in sorted({shape for shape, _ in inputs}):
            check_memory(
                space, shape, n_outputs, strategy.batch_size, request.device, strategy.mixing(),
                recomputes=request.recomputes,
            )  # fmt: skip
    return max(shape for shape, _ in inputs)
