"""A network of CNN cells as one would tell a colleague: depth, cells, operations, what it reads, how it ends."""

from __future__ import annotations

from audionas.features import Extractor
from audionas.models.receptive_field import MapField
from audionas.quantities import count_text
from audionas.report.field_words import field_sentences
from audionas.report.op_colours import family_of
from audionas.report.op_words import counted_ops, family_noun, in_a_row, ordinal
from audionas.spaces import CnnGenotype
from audionas.spaces.cnn_genotype import Cell, node_edges

_POOLINGS = {
    "mean": "The mean over features and frames of the last map",
    "max": "The mean over features and then the maximum over frames of the last map",
    "statistics": "The mean over features and then mean and standard deviation over frames of the last map",
    "attention": "The mean over features of the last map, its frames weighted by attention,",
}
_CELL_NAMES = {"normal": "normal", "reduce": "reduction"}


def cnn_sentences(genotype: CnnGenotype, fields: tuple[MapField, ...], extractor: Extractor | None) -> list[str]:
    """Everything but the costs, in the order in which one asks.

    Args:
        fields: `audionas.models.receptive_field.receptive_fields` of the genotype on the extractor's input.
    """
    return [
        _depth(genotype, fields, extractor),
        *[_cell_sentence(genotype, kind) for kind in kinds_used(genotype)],
        *_what_dominates(genotype),
        *field_sentences(fields[-1], extractor, is_causal=genotype.macro.causal),
        f"{_POOLINGS[genotype.macro.pooling]} goes to one linear layer.",
        *_front_end(genotype),
    ]


def kinds_used(genotype: CnnGenotype) -> tuple[str, ...]:
    """Which of its two cells the network is built of: `normal`, `reduce` or both."""
    n_reductions = len(genotype.macro.reduction_cells)
    found = [("normal", genotype.macro.n_cells - n_reductions), ("reduce", n_reductions)]
    return tuple(kind for kind, count in found if count)


def cell_depth(cell: Cell, concat: tuple[int, ...], edges_per_node: int) -> int:
    """How many operations the longest way through a cell has, from an input to what it gives on.

    >>> cell_depth((("a", 0), ("b", 1), ("c", 2), ("d", 0)), (3,), 2)
    2
    """
    depths = [0, 0]
    for edges in node_edges(cell, edges_per_node):
        depths.append(1 + max(depths[source] for _, source in edges))
    return max(depths[node] for node in concat)


def _depth(genotype: CnnGenotype, fields: tuple[MapField, ...], extractor: Extractor | None) -> str:
    macro = genotype.macro
    places = [ordinal(index + 1) for index in macro.reduction_cells]
    cells, channels = count_text(macro.n_cells, "cell"), count_text(macro.channels, "channel")
    text = f"A convolutional network: a 3x3 stem and {cells} with {channels} a node"
    if not places:
        text += "; no cell reduces its input."
    elif len(places) == 1:
        text += f"; the {places[0]} is a reduction cell: it halves features and frames and doubles the channels."
    else:
        text += (
            f"; the {in_a_row(places)} are reduction cells: each halves features and frames and doubles the channels."
        )
    n_channels = _last_channels(genotype)
    if extractor is None:
        return f"{text} Its last feature map has {count_text(n_channels, 'channel')}."
    shape, last = extractor.input_shape, fields[-1].size
    return (
        f"{text} From an input of {shape[0]} x {shape[1]} x {shape[2]} (channels x features x frames) it makes a last "
        f"feature map of {n_channels} x {last[0]} x {last[1]}."
    )


def _last_channels(genotype: CnnGenotype) -> int:
    macro = genotype.macro
    kind = "reduce" if macro.n_cells - 1 in macro.reduction_cells else "normal"
    concat = getattr(genotype, f"{kind}_concat")
    return int(len(concat) * macro.channels * 2 ** len(macro.reduction_cells))


def _cell_sentence(genotype: CnnGenotype, kind: str) -> str:
    cell: Cell = getattr(genotype, kind)
    concat = getattr(genotype, f"{kind}_concat")
    n_nodes = len(node_edges(cell, genotype.edges_per_node))
    depth = cell_depth(cell, concat, genotype.edges_per_node)
    return (
        f"The {_CELL_NAMES[kind]} cell adds up {count_text(len(cell), 'operation')} in {count_text(n_nodes, 'node')}: "
        f"{counted_ops(op for op, _ in cell)}; its longest way has {count_text(depth, 'operation')} in a row."
    )


def _what_dominates(genotype: CnnGenotype) -> list[str]:
    """Which family of operations has most of the edges, and the share of skips among the normal cell's."""
    kinds = kinds_used(genotype)
    families = [family_of(op) for kind in kinds for op, _ in getattr(genotype, kind)]
    largest = max(sorted(set(families)), key=families.count)
    n_all, n_largest = len(families), families.count(largest)
    where = "the two cells'" if len(kinds) == 2 else f"the {_CELL_NAMES[kinds[0]]} cell's"
    if 2 * n_largest > n_all:
        sentences = [f"Most of {where} {n_all} operations are {family_noun(largest)} ({n_largest})."]
    else:
        sentences = [f"No kind is more than half of {where} {n_all} operations."]
    return [*sentences, *_skips(genotype)] if "normal" in kinds else sentences


def _skips(genotype: CnnGenotype) -> list[str]:
    n_skips = sum(family_of(op) == "skip" for op, _ in genotype.normal)
    n_edges = len(genotype.normal)
    if not n_skips:
        return ["The normal cell has no skip connection."]
    share = f"{100 * n_skips / n_edges:.3g} %"
    return [f"Skip connections are {n_skips} of the normal cell's {n_edges} operations ({share})."]


def _front_end(genotype: CnnGenotype) -> list[str]:
    """Of a macro space, what was chosen of the features and of the masks of training."""
    if genotype.front_end is None:
        return []
    found = genotype.front_end
    parts = [f"{found.n_mels} mel bands"] if found.n_mels is not None else []
    parts += [f"a hop of {found.hop_ms:g} ms"] if found.hop_ms is not None else []
    if found.spec_augment is not None:
        masks = f"SpecAugment masks of up to {100 * found.spec_augment:.3g} % in training"
        parts.append(masks if found.spec_augment else "no SpecAugment")
    return [f"Its front-end was chosen with it: {in_a_row(parts)}."] if parts else []
