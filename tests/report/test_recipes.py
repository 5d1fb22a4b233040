"""Recipe pictures: no line runs through a box, nothing overlaps or is cut off, everything of the recipe is there."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from audionas.report.cells import Box, Point
from audionas.report.recipe_layout import RecipeLayout, Wire, lay_out_recipe, short_name
from audionas.report.recipes import draw_recipe, recipe_in_words
from audionas.report.svg import drawing, inline_svg
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

RECIPES = {
    **{name: reference_recipe(name) for name in REFERENCE_RECIPES},
    **{f"{n}-{seed}": generate_recipe(seed, 2, n) for n in (7, 14, 21) for seed in range(10)},
    "three states": generate_recipe(3, 3, 30),
}


def _points(wire: Wire) -> list[Point]:
    """40 points of the cubic Bezier curve whose inner control points lie level with its ends, half way."""
    (x1, y1), (x2, y2) = wire.start, wire.end
    middle = (x1 + x2) / 2
    t = np.linspace(0, 1, 40)[:, None]
    corners = np.array([(x1, y1), (middle, y1), (middle, y2), (x2, y2)])
    weights = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    return [(float(x), float(y)) for x, y in weights @ corners]


def _is_inside(point: Point, box: Box) -> bool:
    return box.x + 0.01 < point[0] < box.right - 0.01 and box.y + 0.01 < point[1] < box.y + box.height - 0.01


def _touch(one: Box, other: Box) -> bool:
    return (
        one.x < other.right and other.x < one.right and one.y < other.y + other.height and other.y < one.y + one.height
    )


def _run_together(one: Wire, other: Wire) -> bool:
    """Two level lines of different sources share a piece."""
    if one.source == other.source or not one.start[1] == one.end[1] == other.start[1] == other.end[1]:
        return False
    return min(one.end[0], other.end[0]) - max(one.start[0], other.start[0]) > 0.01


def _reached(layout: RecipeLayout, source: str) -> set[Point]:
    """All points to which the line that leaves a box leads on, piece by piece."""
    box = layout.boxes[source]
    points = {(box.right, box.middle)}
    own = [wire for wire in layout.wires if wire.source == source]
    while more := {wire.end for wire in own if wire.start in points} - points:
        points |= more
    return points


@pytest.mark.parametrize("name", RECIPES)
def test_no_line_runs_through_a_box_and_nothing_overlaps(name: str) -> None:
    layout = lay_out_recipe(RECIPES[name], top=20)
    for one, other in combinations(layout.boxes.values(), 2):
        assert not _touch(one, other), (one, other)
    for wire in layout.wires:
        for point in _points(wire):
            assert not any(_is_inside(point, box) for box in layout.boxes.values()), wire
            assert 0 <= point[0] <= layout.width
            assert 0 <= point[1] <= layout.height
    for one_wire, other_wire in combinations(layout.wires, 2):
        assert not _run_together(one_wire, other_wire), (one_wire, other_wire)
    for box in layout.boxes.values():
        assert min(box.x, box.y) >= 0
        assert box.right <= layout.width
        assert box.y + box.height <= layout.height


@pytest.mark.parametrize("name", RECIPES)
def test_every_input_of_every_node_has_an_arrow_that_comes_from_its_source(name: str) -> None:
    genotype = RECIPES[name]
    layout = lay_out_recipe(genotype)
    reached = {source: _reached(layout, source) for source in layout.boxes}
    for node in genotype.nodes:
        for position, source in enumerate(node.inputs):
            x, y = layout.arrows[node.name, position]
            box = layout.boxes[node.name]
            assert x == box.x
            assert box.y < y < box.y + box.height
            assert (x, y) in reached[source]
            assert layout.boxes[source].right < box.x
    for i in range(genotype.n_states):
        assert layout.arrows[f"output h_new_{i}", 0] in reached[f"h_new_{i}"]
    assert len(layout.arrows) == sum(len(node.inputs) for node in genotype.nodes) + genotype.n_states


def test_inputs_stand_at_the_left_and_outputs_at_the_right() -> None:
    boxes = lay_out_recipe(reference_recipe("lstm")).boxes
    left = max(boxes[name].right for name in ("x", "h_prev_0", "h_prev_1"))
    right = min(boxes[f"output h_new_{i}"].x for i in (0, 1))
    inner = [box for name, box in boxes.items() if name in reference_recipe("lstm").to_recipe()]
    assert left < min(box.x for box in inner)
    assert max(box.right for box in inner) < right


def test_the_picture_says_the_order_of_a_blends_inputs_and_has_a_legend() -> None:
    svg = inline_svg(draw_recipe(reference_recipe("gru"), "GRU"), "one", "the recurrent cell")
    texts = re.findall(r">([^<>]+)</text>", svg)
    for text in ("x", "h_prev_0", "h_tilde_act", "GRU", "g", "a", "b", "blend", "blend: g·a + (1 - g)·b"):
        assert text in texts, text
    assert texts.count("h_new_0") == 2  # the node and the output
    assert texts.count("linear") == 3
    assert not [text for text in texts if text.startswith("sum:")]  # an operation that the recipe lacks
    assert 'aria-label="the recurrent cell"' in svg
    # The blend reads (g, a, b) = (z_act, h_prev_0, h_tilde_act): each letter stands where its line ends.
    layout = lay_out_recipe(reference_recipe("gru"))
    for position, source in enumerate(("z_act", "h_prev_0", "h_tilde_act")):
        assert layout.arrows["h_new_0", position] in _reached(layout, source)


def test_texts_fit_into_their_boxes() -> None:
    recipe = {
        "a_rather_long_name_that_somebody_gave": {"op": "linear", "input": ["x", "h_prev_0"]},
        "h_new_0": {"op": "activation_leaky_relu", "input": ["a_rather_long_name_that_somebody_gave"]},
    }
    genotype = RecurrentGenotype.from_recipe(recipe)
    figure = draw_recipe(genotype)
    with drawing():
        figure.set_dpi(72)  # a pixel is a point
        figure.draw_without_rendering()
        boxes = list(lay_out_recipe(genotype).boxes.values())
        shown = [text for text in figure.axes[0].texts if ":" not in text.get_text()]
        for text in shown:
            extent = text.get_window_extent()
            x, y = text.get_position()
            own = next(box for box in boxes if box.x < x < box.right and box.y < y < box.y + box.height)
            assert extent.width < own.width
    assert short_name("a_rather_long_name_that_somebody_gave") in [text.get_text() for text in shown]


@pytest.mark.parametrize("name", RECIPES)
def test_all_texts_and_the_legend_lie_within_the_picture(name: str) -> None:
    figure = draw_recipe(RECIPES[name], "title")
    with drawing():
        figure.set_dpi(72)  # a pixel is a point
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * 72
        for text in figure.axes[0].texts:
            extent = text.get_window_extent()
            assert extent.x0 >= 0
            assert extent.x1 <= width
            assert extent.y0 >= 0
            assert extent.y1 <= height


def test_the_same_recipe_gives_the_same_picture() -> None:
    one, other = (inline_svg(draw_recipe(generate_recipe(4, 2, 21)), "fig1", "x") for _ in range(2))
    assert one == other


def test_a_state_that_nothing_reads_and_an_input_taken_twice_can_be_drawn() -> None:
    recipe = {
        "h_new_0": {"op": "linear", "input": ["x", "x"]},
        "h_new_1": {"op": "activation_tanh", "input": ["h_new_0"]},
    }
    layout = lay_out_recipe(RecurrentGenotype.from_recipe(recipe))
    assert layout.arrows["h_new_0", 0] != layout.arrows["h_new_0", 1]
    assert "h_prev_1" in layout.boxes


def test_words_name_every_node_with_its_inputs_in_order() -> None:
    words = recipe_in_words(REFERENCE_RECIPES["gru"])
    assert words[0] == "r = linear(x, h_prev_0)"
    assert words[-1] == "h_new_0 = blend(g: z_act, a: h_prev_0, b: h_tilde_act)"
