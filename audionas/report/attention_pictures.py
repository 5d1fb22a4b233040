"""Attention maps over a clip's spectrogram, as a picture: where a network looks, and what it finds for each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audionas.report.svg import drawing, new_figure

WIDTH, PANEL_HEIGHT, TOP = 640.0, 165.0, 40.0
MOST_CLASSES = 8


@dataclass(frozen=True, eq=False)
class AttentionPicture:
    """What is drawn of one clip; all maps are (features, frames), of the size of the spectrogram.

    Args:
        class_agnostic: >= 0.
        class_specific: by label, of any sign.
        scores: by label; probabilities.
        top: the upper end of the features axis, in the unit that `features` names.
    """

    title: str
    spectrogram: np.ndarray
    class_agnostic: np.ndarray
    class_specific: Mapping[str, np.ndarray]
    scores: Mapping[str, float]
    duration_s: float
    top: float
    features: str


def draw_attention(picture: AttentionPicture) -> Figure:
    """The spectrogram; over it the class-agnostic map, and the class-specific one of each class (at most 8)."""
    labels = sorted(picture.scores, key=lambda label: -picture.scores[label])[:MOST_CLASSES]
    n_rows = 1 + ceil(len(labels) / 2)
    with drawing():
        figure = new_figure(WIDTH, TOP + PANEL_HEIGHT * n_rows)
        figure.suptitle(picture.title, fontsize=10)
        panels = figure.subplots(n_rows, 2, sharex=True, sharey=True, squeeze=False)
        _draw_spectrogram(panels[0, 0], picture, "magma")
        panels[0, 0].set_title("features")
        _draw_spectrogram(panels[0, 1], picture, "gray_r")
        shown = _overlay(panels[0, 1], picture, picture.class_agnostic, "viridis", (0, picture.class_agnostic.max()))
        panels[0, 1].set_title("class-agnostic: share of attention")
        figure.colorbar(shown, ax=panels[0, :], pad=0.01)
        _draw_classes(figure, panels[1:], picture, labels)
        for axes in panels[:, 0]:
            axes.set_ylabel(picture.features)
        for axes in panels[-1]:
            axes.set_xlabel("time, s")
    return figure


def _draw_classes(figure: Figure, panels: Any, picture: AttentionPicture, labels: list[str]) -> None:
    """One scale for all classes, so that they can be compared."""
    reach = max(float(np.abs(picture.class_specific[label]).max()) for label in labels)
    shown = []
    for axes, label in zip(panels.flat, labels, strict=False):
        _draw_spectrogram(axes, picture, "gray_r")
        shown.append(_overlay(axes, picture, picture.class_specific[label], "RdBu_r", (-reach, reach)))
        axes.set_title(f"{label}: probability {picture.scores[label]:.2f}")
    for axes in panels.flat[len(labels) :]:
        axes.set_axis_off()
    figure.colorbar(shown[0], ax=panels, pad=0.01, label="class-specific evidence")


def _draw_spectrogram(axes: Axes, picture: AttentionPicture, colours: str) -> None:
    axes.imshow(picture.spectrogram, cmap=colours, **_placed(picture))


def _overlay(
    axes: Axes, picture: AttentionPicture, values: np.ndarray, colours: str, limits: tuple[float, float]
) -> Any:
    """Opaque where a value is large, clear where it is 0."""
    low, high = limits if limits[1] > limits[0] else (limits[0], limits[0] + 1e-9)
    opacity = np.clip(np.abs(values) / high, 0, 1) ** 0.5 * 0.85
    return axes.imshow(values, cmap=colours, vmin=low, vmax=high, alpha=opacity, **_placed(picture))


def _placed(picture: AttentionPicture) -> dict[str, Any]:
    return {
        "origin": "lower", "aspect": "auto", "interpolation": "nearest",
        "extent": (0.0, picture.duration_s, 0.0, picture.top),
    }  # fmt: skip
