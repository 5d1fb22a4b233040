"""Moments of a tensor are computed once, as long as it is not written to."""

from __future__ import annotations

import gc

import pytest
import torch

from audionas.kernels import library, native
from audionas.kernels.depthwise_pointwise import Taps, depthwise_pointwise
from audionas.kernels.halves import rectified_halves
from audionas.kernels.mixed_sum import mixed_sum
from audionas.kernels.pools import max_and_average_pool

pytestmark = pytest.mark.skipif(library() is None, reason="no compiler")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of how many tensors moments were computed, call by call."""
    found: list[int] = []
    real = native._computed

    def note(tensors: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        found.append(len(tensors))
        return real(tensors)

    monkeypatch.setattr(native, "_computed", note)
    return found


def test_a_term_of_several_nodes_is_read_once(computed: list[int]) -> None:
    term, other = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    first = mixed_sum(torch.ones(1), [term], [True])
    second = mixed_sum(torch.ones(2), [term, other], [True, True])
    assert computed == [1, 1]
    assert torch.equal(first[1][0], second[1][0])
    assert torch.equal(second[2][1], mixed_sum(torch.ones(1), [other], [True])[2][0])


def test_what_was_written_to_is_read_again(computed: list[int]) -> None:
    term = torch.randn(2, 3, 4, 5)
    mixed_sum(torch.ones(1), [term], [True])
    term.add_(1)
    _, mean, _ = mixed_sum(torch.ones(1), [term], [True])
    assert computed == [1, 1]
    torch.testing.assert_close(mean[0], term.mean(dim=(0, 2, 3)))


@pytest.mark.parametrize("size", [(7, 9), (1, 40), (33, 2), (16, 16)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_moments_come_with_what_a_stage_makes_and_are_right(
    size: tuple[int, int], dtype: torch.dtype, computed: list[int]
) -> None:
    x = torch.randn(3, 7, *size, dtype=dtype)
    taps = (Taps((3, 3), (1, 1), (1, 1)), Taps((5, 5), (2, 2), (4, 4)))
    filters, pointwise = [torch.randn(7, 1, *each.kernel, dtype=dtype) for each in taps], torch.randn(7, 7, 1, 1)
    values, _, _ = depthwise_pointwise([x], filters, [pointwise.to(dtype)] * 2, taps, 1, False)
    _, mean, variance = mixed_sum(torch.ones(2, dtype=dtype), values, [True, True])
    assert computed == []
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    for k, value in enumerate(values):
        torch.testing.assert_close(mean[k], value.mean(dim=(0, 2, 3)), rtol=tolerance, atol=tolerance)
        right = value.var(dim=(0, 2, 3), correction=0)
        torch.testing.assert_close(variance[k], right, rtol=tolerance, atol=tolerance)


def test_nothing_is_remembered_of_tensors_that_are_gone() -> None:
    before = len(native._known)
    term = torch.randn(2, 3, 4, 5)
    mixed_sum(torch.ones(1), [term], [True])
    assert len(native._known) == before + 1
    del term
    gc.collect()
    assert len(native._known) <= before


def test_tensors_without_values_give_tensors_without_values() -> None:
    x = torch.empty(2, 3, 8, 9, device="meta", requires_grad=True)
    filters = torch.empty(3, 1, 3, 3, device="meta", requires_grad=True)
    values, mean, variance = depthwise_pointwise(
        [x], [filters], [torch.empty(3, 3, 1, 1, device="meta")], [Taps((3, 3), (1, 1), (1, 1))], 2, True
    )
    pooled, halves = max_and_average_pool(x, 2), rectified_halves(x)
    total, *_ = mixed_sum(torch.empty(5, device="meta"), [*values, *pooled, *halves], [True] * 5)
    total.sum().backward()
    found = [*values, mean, variance, *pooled, *halves, total, x.grad, filters.grad]
    assert all(each is not None and each.is_meta for each in found)
    assert (total.shape, mean.shape) == ((2, 3, 4, 5), (1, 3))
