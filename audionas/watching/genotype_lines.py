"""A genotype in words, one line a cell, from the document that logs and files hold; nothing of it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_N_SHOWN = 14  # nodes of a recipe; large ones fill a screen


def genotype_lines(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Lines for a person; none of a document of an unknown form.

    >>> genotype_lines({"normal": [["skip_connect", 0], ["sep_conv_3x3", 1]], "edges_per_node": 2})
    ('normal: node 2 = skip_connect of 0 + sep_conv_3x3 of 1',)
    """
    cells = document.get("cells", document)
    if document.get("kind") == "baseline":
        settings = document.get("settings") or {}
        changed = ", ".join(f"{key} {value}" for key, value in settings.items())
        return (f"{document.get('name')}" + (f" with {changed}" if changed else ""),)
    if isinstance(cells, Mapping) and isinstance(cells.get("normal"), list):
        lines = [line for kind in ("normal", "reduce") if (line := _cell(kind, cells))]
        return (*lines, *_macro(document))
    recipe = document.get("recipe", document)
    if isinstance(recipe, Mapping) and recipe and all(_is_node(node) for node in recipe.values()):
        return (*_recipe(recipe), *_macro(document))
    return ()


def _cell(kind: str, cells: Mapping[str, Any]) -> str:
    edges, per_node = cells.get(kind), cells.get("edges_per_node", 2)
    if not isinstance(edges, list) or not all(isinstance(edge, list) and len(edge) == 2 for edge in edges):
        return ""
    groups = [edges[start : start + per_node] for start in range(0, len(edges), per_node)]
    nodes = [
        f"node {number} = {' + '.join(f'{op} of {source}' for op, source in group)}"
        for number, group in enumerate(groups, start=2)
    ]
    return f"{kind}: {'; '.join(nodes)}"


def _is_node(node: Any) -> bool:
    return isinstance(node, Mapping) and isinstance(node.get("op"), str) and isinstance(node.get("input"), list)


def _recipe(recipe: Mapping[str, Any]) -> list[str]:
    lines = [f"{name} = {node['op']}({', '.join(map(str, node['input']))})" for name, node in recipe.items()]
    more = [f"and {len(lines) - _N_SHOWN} nodes more"] if len(lines) > _N_SHOWN else []
    return ["; ".join([*lines[:_N_SHOWN], *more])]


def _macro(document: Mapping[str, Any]) -> list[str]:
    """Sizes around the cells, and the front-end, where the document has them."""
    found = []
    for key in ("macro", "front_end"):
        values = document.get(key)
        if isinstance(values, Mapping):
            found.append(f"{key.replace('_', '-')}: {', '.join(f'{k} {_plain(v)}' for k, v in values.items())}")
    return found


def _plain(value: Any) -> str:
    return "+".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
