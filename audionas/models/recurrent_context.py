"""How far back a recurrent network's output at a frame can look, by following its recipe through the frames."""

from __future__ import annotations

from audionas.spaces.recipe_node import INPUT, OUTPUT, STATE
from audionas.spaces.recurrent_genotype import RecurrentGenotype

NOTHING = -1


def frames_back(genotype: RecurrentGenotype) -> int | None:
    """Frames before its own that one direction's output at a frame can read; None: all of them.

    0 reads its own frame alone, `NOTHING` none at all. Layers add up. The other direction reads as many later ones.
    """
    own = cell_frames_back(genotype)
    return own if own is None or own == NOTHING else own * genotype.macro.n_layers


def cell_frames_back(genotype: RecurrentGenotype) -> int | None:
    """The same of one cell, from the states that it emits."""
    reads = _reads_of_states(genotype)
    wanted = frozenset(["h_new_0"] if genotype.macro.emit == "h0" else ["h_new_0", "h_new_1"])
    seen: list[frozenset[str]] = []
    farthest = NOTHING
    while wanted and wanted not in seen:
        seen.append(wanted)
        sources = frozenset().union(*(reads[name] for name in wanted))
        if INPUT in sources:
            farthest = len(seen) - 1
        wanted = frozenset(source.replace("prev", "new") for source in sources if STATE.fullmatch(source))
    if not wanted:
        return farthest
    loop = seen[seen.index(wanted) :]  # these sets of states come again and again, farther and farther back
    reads_x = any(INPUT in reads[name] for states in loop for name in states)
    return None if reads_x else farthest


def _reads_of_states(genotype: RecurrentGenotype) -> dict[str, frozenset[str]]:
    """For each h_new_i, what of x and the h_prev_i it is computed from."""
    reads: dict[str, frozenset[str]] = {}
    for node in genotype.nodes:  # in topological order
        reads[node.name] = frozenset().union(*(reads.get(source, frozenset([source])) for source in node.inputs))
    return {name: found for name, found in reads.items() if OUTPUT.fullmatch(name)}
