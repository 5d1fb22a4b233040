"""An evaluator arrives as it was, with its arrays beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from audionas.errors import RunError, SettingsError
from audionas.features import flat_file
from audionas.search.engines.packed import Packed, pack, unpack
from audionas.search.engines.shared_file import SharedFile
from audionas.search.evaluator import Score
from audionas.spaces import Genotype
from tests.search.test_evaluator import candidate, evaluator


@dataclass(frozen=True, eq=False)
class Holder:
    """An evaluator that holds things."""

    array: Any
    tensor: Tensor | None = None

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        raise NotImplementedError


def sent(packed: Packed) -> Any:
    """What another process has of it."""
    shared = SharedFile(packed.buffers)
    try:
        return unpack(packed.data, shared.buffers())
    finally:
        shared.close()
        shared.close()


def feature_file(path: Path, values: np.ndarray) -> np.ndarray:
    flat_file.create(path)
    flat_file.append(path, 0, [values])
    return flat_file.view(path, values.size)


def test_arrays_and_tensors_lie_beside_the_pickle_and_come_out_equal() -> None:
    rng = np.random.default_rng(0)
    array, tensor = rng.normal(size=(3, 1000)).astype(np.float32), torch.arange(2000).reshape(2, -1)
    packed = pack(Holder(array, tensor))
    assert len(packed.data) < 1000
    assert packed.n_bytes == 3 * 1000 * 4 + 2000 * 8
    found = sent(packed)
    np.testing.assert_array_equal(found.array, array)
    assert torch.equal(found.tensor, tensor)
    assert found.array.ctypes.data % 64 == 0
    assert found.tensor.data_ptr() % 64 == 0


def test_an_evaluator_without_arrays_and_with_an_empty_one_arrives() -> None:
    assert sent(pack(Holder("words"))).array == "words"
    assert sent(pack(Holder(np.empty(0)))).array.shape == (0,)


def test_what_one_process_writes_is_its_own() -> None:
    packed = pack(Holder(np.ones(5)))
    shared = SharedFile(packed.buffers)
    first, second = (unpack(packed.data, shared.buffers()) for _ in range(2))
    first.array[:] = 7  # type: ignore[attr-defined]
    assert second.array.tolist() == [1.0] * 5  # type: ignore[attr-defined]
    shared.close()


def test_the_trial_of_a_training_is_the_same_to_the_last_bit() -> None:
    there = sent(pack(evaluator())).evaluate(candidate(), epochs=1, seed=5)
    here = evaluator().evaluate(candidate(), epochs=1, seed=5)
    assert (there.ua, there.loss, there.balanced_loss) == (here.ua, here.loss, here.balanced_loss)


def test_cached_features_are_mapped_again_and_not_sent(tmp_path: Path) -> None:
    view = feature_file(tmp_path / "a.npy", np.arange(5000, dtype=np.float32))
    packed = pack(Holder(view))
    assert packed.n_bytes == 0
    found = sent(packed)
    assert isinstance(found.array, np.memmap)
    np.testing.assert_array_equal(found.array, np.arange(5000))


def test_part_of_a_mapped_file_and_features_for_another_machine_are_sent(tmp_path: Path) -> None:
    view = feature_file(tmp_path / "a.npy", np.arange(5000, dtype=np.float32))
    for packed, size in ((pack(Holder(view[10:30])), 20), (pack(Holder(view), same_machine=False), 5000)):
        assert packed.n_bytes == 4 * size
        (tmp_path / "a.npy").rename(tmp_path / "away.npy")
        assert len(sent(packed).array) == size
        (tmp_path / "away.npy").rename(tmp_path / "a.npy")
    np.testing.assert_array_equal(sent(pack(Holder(view[10:30]))).array, np.arange(10, 30))


def test_features_that_were_replaced_meanwhile_are_refused(tmp_path: Path) -> None:
    packed = pack(Holder(feature_file(tmp_path / "a.npy", np.arange(50, dtype=np.float32))))
    other = tmp_path / "other.npy"
    feature_file(other, np.arange(60, dtype=np.float32))
    other.replace(tmp_path / "a.npy")
    with pytest.raises(RunError, match=r"a\.npy: was replaced since the search began"):
        sent(packed)


def test_what_cannot_be_sent_is_named() -> None:
    with pytest.raises(SettingsError, match=r"Holder cannot be sent to another process .* --engine in_process"):
        pack(Holder(lambda: 0))
