"""The namedtuple text in which the DARTS release prints genotypes: written, and read by parsing only.

Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=[2, 3])
"""

from __future__ import annotations

import ast

from audionas.errors import GenotypeError
from audionas.spaces.cnn_genotype import Cell, CnnGenotype
from audionas.spaces.genotype_file import MAX_BYTES, check_cells

FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")


def to_darts_text(genotype: CnnGenotype) -> str:
    """The genotype as one line of DARTS text (macro values are not part of that format)."""
    parts = (f"{name}={list(getattr(genotype, name))!r}" for name in FIELDS)
    return f"Genotype({', '.join(parts)})"


def from_darts_text(text: str, where: str = "DARTS text") -> CnnGenotype:
    """The genotype of DARTS text; a name assigned to it (`DARTS_V2 = Genotype(...)`) may stand before.

    Raises:
        GenotypeError: the text is anything but one Genotype(...) of lists, tuples, ranges, names and numbers.
    """
    call = _call(text, where)
    given = {word.arg: word.value for word in call.keywords}
    if call.args or len(given) < len(call.keywords) or set(given) != set(FIELDS):
        raise GenotypeError(f"{where}: expected Genotype({'=..., '.join(FIELDS)}=...)")
    genotype = CnnGenotype(
        normal=_cell(given["normal"], where),
        normal_concat=_nodes(given["normal_concat"], where),
        reduce=_cell(given["reduce"], where),
        reduce_concat=_nodes(given["reduce_concat"], where),
    )
    check_cells(genotype, where)
    return genotype


def _call(text: str, where: str) -> ast.Call:
    if len(text) > MAX_BYTES:
        raise GenotypeError(f"{where}: {len(text)} characters, a genotype has at most {MAX_BYTES}")
    try:
        body = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as why:
        raise GenotypeError(f"{where}: not DARTS text: {type(why).__name__}") from why
    node = body[0].value if len(body) == 1 and isinstance(body[0], (ast.Expr, ast.Assign)) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Genotype":
        return node
    raise GenotypeError(f"{where}: not DARTS text: expected one Genotype(...)")


def _cell(node: ast.expr, where: str) -> Cell:
    edges = []
    for item in _items(node, where):
        pair = _items(item, where)
        if len(pair) != 2:
            raise GenotypeError(f"{where}: an edge is a pair ('operation', input node)")
        op, source = (_constant(part, where) for part in pair)
        if not isinstance(op, str) or not isinstance(source, int):
            raise GenotypeError(f"{where}: an edge is a pair ('operation', input node), got ({op!r}, {source!r})")
        edges.append((op, source))
    return tuple(edges)


def _nodes(node: ast.expr, where: str) -> tuple[int, ...]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        bounds = [_integer(arg, where) for arg in node.args]
        if len(bounds) == 2 and not node.keywords and 0 <= bounds[0] <= bounds[1] <= 64:
            return tuple(range(*bounds))
        raise GenotypeError(f"{where}: expected range(first, last + 1) of nodes up to 64")
    return tuple(_integer(item, where) for item in _items(node, where))


def _items(node: ast.expr, where: str) -> list[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    raise GenotypeError(f"{where}: expected a list, got {type(node).__name__}")


def _integer(node: ast.expr, where: str) -> int:
    value = _constant(node, where)
    if not isinstance(value, int):
        raise GenotypeError(f"{where}: expected a node number, got {value!r}")
    return value


def _constant(node: ast.expr, where: str) -> object:
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
        return node.value
    raise GenotypeError(f"{where}: expected a name or a number, got {type(node).__name__}")
