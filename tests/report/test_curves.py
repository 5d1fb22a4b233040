"""Alphas: softmax and names."""

from __future__ import annotations

import numpy as np

from audionas.report.curves import Line, alpha_weights, draw_alpha_heat, draw_lines
from audionas.report.svg import inline_svg


def test_weights_are_the_softmax_of_each_edge() -> None:
    weights = alpha_weights([[0.0, 0.0], [1000.0, 1000.0 + np.log(3)]])
    assert np.allclose(weights, [[0.5, 0.5], [0.25, 0.75]])


def test_the_heat_map_writes_weights_edges_and_operations() -> None:
    figure = draw_alpha_heat(np.array([[0.25, 0.75]]), [(2, 0)], ["none", "skip_connect"], [(2, 0, "skip_connect")])
    svg = inline_svg(figure, "fig1", "alphas")
    for text in ("0.25", "0.75", "c_{k-2} → 2", "skip_connect"):
        assert f">{text}</text>" in svg


def test_one_epoch_has_one_whole_tick_and_close_values_have_no_offset() -> None:
    figure = draw_lines([Line("a", (1,), (2.07481,)), Line("b", (1,), (2.07461,))], y_label="entropy")
    (axes,) = figure.axes
    figure.canvas.draw()
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
    assert axes.yaxis.get_offset_text().get_text() == ""
