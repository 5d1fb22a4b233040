# mypy: ignore-errors
"""Triton kernels of a node of the supernet: moments of its terms, their weighted sum, and the gradients of both.

Each takes eight terms, (batch, channels, places) whose planes lie in one piece; a sample begins at its number times the
term's stride. What is summed is float32, whatever the terms are. A program of the reductions takes one piece of one
plane of all terms and writes its share, so that no result depends on the order in which programs end.
"""

from __future__ import annotations

import triton
import triton.language as tl

_TERMS = [f"{kind}{k}" for kind in "pso" for k in range(8)]
_SIZES = ["n_channels", "n_places", "n_pieces", "span"]


@triton.jit
def _chosen(k: tl.constexpr, a0, a1, a2, a3, a4, a5, a6, a7):
    if k == 0:
        return a0
    elif k == 1:
        return a1
    elif k == 2:
        return a2
    elif k == 3:
        return a3
    elif k == 4:
        return a4
    elif k == 5:
        return a5
    elif k == 6:
        return a6
    else:
        return a7


@triton.jit(do_not_specialize=[*_TERMS[:16], *_SIZES])
def moments(
    p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, s4, s5, s6, s7,
    out, n_channels, n_places, n_pieces, span, BLOCK: tl.constexpr,
):  # fmt: skip
    """out (8, channels, shares, 3): number, mean and sum of squared distances of each share (Chan et al. 1983)."""
    channel, share = tl.program_id(0), tl.program_id(1)
    sample, begin = share // n_pieces, (share % n_pieces) * span
    end = tl.minimum(begin + span, n_places)
    row = channel * tl.num_programs(1) + share
    for k in tl.static_range(8):
        pointer = _chosen(k, p0, p1, p2, p3, p4, p5, p6, p7)
        stride = _chosen(k, s0, s1, s2, s3, s4, s5, s6, s7)
        pointer += sample.to(tl.int64) * stride + channel.to(tl.int64) * n_places
        number, mean, squares = 0.0, 0.0, 0.0
        for at in range(begin, end, BLOCK):
            places = at + tl.arange(0, BLOCK)
            is_own = places < end
            x = tl.load(pointer + places, mask=is_own, other=0.0).to(tl.float32)
            own = tl.sum(is_own.to(tl.float32), axis=0)
            own_mean = tl.sum(x, axis=0) / own
            apart = tl.where(is_own, x - own_mean, 0.0)
            step, total = own_mean - mean, number + own
            mean += step * (own / total)
            squares += tl.sum(apart * apart, axis=0) + step * step * (number * own / total)
            number = total
        place = out + (row + k * n_channels * tl.num_programs(1)) * 3
        tl.store(place, number)
        tl.store(place + 1, mean)
        tl.store(place + 2, squares)


@triton.jit(do_not_specialize=[*_TERMS[:16], "n_channels", "n_places"])
def weighted_sum(
    p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, s4, s5, s6, s7,
    factors, means, before, out, n_channels, n_places, IS_FIRST: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """out = before + sum over k of factors[k, channel] * (term k - means[k, channel]); before is 0 at first."""
    plane = tl.program_id(1)
    sample, channel = plane // n_channels, plane % n_channels
    places = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_own = places < n_places
    at = plane.to(tl.int64) * n_places + places
    if IS_FIRST:
        value = tl.zeros([BLOCK], tl.float32)
    else:
        value = tl.load(before + at, mask=is_own, other=0.0)
    for k in tl.static_range(8):
        pointer = _chosen(k, p0, p1, p2, p3, p4, p5, p6, p7)
        stride = _chosen(k, s0, s1, s2, s3, s4, s5, s6, s7)
        pointer += sample.to(tl.int64) * stride + channel.to(tl.int64) * n_places
        x = tl.load(pointer + places, mask=is_own, other=0.0).to(tl.float32)
        factor = tl.load(factors + k * n_channels + channel)
        value += factor * (x - tl.load(means + k * n_channels + channel))
    tl.store(out + at, value.to(out.dtype.element_ty), mask=is_own)


@triton.jit(do_not_specialize=[*_TERMS[:16], *_SIZES])
def gradient_sums(
    p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, s4, s5, s6, s7,
    gradient, means, out, n_channels, n_places, n_pieces, span, BLOCK: tl.constexpr,
):  # fmt: skip
    """out (8, channels, shares, 2): sums of gradient * (term - mean), and of the gradient."""
    channel, share = tl.program_id(0), tl.program_id(1)
    sample, begin = share // n_pieces, (share % n_pieces) * span
    end = tl.minimum(begin + span, n_places)
    row = channel * tl.num_programs(1) + share
    received = gradient + (sample.to(tl.int64) * n_channels + channel) * n_places
    for k in tl.static_range(8):
        pointer = _chosen(k, p0, p1, p2, p3, p4, p5, p6, p7)
        stride = _chosen(k, s0, s1, s2, s3, s4, s5, s6, s7)
        pointer += sample.to(tl.int64) * stride + channel.to(tl.int64) * n_places
        mean = tl.load(means + k * n_channels + channel)
        products, alone = 0.0, 0.0
        for at in range(begin, end, BLOCK):
            places = at + tl.arange(0, BLOCK)
            is_own = places < end
            x = tl.load(pointer + places, mask=is_own, other=0.0).to(tl.float32)
            g = tl.load(received + places, mask=is_own, other=0.0).to(tl.float32)
            products += tl.sum(g * (x - mean), axis=0)
            alone += tl.sum(g, axis=0)
        place = out + (row + k * n_channels * tl.num_programs(1)) * 2
        tl.store(place, products)
        tl.store(place + 1, alone)


@triton.jit(do_not_specialize=[*_TERMS, "n_channels", "n_places"])
def term_gradients(
    p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, s4, s5, s6, s7, o0, o1, o2, o3, o4, o5, o6, o7,
    gradient, means, of_gradient, of_term, alone, n_channels, n_places, BLOCK: tl.constexpr,
):  # fmt: skip
    """Of each term of_gradient * gradient + of_term * (term - mean) + alone, each (8, channels); o lie in one piece."""
    plane = tl.program_id(1)
    sample, channel = plane // n_channels, plane % n_channels
    places = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_own = places < n_places
    at = plane.to(tl.int64) * n_places + places
    g = tl.load(gradient + at, mask=is_own, other=0.0).to(tl.float32)
    for k in tl.static_range(8):
        pointer = _chosen(k, p0, p1, p2, p3, p4, p5, p6, p7)
        stride = _chosen(k, s0, s1, s2, s3, s4, s5, s6, s7)
        out = _chosen(k, o0, o1, o2, o3, o4, o5, o6, o7)
        pointer += sample.to(tl.int64) * stride + channel.to(tl.int64) * n_places
        x = tl.load(pointer + places, mask=is_own, other=0.0).to(tl.float32)
        row = k * n_channels + channel
        value = tl.load(of_gradient + row) * g + tl.load(alone + row)
        value += tl.load(of_term + row) * (x - tl.load(means + row))
        tl.store(out + at, value.to(out.dtype.element_ty), mask=is_own)
