"""Dilated residual blocks and self-attention against their formulas."""

from __future__ import annotations

import torch

from audionas.models.baselines.own_positions import own_maps
from audionas.models.baselines.residual_attention import DilatedResidual, SelfAttention

LENGTHS = torch.tensor([9, 4])


def test_a_residual_block_of_zero_weights_is_a_relu_and_reaches_one_dilation_far_twice() -> None:
    torch.manual_seed(0)
    block = DilatedResidual(2, dilation=3).eval()
    x = torch.randn(1, 2, 1, 21)
    other = x.clone()
    other[..., 10] += 1
    with torch.no_grad():
        changed = (block(x, None) - block(other, None)).abs().amax(dim=(0, 1, 2)).nonzero()[:, 0].tolist()
        block.conv.weight.zero_()
        assert torch.equal(block(x, None), x.relu())
    assert set(changed) <= {4, 7, 10, 13, 16}
    assert {4, 16} & set(changed)


def test_a_residual_block_gives_a_padded_clip_what_it_gets_alone() -> None:
    torch.manual_seed(0)
    block = DilatedResidual(3, dilation=2).eval()
    x = torch.randn(2, 3, 1, 9)
    with torch.no_grad():
        block.norm.bias.fill_(0.5)
        together = block(*own_maps(x, LENGTHS, 3, 1))
        assert torch.allclose(together[1, ..., :4], block(x[1:, ..., :4], None)[0], atol=1e-6)
        assert together[1, ..., 4:].abs().max() == 0


def test_attention_is_the_softmax_of_scaled_products_of_own_frames() -> None:
    torch.manual_seed(0)
    attention = SelfAttention(4, n_heads=1, dropout=0.5).eval()
    x = torch.randn(2, 9, 4)
    with torch.no_grad():
        outputs = attention(x, LENGTHS)
        inner = attention.attention
        clip = x[1, :4]
        query, key, value = (clip @ inner.in_proj_weight.T + inner.in_proj_bias).chunk(3, dim=-1)
        attended = torch.softmax(query @ key.T / 4**0.5, dim=-1) @ value
        wanted = attention.norm(clip + attended @ inner.out_proj.weight.T + inner.out_proj.bias)
    assert torch.allclose(outputs[1, :4], wanted, atol=1e-5)
