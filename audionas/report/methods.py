"""A paragraph of methods, written from what a run has on record. What is not on record gets no sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audionas.quantities import count_text, seconds_text
from audionas.report.quantities import data_name, group_word, plain
from audionas.report.run_files import JsonObject, RunFiles, read_run
from audionas.training.measures import measures_of

_PACKAGES = ("audionas", "python", "torch", "nni", "librosa", "scikit-learn")


def methods_paragraph(run: Path) -> str:
    """Corpus, protocol, features, search, retraining, scores, statistics, software and cost, sentence by sentence.

    Raises:
        RunError: the folder holds no run.
    """
    files = read_run(run)
    makers: tuple[Callable[[RunFiles], str], ...] = (
        _corpus, _protocol, _features, _search, _parts, _retraining, _tuning, _augmentation, _fusion, _scores,
        _statistics, _baselines, _seen, _software, _cost,
    )  # fmt: skip
    return " ".join(sentence for make in makers if (sentence := make(files)))


def _record(files: RunFiles) -> JsonObject:
    """The run.json that says most of the retraining, else of the search."""
    return files.retraining.run if files.retraining and files.retraining.run else files.top


def _metrics(files: RunFiles) -> JsonObject:
    return files.fusion or (files.retraining.metrics if files.retraining else None) or {}


def _summary(files: RunFiles) -> JsonObject:
    metrics = _metrics(files)
    return metrics.get("headline") or metrics.get("all_splits") or {}


def _corpus(files: RunFiles) -> str:
    data = files.data
    if not data.get("n_clips"):
        return ""
    labels = data.get("labels") or []
    text = f"We used {count_text(data['n_clips'], 'clip')} of {data_name(data)}"
    if data.get("speaker_independence_checked") and data.get("n_groups"):
        text += f" by {count_text(data['n_groups'], group_word(data))}"
    if labels:
        told = _LABELLED.get(str(data.get("task")), ("labelled with {}", "class", "classes"))
        text += f", {told[0].format(count_text(len(labels), *told[1:]))} ({', '.join(map(str, labels))})"
    if data.get("manifest_sha256"):
        text += f"; sha256 of the manifest: {data['manifest_sha256']}"
    unknown = (
        ""
        if data.get("speaker_independence_checked", True)
        else " The speakers are not known: each file is its own group, and speaker independence was not checked."
    )
    return f"{text}.{unknown}"


_LABELLED = {
    "multilabel": ("each labelled with any of {}", "label", "labels"),
    "regression": ("rated by {}", "number", "numbers"),
}


def _protocol(files: RunFiles) -> str:
    data, found = files.data, _summary(files)
    if not data.get("fold_source"):
        return ""
    name = f"protocol {data['protocol']}" if data.get("protocol") else "protocol"
    text = f"Test folds ({name}): {data['fold_source']}"
    if data.get("group_source") and data.get("speaker_independence_checked"):
        text += f"; groups: {data['group_source']}; no group was divided between parts or folds"
    if found.get("splits"):
        text += f"; {count_text(len(found['splits']), 'fold')} scored"
    return f"{text}."


def _features(files: RunFiles) -> str:
    records = [_record(files), *(search.run for search in files.searches)]
    record = next((record for record in records if record.get("features")), {})
    settings = dict(record.get("features") or {})
    name = settings.pop("extractor", settings.pop("name", None))
    if not name:
        return ""
    text = f"Features: {name} ({plain(settings)})" if settings else f"Features: {name}"
    shape = record.get("input_shape")
    text += f", as {' x '.join(map(str, shape))} (channels, features, frames)" if shape else ""
    return f"{text}, normalised with statistics of the training clips."


def _search(files: RunFiles) -> str:
    if not files.searches:
        return ""
    run = files.searches[0].run
    if not run.get("space") or not run.get("strategy"):
        return ""
    text = f"Architectures were searched in the space {run['space']} by the strategy {run['strategy']}"
    budget = [count_text(run["trials"], "trial")] if run.get("trials") else []
    if run.get("rungs"):
        budget[:1] = [f"trials of {len(run['rungs'])} fidelities, together worth {budget[0]}"]
    budget += [count_text(run["epochs"], "epoch") + (" each" if run.get("trials") else "")] if run.get("epochs") else []
    budget += [f"batches of {run['batch_size']}"] if run.get("batch_size") else []
    text += f" ({run['algorithm']}" if run.get("algorithm") else ""
    text += (f"; {', '.join(budget)})" if budget else ")") if run.get("algorithm") else ""
    text += f", seed {run['seed']}" if run.get("seed") is not None else ""
    if files.is_nested:
        return f"{text}, once for each test fold, whose clips that search did not read."
    return f"{text}, without the clips of test fold {run['split']}." if run.get("split") else f"{text}."


def _parts(files: RunFiles) -> str:
    parts = files.searches[0].run.get("parts") if files.searches else None
    told = [
        f"{name} ({count_text(part.get('n_clips'), 'clip')} of {count_text(part.get('n_groups'), 'group')})"
        for name, part in (parts or {}).items()
        if part
    ]
    which = " of the first fold's search" if files.is_nested else " of the search"
    return f"Parts{which}: {', '.join(told)}." if told else ""


def _retraining(files: RunFiles) -> str:
    run = files.retraining.run if files.retraining else {}
    if not run.get("epochs") or not run.get("seeds"):
        return ""
    options = run.get("options") or {}
    recipe = options.get("recipe") or {}
    how = (
        [f"{recipe['optimiser'].upper() if recipe['optimiser'] == 'sgd' else recipe['optimiser'].capitalize()}"]
        if recipe.get("optimiser")
        else []
    )
    tuned = run.get("tuning")
    how += [f"learning rate {recipe['learning_rate']:g}"] if recipe.get("learning_rate") and not tuned else []
    how += [f"weight decay {recipe['weight_decay']:g}"] if recipe.get("weight_decay") is not None else []
    how += [f"batches of {options['batch_size']}"] if options.get("batch_size") else []
    how += [f"class weighting {options['class_weighting']}"] if options.get("class_weighting") else []
    for_epochs = "" if tuned else f" for {count_text(run['epochs'], 'epoch')}"
    text = f"The networks were trained from scratch{for_epochs} in every fold"
    text += f" with {count_text(len(run['seeds']), 'seed')} ({', '.join(map(str, run['seeds']))})"
    text += f"; {', '.join(how)}" if how else ""
    main, _ = measures_of(_metrics(files))
    select = {
        "last": "the last epoch was taken",
        "best": f"the epoch was chosen by {main.name} on inner validation groups, never on test clips",
        "best_on_test": f"the epoch was chosen by {main.name} ON THE TEST CLIPS of each fold, so the scores are "
        "optimistic and not comparable",
    }.get(str(run.get("select")))
    return f"{text}; {select}." if select and not tuned else f"{text}."


def _tuning(files: RunFiles) -> str:
    grid = files.retraining.run.get("tuning") if files.retraining else None
    if not grid:
        return ""
    return f"Within each fold's training clips, inner folds by group chose among: {plain(grid)}."


def _augmentation(files: RunFiles) -> str:
    options: Mapping[str, Any] = (files.retraining.run.get("options") or {}) if files.retraining else {}
    recipe = options.get("recipe") or {}
    used = {name: value for name, value in (recipe.get("augmentation") or {}).items() if value}
    used |= {"drop_path": recipe["drop_path"]} if recipe.get("drop_path") else {}
    return f"Augmentation and regularisation in retraining: {plain(used)}." if used else ""


def _fusion(files: RunFiles) -> str:
    if files.kind != "fuse":
        return ""
    n_streams = len(files.top.get("streams") or [])
    trained = {
        "inner_oof": "inner out-of-fold predictions of its training clips",
        "paper": "the streams' predictions of its training clips, the epoch chosen on validation clips",
    }.get(str(files.top.get("mode")))
    if not n_streams or not trained:
        return ""
    streams = count_text(n_streams, "stream")
    what = {"multilabel": "label probabilities", "regression": "predictions"}.get(str(_metrics(files).get("task")))
    return f"The {what or 'class probabilities'} of {streams} were fused by an MLP, trained in each fold on {trained}."


def _scores(files: RunFiles) -> str:
    found = _summary(files)
    n_seeds = len(found.get("seeds") or [])
    if not found or not n_seeds:
        return ""
    spread = f"mean and standard deviation over {count_text(n_seeds, 'seed')}" if n_seeds > 1 else "one seed"
    main, second = measures_of(_metrics(files))
    is_classes = main.key == "ua"
    of, what = f"{main.meaning}, {second.meaning}", "the clips of the scored folds together"
    if is_classes:
        of = "UA is the mean class recall and WA the accuracy"
        what = "the confusion matrix summed over the scored folds"
    return f"{of}, each of {what} ({count_text(found.get('n_clips'), 'clip')}); {spread}."


def _statistics(files: RunFiles) -> str:
    found = _summary(files)
    sentences = [f"Intervals: {found['interval']}."] if found.get("interval") else []
    if found.get("chance"):
        sentences.append(f"p values against chance: {found['chance']['how']}.")
    if found.get("test"):
        sentences.append(f"Systems were compared by: {found['test']}.")
    if found.get("claim"):
        sentences.append(f"{found['claim'][:1].upper()}{found['claim'][1:]}.")
    return " ".join(sentences)


def _baselines(files: RunFiles) -> str:
    names = [record["name"] for record in (_metrics(files).get("baselines") or {}).get("headline") or []]
    return f"Plain baselines on the same folds: {', '.join(names)}." if names else ""


def _seen(files: RunFiles) -> str:
    seen = [split["name"] for split in _metrics(files).get("splits") or [] if split.get("seen_by_search")]
    if not seen:
        return ""
    left_out = "left out of the score" if _metrics(files).get("headline") else "scored nonetheless, so it is optimistic"
    return f"The search has read clips of test fold(s) {', '.join(seen)}: {left_out}."


def _software(files: RunFiles) -> str:
    record = _record(files)
    versions = [f"{name} {record['versions'][name]}" for name in _PACKAGES if (record.get("versions") or {}).get(name)]
    text = f"Software: {', '.join(versions)}." if versions else ""
    machine = record.get("machine") or {}
    if machine.get("processor"):
        cores = f", {count_text(machine['cores'], 'core')}" if machine.get("cores") else ""
        device = f"; device {record['device']}" if record.get("device") else ""
        threads = f", {count_text(record['threads'], 'thread')}" if record.get("threads") else ""
        text += f" Hardware: {machine['processor']}{cores}{device}{threads}."
    return text.strip()


def _cost(files: RunFiles) -> str:
    tops = [("search", files.top)] if files.kind in ("search", "nested_search") else []
    tops += [("retraining", files.retraining.run)] if files.retraining and files.retraining.run else []
    tops += [("fusion", files.top)] if files.kind == "fuse" else []
    told = [f"{what}: {_cost_words(run['cost'])}" for what, run in tops if (run.get("cost") or {}).get("seconds")]
    return f"Cost of the {'; of the '.join(told)}." if told else ""


def _cost_words(cost: Mapping[str, Any]) -> str:
    words = [f"{seconds_text(cost['seconds'])} of wall time"]
    if cost.get("device_seconds") is not None:
        words.append(f"{seconds_text(cost['device_seconds'])} of the device")
    passes = cost.get("clip_passes")
    if isinstance(passes, dict) and None not in (passes.get("forward"), passes.get("backward")):
        words.append(f"{passes['forward']:,} clips forward and {passes['backward']:,} backward")
    if cost.get("energy_joules") is not None:
        words.append(f"{cost['energy_joules']:,.0f} J")
    return ", ".join(words)
