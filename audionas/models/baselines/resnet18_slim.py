"""`resnet18_slim_8`, `_16`, `_32`: ResNet-18 with 8, 16 or 32 channels where the original has 64.

Source: He, Zhang, Ren, Sun 2016, "Deep Residual Learning for Image Recognition", table 1 and section 3.3 (shortcuts of
option B: 1x1 convolutions where the size changes), initialised as their reference [13], He et al. 2015. Difference: for
feature maps of 32 x 64 the stem is one 3x3 convolution with stride 1, as the authors have it for small pictures
(section 4.2); `stem: picture` is theirs for large ones, 7x7 with stride 2 and a maximum over 3x3.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from audionas.models.baselines.baseline import ADAM, Baseline
from audionas.models.masked_maps import masked, masked_average, masked_relu, own_lengths, strided
from audionas.records import Record


class ResNet18Settings(Record):
    """`width`: channels of the first stage; the next three have 2, 4 and 8 times as many."""

    width: int = Field(default=64, ge=1, le=512)
    stem: Literal["small", "picture"] = "small"


class ResNet18Slim8Settings(ResNet18Settings):
    """Of `resnet18_slim_8`."""

    width: int = Field(default=8, ge=1, le=512)


class ResNet18Slim16Settings(ResNet18Settings):
    """Of `resnet18_slim_16`."""

    width: int = Field(default=16, ge=1, le=512)


class ResNet18Slim32Settings(ResNet18Settings):
    """Of `resnet18_slim_32`."""

    width: int = Field(default=32, ge=1, le=512)


class ResNet18(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes)."""

    def __init__(self, settings: ResNet18Settings, n_channels: int, n_classes: int) -> None:
        super().__init__()
        width = settings.width
        self.stem = _Stem(n_channels, width, is_picture=settings.stem == "picture")
        widths = [width, *(width * 2 ** (block // 2) for block in range(8))]
        self.blocks = nn.ModuleList([
            _Block(widths[block], widths[block + 1], stride=2 if block in (2, 4, 6) else 1) for block in range(8)
        ])  # fmt: skip
        self.classifier = nn.Linear(8 * width, n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing in eval mode."""
        own = own_lengths(lengths, x)
        x, own = self.stem(masked(x, own), own)
        for block in self.blocks:
            x, own = block(x, own)
        return self.classifier(masked_average(x, own))  # type: ignore[no-any-return]


class _Stem(nn.Module):
    def __init__(self, n_channels: int, width: int, *, is_picture: bool) -> None:
        super().__init__()
        size, self.stride = (7, 2) if is_picture else (3, 1)
        self.convolution = nn.Conv2d(n_channels, width, size, self.stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, 1) if is_picture else None

    def forward(self, x: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor | None]:
        own = strided(own, self.stride)
        x = masked_relu(self.norm(self.convolution(x)), own)
        if self.pool is None:
            return x, own
        own = strided(own, 2)
        return masked(self.pool(x), own), own  # its windows overlap: one behind the clip still reads the last frame


class _Block(nn.Module):
    """Two 3x3 convolutions with a shortcut over both; the first carries the stride."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.convolution2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor | None]:
        own = strided(own, self.stride)
        inner = masked_relu(self.norm1(self.convolution1(x)), own)
        # a 1x1 convolution with a stride reads these alone; torch 2.13 corrupts memory in its backward (channels last)
        shortcut = self.shortcut(x[:, :, :: self.stride, :: self.stride])
        return masked_relu(self.norm2(self.convolution2(inner)) + shortcut, own), own


def build(settings: ResNet18Settings, input_shape: tuple[int, int, int], n_classes: int) -> ResNet18:
    """The network for features of so many channels."""
    return ResNet18(settings, input_shape[0], n_classes)


def _sized(settings: type[ResNet18Settings]) -> Baseline:
    width = settings().width
    return Baseline(
        summary=f"ResNet-18 of {width} to {8 * width} channels, a 3x3 stem, mean over features and time",
        paper="",
        settings=settings,
        build=build,
        features="log_mel_small",
        recipe=ADAM,
    )


RESNET18_SLIM_8 = _sized(ResNet18Slim8Settings)
RESNET18_SLIM_16 = _sized(ResNet18Slim16Settings)
RESNET18_SLIM_32 = _sized(ResNet18Slim32Settings)
