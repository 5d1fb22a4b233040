"""Inline SVG: ids of its own, no style for the rest of the page, texts escaped."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from audionas.report.confusion import draw_confusion
from audionas.report.curves import Line, draw_lines
from audionas.report.svg import inline_svg


def _ids(svg: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', svg))


def test_two_pictures_share_no_id_and_every_reference_resolves() -> None:
    line = Line("a", (1, 2, 3), (0.1, None, 0.3))
    one, other = (inline_svg(draw_lines([line], y_label="loss"), name, "x") for name in ("fig1", "fig2"))
    assert _ids(one)
    assert not _ids(one) & _ids(other)
    for svg in (one, other):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= _ids(svg)


def test_a_picture_is_well_formed_and_keeps_its_style_to_itself() -> None:
    svg = inline_svg(draw_lines([Line("a", (1,), (0.1,))], y_label="loss"), "fig1", 'say "hi" & <go>')
    ElementTree.fromstring(svg)
    assert "<style" not in svg
    assert "<metadata" not in svg


def test_labels_are_shown_as_they_are() -> None:
    labels = ["<script>alert(1)</script>", 'id="x" $y_1$', "très 生气"]
    svg = inline_svg(draw_confusion(np.eye(3, dtype=np.int64), labels), "fig1", "confusion")
    texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]
    assert "<script>alert(1)<…" in texts
    assert 'id="x" $y_1$' in texts
    assert "très 生气" in texts
    assert "<script" not in svg
