"""A node's sum equals torch's BN, products and additions, and keeps nothing but its terms."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from audionas.kernels import library, native
from audionas.kernels.mixed_sum import mixed_sum

SHAPES = ((1, 1, 1, 2), (1, 6, 33, 35), (2, 13, 7, 18), (3, 5, 12, 1), (2, 2, 50, 60))


pytestmark = pytest.mark.usefixtures("path")


def case(
    shape: tuple[int, ...], n: int = 5, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, list[Tensor], list[bool]]:
    generator = torch.Generator().manual_seed(sum(shape))
    weights = torch.rand(n, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    terms = [
        (torch.randn(shape, generator=generator, dtype=torch.float64) * (k + 1) + k).to(dtype).requires_grad_()
        for k in range(n)
    ]
    return weights, terms, [k != 2 for k in range(n)]


def plain(weights: Tensor, terms: Sequence[Tensor], normalised: Sequence[bool]) -> Tensor:
    norms = [nn.BatchNorm2d(terms[0].shape[1], affine=False) if each else nn.Identity() for each in normalised]
    values = [weights[k] * norms[k].to(term.dtype)(term) for k, term in enumerate(terms)]
    total: Tensor = sum(values[1:], values[0])
    return total


def gradients(value: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    received = torch.randn(value.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return list(torch.autograd.grad(value, wanted, received.to(value.dtype)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 5])
def test_the_sum_and_all_gradients_are_those_of_torch(shape: tuple[int, ...], n: int) -> None:
    weights, terms, normalised = case(shape, n)
    total, mean, variance = mixed_sum(weights, terms, normalised)
    expected = plain(weights, terms, normalised)
    torch.testing.assert_close(total, expected, rtol=1e-10, atol=1e-10)
    for found, right in zip(gradients(total, [weights, *terms]), gradients(expected, [weights, *terms]), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-10, atol=1e-10)
    for k, term in enumerate(terms):
        right_mean = term.mean(dim=(0, 2, 3)) if normalised[k] else torch.zeros(shape[1], dtype=torch.float64)
        right_variance = (
            ((term - right_mean[:, None, None]) ** 2).mean(dim=(0, 2, 3))
            if normalised[k]
            else torch.ones(shape[1], dtype=torch.float64)
        )
        torch.testing.assert_close(mean[k], right_mean, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(variance[k], right_variance, rtol=1e-10, atol=1e-12)
    assert not mean.requires_grad
    assert not variance.requires_grad


def test_float32_agrees_with_float64_also_far_from_zero() -> None:
    weights, terms, normalised = case((4, 6, 40, 41), dtype=torch.float32)
    terms = [(term.detach() + 100).requires_grad_() for term in terms]
    exact = [each.detach().double().requires_grad_() for each in (weights, *terms)]
    total, mean, variance = mixed_sum(weights, terms, normalised)
    expected = plain(exact[0], exact[1:], normalised)
    found, right = gradients(total, [weights, *terms]), gradients(expected, exact)
    assert float(((total - expected).norm() / expected.norm()).detach()) < 1e-5
    for a, b in zip(found, right, strict=True):
        assert float((a - b).norm() / b.norm()) < 1e-3
    k = 4
    assert torch.allclose(variance[k].double(), exact[1 + k].var(dim=(0, 2, 3), correction=0), rtol=1e-5)
    assert torch.allclose(mean[k].double(), exact[1 + k].mean(dim=(0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("kept", [[0], [1], [3], [2, 4]])
def test_only_the_gradients_that_are_asked_for_are_computed_and_they_are_the_same(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, terms, normalised = case((2, 3, 7, 9))
    everything = [weights, *terms]
    full = gradients(mixed_sum(weights, terms, normalised)[0], everything)
    for k, each in enumerate(everything):
        each.requires_grad_(k in kept)
    asked = []
    real = native.call

    def call(name: str, *arguments: object) -> None:
        if name.endswith("gradient"):
            dterms, dweights = arguments[-2:]
            asked.extend([dweights is not None, *(each is not None for each in dterms)])  # type: ignore[attr-defined]
        real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(native, "call", call)
    found = gradients(mixed_sum(weights, terms, normalised)[0], [everything[k] for k in kept])
    for k, each in zip(kept, found, strict=True):
        torch.testing.assert_close(each, full[k], rtol=1e-12, atol=1e-12)
    assert asked in ([], [k in kept for k in range(len(everything))])


def test_nothing_but_the_terms_is_kept_for_the_gradient() -> None:
    weights, terms, normalised = case((2, 3, 7, 9))
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each.data_ptr()) or each, lambda each: each):
        mixed_sum(weights, terms, normalised)
    assert sorted(kept) == sorted(each.data_ptr() for each in (weights, *terms))


def test_slices_are_read_right() -> None:
    weights, _, _ = case((3, 2, 5, 6), 3)
    wide = torch.randn(3, 3, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    last = torch.randn(3, 2, 5, 6, dtype=torch.float64).contiguous(memory_format=torch.channels_last).requires_grad_()
    terms, normalised = [wide[:, 0], wide[:, 2], last], [True, False, True]
    total, expected = mixed_sum(weights, terms, normalised)[0], plain(weights, terms, normalised)
    for found, right in zip(
        gradients(total, [weights, wide, last]), gradients(expected, [weights, wide, last]), strict=True
    ):
        torch.testing.assert_close(found, right, rtol=1e-10, atol=1e-10)


def test_two_threads_give_what_one_gives_and_the_same_each_time() -> None:
    weights, terms, normalised = case((3, 5, 14, 19))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            total, mean, variance = mixed_sum(weights, terms, normalised)
            found.append([total, mean, variance, *gradients(total, [weights, *terms])])
    finally:
        torch.set_num_threads(before)
    assert all(torch.allclose(a, b, rtol=1e-10, atol=1e-10) for a, b in zip(found[0], found[1], strict=True))
    if library() is not None:
        assert all(torch.equal(a, b) for a, b in zip(found[1], found[2], strict=True))


def test_what_is_no_number_stays_none() -> None:
    weights, terms, normalised = case((2, 3, 4, 5))
    terms[0].data[0, 1, 2, 3] = torch.nan  # normalised: all of its channel
    terms[2].data[1, 2, 0, 0] = torch.nan
    total = mixed_sum(weights, terms, normalised)[0]
    expected = torch.zeros(2, 3, 4, 5, dtype=torch.bool)
    expected[:, 1] = True
    expected[1, 2, 0, 0] = True
    assert torch.equal(torch.isnan(total), expected)
    assert bool(torch.isnan(gradients(total, [weights])[0][0]))


def test_gradients_can_be_differentiated_again() -> None:
    weights, terms, normalised = case((2, 2, 2, 3), 3)
    assert torch.autograd.gradgradcheck(
        lambda weights, *terms: mixed_sum(weights, terms, normalised)[0], (weights, *terms)
    )
