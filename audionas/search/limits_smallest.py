"""The smallest networks of a space: whether limits can be met, told before a search begins.

- CNN cells: the least parameters and MACs are exact, by the dynamic programme of `audionas.spaces.limited_derivation`.
- A space of at most `MAX_ENUMERATED` genotypes, such as a catalogue: every genotype is measured.
- Any other space: descent. From each of `N_STARTS` fixed random genotypes, every change of one option that lowers the
  cost is made until none does; the least end is taken for the smallest. It may miss a smaller one.
- Latency and memory of CNN cells do not add up over edges: the least of the networks with the fewest parameters, with
  the fewest MACs and, for each operation, of that operation alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import ceil, floor, log10

from audionas.errors import SettingsError
from audionas.models.edge_costs import EdgeCosts, measure_edge_costs
from audionas.models.meter import Meter
from audionas.quantities import ms_text
from audionas.search.limits import FLAGS, LimitCheck, Limits
from audionas.seeding import generator
from audionas.spaces import CnnCellSpace, CnnGenotype, Genotype, SearchSpace
from audionas.spaces.limited_derivation import Ceiling, cheapest

MAX_ENUMERATED = 1000
N_STARTS = 4
Measure = Callable[[Genotype], float]


def smallest_within(limits: Limits, space: SearchSpace, meter: Meter, costs: EdgeCosts | None = None) -> Genotype:
    """A small genotype that is within the limits.

    Raises:
        SettingsError: a limit, or two together, are below the smallest network that the space can reach; or no small
            network that was measured is within all of them.
    """
    tried: list[Genotype] = []
    for genotype in small_genotypes(limits, space, meter, costs):
        if limits.refusal(genotype, meter) is None:
            return genotype
        tried.append(genotype)
    raise SettingsError(_impossible(limits, space, meter, tried))


def small_genotypes(
    limits: Limits, space: SearchSpace, meter: Meter, costs: EdgeCosts | None = None
) -> Iterator[Genotype]:
    """Genotypes that hardly any other one of the space is smaller than, those with the fewest parameters first."""
    if isinstance(space, CnnCellSpace):
        yield from _small_cells(limits, space, meter, costs)
        return
    if space.size() <= MAX_ENUMERATED:
        yield from sorted(_enumerated(space), key=meter.parameters)
        return
    for measure in _measures(limits, meter):
        yield from sorted((_descended(space, measure, start) for start in range(N_STARTS)), key=measure)


def ceilings(limits: Limits, costs: EdgeCosts, length_s: float) -> list[Ceiling]:
    """The limits on parameters and MACs as ceilings of additive costs."""
    found = []
    if limits.max_parameters is not None:
        found.append(Ceiling(costs.parameters, limits.max_parameters))
    if limits.max_macs_per_second is not None:
        found.append(Ceiling(costs.macs, most_macs(limits.max_macs_per_second, length_s)))
    return found


def within_limits(check: LimitCheck, space: SearchSpace) -> Callable[[Genotype], bool]:
    """Tells whether a genotype is within the limits; of CNN cells, sums of edges rule most others out at once."""
    if not isinstance(space, CnnCellSpace):
        return lambda genotype: check.refusal(genotype) is None
    place = check.meter.place
    own = ceilings(check.limits, measure_edge_costs(space, place.input_shape, place.n_outputs), place.length_s)

    def is_within(genotype: Genotype) -> bool:
        assert isinstance(genotype, CnnGenotype)
        return all(each.cost.total(space, genotype) <= each.most for each in own) and check.refusal(genotype) is None

    return is_within


def most_macs(macs_per_second: float, length_s: float) -> int:
    """The largest whole number of MACs that over `length_s` is at most `macs_per_second`, rounding included."""
    most = floor(macs_per_second * length_s)
    while (most + 1) / length_s <= macs_per_second:
        most += 1
    while most / length_s > macs_per_second:
        most -= 1
    return most


def _small_cells(limits: Limits, space: CnnCellSpace, meter: Meter, costs: EdgeCosts | None) -> Iterator[Genotype]:
    costs = costs or measure_edge_costs(space, meter.place.input_shape, meter.place.n_outputs)
    within = ceilings(limits, costs, meter.place.length_s)
    for cost in (costs.parameters, costs.macs):
        found = cheapest(space, cost, within) or cheapest(space, cost)
        assert found is not None
        yield found
    for op in space.real_ops:
        edges = [(node, source) for node in range(2, space.nodes + 2) for source in range(space.kept(node))]
        cell = tuple((op, source) for _, source in edges)
        yield space.make(cell, cell)


def _enumerated(space: SearchSpace) -> list[Genotype]:
    """Every genotype of a small space whose decisions are one choice, or few."""
    choices = space.choices()
    samples = (dict(zip(choices, options, strict=True)) for options in product(*choices.values()))
    genotypes: list[Genotype] = [space.genotype(sample) for sample in samples]
    return list({genotype.hash: genotype for genotype in genotypes}.values())


def _descended(space: SearchSpace, measure: Measure, start: int) -> Genotype:
    choices = space.choices()
    sample = space.sample(space.random(generator(0, "smallest", start)))  # type: ignore[arg-type]
    best = measure(space.genotype(sample))
    before = None
    while before != best:
        before = best
        for label, options in choices.items():
            for option in options:
                size = measure(space.genotype({**sample, label: option}))
                if size < best:
                    sample, best = {**sample, label: option}, size
    return space.genotype(sample)


def _measures(limits: Limits, meter: Meter) -> list[Measure]:
    """What to descend on; the latency stands for itself only through MACs, as timing thousands would take hours."""
    found: list[Measure] = [meter.parameters]
    return [*found, meter.macs] if set(limits.as_record()) - {"max_parameters"} else found


def _impossible(limits: Limits, space: SearchSpace, meter: Meter, tried: list[Genotype]) -> str:
    """One line: the limit that no network meets and the smallest size, or that the limits exclude each other."""
    smallest = {
        "max_parameters": (meter.parameters, "{:,} parameters"),
        "max_macs_per_second": (meter.macs_per_second, "{:,.0f} MACs per second of audio"),
        "max_memory_mb": (meter.memory_mb, "{:.4g} MB memory of inference"),
        "max_latency_ms": (lambda genotype: meter.latency(genotype).median_ms, "a latency of {} (median)"),
    }
    where = f"{meter.place.length_s:.2f} s of audio"
    for name in smallest:
        limit = getattr(limits, name)
        if limit is None:
            continue
        measure, text = smallest[name]
        least = min(measure(genotype) for genotype in tried)
        if least > limit:
            size = text.format(ms_text(least) if name == "max_latency_ms" else least)
            return (
                f"{FLAGS[name]} {limit:,.10g}: no network of space {space.name!r} is that small; the smallest has "
                f"{size} ({'x'.join(map(str, meter.place.input_shape))} input, {where}); {_to_do(least)}"
            )
    flags = " and ".join(f"{FLAGS[name]} {value:,.10g}" for name, value in limits.as_record().items())
    sizes = "; ".join(sorted({refused for genotype in tried if (refused := limits.refusal(genotype, meter))})[:3])
    return f"{flags}: each can be met, but not all together in space {space.name!r} ({sizes}); raise one of them"


def _to_do(least: float) -> str:
    """What helps where a limit is below the least that is reached; of a fraction, three figures, rounded up.

    >>> _to_do(1208), _to_do(0.40391)
    ... # doctest: +NORMALIZE_WHITESPACE
    ('raise the limit to at least 1208, or take a space of smaller networks (fewer channels, cells or hidden units)',
     'raise the limit to at least 0.404, or take a space of smaller networks (fewer channels, cells or hidden units)')
    """
    digits = max(0, 2 - floor(log10(least)))
    enough = ceil(least * 10**digits) / 10**digits
    return (
        f"raise the limit to at least {enough:.12g}, or take a space of smaller networks (fewer channels, cells or "
        "hidden units)"
    )
