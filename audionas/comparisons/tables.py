"""The tables of a comparison: scores, differences with p values, the distribution of random architectures, costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audionas.audio.manifest import Manifest
from audionas.comparisons.arms import Arm, baseline_systems, read_arm
from audionas.comparisons.plan import RANDOM_ARCHITECTURES, RANDOM_SEARCH, Plan
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.table import Cell, Table, interval_cell, mean_sd_cell
from audionas.quantities import count_text, p_text
from audionas.records import write_json, write_text
from audionas.statistics.chance import chance
from audionas.statistics.claims import why_no_claim
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate, score_estimate
from audionas.statistics.relative_improvement import relative_improvement
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System
from audionas.training.measures import measures_of

ALPHA = 0.05


def write_tables(run: RunFolder, plan: Plan) -> None:
    """Write `tables.json` and `tables.md` of a finished comparison."""
    document, tables = comparison_document(run, plan)
    write_json(run.path / "tables.json", document)
    said = [*(f"- {line}" for line in document["conclusions"]), "", *(f"- {note}" for note in document["notes"]), ""]
    write_text(run.path / "tables.md", "\n".join([*said, *(table.markdown() for table in tables)]))


def comparison_document(run: RunFolder, plan: Plan) -> tuple[dict[str, Any], list[Table]]:
    """What `tables.json` holds, computed from the predictions and costs in a comparison's folder; and its tables."""
    out = run.path
    manifest = Manifest.read(out / "prepared")
    arms = {name: read_arm(out, plan, name) for name in plan.names}
    baselines = baseline_systems(out, plan)
    main = measures_of({"task": manifest.task})[0].name
    pairs = _comparisons(arms, baselines, plan)
    tables = [
        _scores_table(arms, baselines, main),
        _differences_table(pairs, main),
        _architectures_table(arms, main),
        _cost_table(arms),
    ]
    conclusions = _conclusions(arms, pairs)
    notes = _notes(run, plan, manifest, arms)
    document = {
        "schema_version": 1,
        "kind": "compare",
        "plan": plan.as_record(),
        "conclusions": conclusions,
        "tables": [table.record() for table in tables],
        "arms": {name: _arm_record(arm) for name, arm in arms.items()},
        "comparisons": pairs,
        "notes": notes,
    }
    return document, tables


def _comparisons(arms: Mapping[str, Arm], baselines: Mapping[str, System], plan: Plan) -> list[dict[str, Any]]:
    """Every searched arm against random search, random architectures, the best hand-made network and plain system.

    Holm's correction is over all.
    """
    random = arms[RANDOM_ARCHITECTURES]
    networks = {name: arms[name] for name in plan.networks}
    found = []
    for name in plan.arms:
        rivals: list[tuple[str, System, System]] = []
        if name != RANDOM_SEARCH:
            rivals.append((RANDOM_SEARCH, arms[name].system, arms[RANDOM_SEARCH].system))
        rivals.append((RANDOM_ARCHITECTURES, *_run_by_run(arms[name], random)))
        rivals += [(rival, *_run_by_run(arms[name], networks[rival])) for rival in _best(networks)]
        rivals += [(rival, arms[name].system, system) for rival, system in _strongest(baselines).items()]
        found += [_difference(name, rival, first, second) for rival, first, second in rivals]
    for record, adjusted in zip(found, holm([record["p"] for record in found]), strict=True):
        record["p_holm"] = adjusted
        record["is_shown"] = adjusted <= ALPHA and record["claim"] is None
    return found


def _run_by_run(arm: Arm, rival: Arm) -> tuple[System, System]:
    """Predictions paired run by run: each of the rival (random architectures) with each of the arm, seed by seed."""
    first = tuple(found for run in arm.runs for _ in rival.runs for found in run.seeds)
    second = tuple(found for _ in arm.runs for run in rival.runs for found in run.seeds)
    one, other = arm.runs[0], rival.runs[0]
    return (
        System(arm.name, first, one.score, one.are_groups_known),
        System(rival.name, second, other.score, other.are_groups_known),
    )


def _best(networks: Mapping[str, Arm]) -> list[str]:
    """The name of the one with the highest mean, if there are any; of equals the first."""
    return [max(networks, key=lambda name: networks[name].mean_sd()[0])] if networks else []


def _strongest(baselines: Mapping[str, System]) -> dict[str, System]:
    if not baselines:
        return {}
    best = max(baselines, key=lambda name: score_estimate(baselines[name]).value)
    return {best: baselines[best]}


def _difference(name: str, rival: str, first: System, second: System) -> dict[str, Any]:
    estimate, test = difference_estimate(first, second), sign_flip(first, second)
    return {
        "arm": name,
        "minus": rival,
        "difference": estimate.value,
        "interval": estimate.interval,
        "how": estimate.how,
        "p": test.p,
        "test": test.how,
        "claim": why_no_claim(first),
    }


def _scores_table(arms: Mapping[str, Arm], baselines: Mapping[str, System], score: str) -> Table:
    random = arms[RANDOM_ARCHITECTURES].mean_sd()[0]
    rows: list[tuple[Cell, ...]] = []
    for name, arm in arms.items():
        value, sd = arm.mean_sd()
        is_said = name != RANDOM_ARCHITECTURES and random > 0  # a CCC may be 0 or less, and has then no shares
        improvement = f"{relative_improvement(value, random):+.1f} %" if is_said else None
        sizes = " to ".join(f"{size:,}" for size in sorted({min(arm.parameters), max(arm.parameters)}))
        rows.append((name, mean_sd_cell(value, sd), *_evidence(arm.system), improvement, sizes))
    for name, system in baselines.items():
        rows.append((name, f"{score_estimate(system).value:.3f}", *_evidence(system), None, None))
    columns = (
        "arm", f"{score}, mean +- sd over searches and seeds", "95 % interval over groups", "p against chance",
        "relative improvement over random architectures", "parameters",
    )  # fmt: skip
    note = (
        f"{score_estimate(arms[RANDOM_ARCHITECTURES].system).how}. Relative improvement: 100 x (arm - random) / random "
        "(Yang et al. 2020). Random architectures are all retrained, none is chosen. Parameters: those of the largest "
        "network of the splits, over the runs of an arm."
    )
    return Table("Scores", columns, tuple(rows), note)


def _evidence(system: System) -> tuple[Cell, Cell]:
    return interval_cell(score_estimate(system).interval), p_text(chance(system).p)


def _differences_table(pairs: Sequence[Mapping[str, Any]], score: str) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{pair['arm']} - {pair['minus']}", f"{pair['difference']:+.3f}", interval_cell(pair["interval"], "+.3f"),
            p_text(pair["p"]), p_text(pair["p_holm"]), "yes" if pair["is_shown"] else "no",
        )
        for pair in pairs
    ]  # fmt: skip
    columns = ("difference", score, "95 % interval", "p", "p, Holm", "shown")
    note = f"{pairs[0]['test']}; Holm's correction over all {len(pairs)} rows." if pairs else ""
    return Table("Differences", columns, tuple(rows), note)


def _architectures_table(arms: Mapping[str, Arm], score: str) -> Table:
    """Where each searched arm stands among the random architectures."""
    random = arms[RANDOM_ARCHITECTURES]
    each = sorted(_mean(run) for run in random.runs)
    rows: list[tuple[Cell, ...]] = [
        (f"random architecture {k}", f"{value:.3f}", random.parameters[k], None)
        for k, value in enumerate(_mean(run) for run in random.runs)
    ]
    rows.append(("lowest, median, highest", f"{each[0]:.3f}, {_median(each):.3f}, {each[-1]:.3f}", None, None))
    for name, arm in arms.items():
        if name != RANDOM_ARCHITECTURES:
            value = arm.mean_sd()[0]
            beaten = sum(value > other for other in each)
            rows.append((name, f"{value:.3f}", None, f"above {beaten} of {len(each)}"))
    return Table(
        "Random architectures, each retrained without any choice", ("", f"{score}, mean over seeds", "parameters", ""),
        tuple(rows),
    )  # fmt: skip


def _cost_table(arms: Mapping[str, Arm]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, arm in arms.items():
        searched, retrained = arm.search["clip_passes"], arm.retraining["clip_passes"]
        rows.append((
            name, searched["forward"] + searched["backward"], round(arm.search["device_seconds"]), arm.compared,
            retrained["forward"] + retrained["backward"], round(arm.retraining["device_seconds"]), arm.settings,
        ))  # fmt: skip
    columns = (
        "arm", "search: clip-passes", "search: device s", "architectures compared a split", "retraining: clip-passes",
        "retraining: device s", "settings compared a split",
    )  # fmt: skip
    note = (
        "Clip-passes, forward and backward, of all splits, searches and seeds; tuning is part of retraining. A pass "
        "through a supernet is several times dearer than one through a network cut out of it."
    )
    return Table("Cost", columns, tuple(rows), note)


def _conclusions(arms: Mapping[str, Arm], pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the comparison shows, arm by arm, and what it does not."""
    lines = []
    for name, arm in arms.items():
        own = [pair for pair in pairs if pair["arm"] == name]
        if not own:
            continue
        against = "; ".join(_claim_text(pair) for pair in own)
        lines.append(f"{name} ({mean_sd_cell(*arm.mean_sd())}): {against}")
    claim = next((pair["claim"] for pair in pairs if pair["claim"]), None)
    return [*lines, claim] if claim else lines


def _claim_text(pair: Mapping[str, Any]) -> str:
    if not pair["is_shown"]:
        return f"not shown to differ from {pair['minus']} ({pair['difference']:+.3f}, p {p_text(pair['p_holm'])})"
    side = "better" if pair["difference"] > 0 else "worse"
    return f"{side} than {pair['minus']} ({pair['difference']:+.3f}, p {p_text(pair['p_holm'])})"


def _notes(run: RunFolder, plan: Plan, manifest: Manifest, arms: Mapping[str, Arm]) -> list[str]:
    n_groups = len({clip.group for clip in manifest.clips})
    rates = " or ".join(f"{rate:g}" for rate in plan.learning_rates)
    epochs = " or ".join(map(str, plan.epochs))
    rule = f"{epochs} epochs, {f'learning rate {rates}' if rates else 'the default learning rate'}"
    is_chosen = len(plan.learning_rates) > 1 or len(plan.epochs) > 1
    chosen = ", chosen by inner folds of each split's training clips" if is_chosen else ""
    lines = [
        f"{len({clip.clip for clip in manifest.clips})} clips of {count_text(n_groups, 'group')}, {manifest.dataset}, "
        f"protocol {manifest.protocol}; every split was searched, tuned and trained without its test clips",
        f"every arm: {count_text(plan.seeds, 'retraining seed')}, {count_text(plan.searches, 'search seed')}, "
        f"{rule}{chosen}",
    ]
    if plan.reference:
        trials = {name: arm.compared for name, arm in arms.items() if arm.compared and name != plan.reference}
        listed = ", ".join(f"{name} {n}" for name, n in trials.items())
        lines.append(f"budget: the clip-passes of {plan.reference}; trials a split, re-tests apart: {listed}")
    if plan.searches == 1:
        lines.append("one search seed: what another search of the same kind would find is not in any interval")
    return [*lines, *run.record["warnings"], *manifest.notes]


def _arm_record(arm: Arm) -> dict[str, Any]:
    estimate, against_chance = score_estimate(arm.system), chance(arm.system)
    value, sd = arm.mean_sd()
    return {
        "score": arm.system.score.name,
        "mean": value,
        "sd": sd,
        "interval": estimate.interval,
        "how": estimate.how,
        "chance": against_chance.as_record(),
        "verdict": against_chance.verdict,
        "each": arm.scores(),
        "parameters": list(arm.parameters),
        "search_cost": arm.search,
        "retraining_cost": arm.retraining,
        "architectures_compared": arm.compared,
        "settings_compared": arm.settings,
    }


def _mean(system: System) -> float:
    return score_estimate(system).value


def _median(values: Sequence[float]) -> float:
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
