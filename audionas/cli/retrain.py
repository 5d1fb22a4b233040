"""`audionas retrain`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from audionas.cli import completing
from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DatasetOption,
    DeviceOption,
    FeaturesOption,
    FoldsOption,
    GroupFromOption,
    GroupOption,
    JsonOption,
    LabelOption,
    OutOption,
    ProtocolOption,
    QuietOption,
    SkipBadOption,
    TaskOption,
    ThreadsOption,
    TrackerOption,
    numbers,
    refuse_beside_resume,
)  # fmt: skip
from audionas.cli.retrain_lines import result_lines


def retrain(
    context: typer.Context,
    sources: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders of searches, or genotype files; the data may come last."),
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Data to train on. Default: that of the search.")] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            autocompletion=completing.baselines,
            help="Train this hand-made system (audionas list baselines) instead; with DATA.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Of --baseline, key=value: a setting that is not its paper's.")
    ] = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="Of --baseline: epochs, batch size and weighting as in its paper.")
    ] = False,
    features: FeaturesOption = None,
    n_cells: Annotated[
        int | None, typer.Option("--cells", help="Stack so many CNN cells. Default: the genotype's.")
    ] = None,
    channels: Annotated[
        int | None, typer.Option("--channels", help="Channels of the first CNN cell. Default: the genotype's.")
    ] = None,
    n_layers: Annotated[
        int | None, typer.Option("--layers", help="Stack so many recurrent layers. Default: the genotype's.")
    ] = None,
    hidden: Annotated[
        int | None, typer.Option("--hidden", help="Width of a recurrent hidden state. Default: the genotype's.")
    ] = None,
    epochs: Annotated[
        str | None,
        typer.Option("--epochs", help="Epochs of every training; of several (20,40), each split chooses. Default: 60."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings per fold, seeds 0 to N-1.")] = 3,
    select: Annotated[
        str,
        typer.Option(
            "--select",
            help="last epoch, or best by an inner validation part of at least two groups. best_on_test: as papers "
            "without a validation set do it; such scores are optimistic, marked, and not ranked.",
        ),
    ] = "last",
    inner_folds: Annotated[
        int,
        typer.Option(
            "--inner-folds", help="For audionas fuse: inner out-of-fold predictions (3 is usual), 0 for none."
        ),
    ] = 0,
    settings_of: Annotated[
        Path | None,
        typer.Option(
            "--settings-of", help="Take the learning rate and epochs that this retraining chose in each split."
        ),
    ] = None,
    padding: Annotated[
        str, typer.Option("--padding", help="as_searched, masked, or counted like any other frame.")
    ] = "as_searched",
    final: Annotated[bool, typer.Option("--final", help="Also train one model on all clips, into RUN/final.")] = False,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Clips a batch. Default: 16.")] = None,
    optimiser: Annotated[
        str | None,
        typer.Option(
            "--optimiser", help="sgd or adam. Default: sgd for CNN cells, adam for recurrent ones, else the paper's."
        ),
    ] = None,
    learning_rate: Annotated[
        str | None,
        typer.Option(
            "--learning-rate",
            help="Initial rate, decayed by a cosine. Default: 0.025 with SGD (CNN cells), 0.001 with Adam (recurrent). "
            "Of several (0.01,0.025), each split chooses by inner folds of its training clips.",
        ),
    ] = None,
    class_weighting: Annotated[
        str | None, typer.Option("--class-weighting", help="balanced, none or sampler. Default: balanced.")
    ] = None,
    drop_path: Annotated[
        float, typer.Option("--drop-path", help="Probability to drop an edge, raised linearly.")
    ] = 0.0,
    auxiliary: Annotated[bool, typer.Option("--auxiliary", help="Train with DARTS's auxiliary classifier.")] = False,
    time_mask: Annotated[float, typer.Option("--time-mask", help="SpecAugment: largest share of frames masked.")] = 0.0,
    feature_mask: Annotated[
        float, typer.Option("--feature-mask", help="SpecAugment: largest share of features masked.")
    ] = 0.0,
    mixup: Annotated[float, typer.Option("--mixup", help="Alpha of mixup; 0 is off.")] = 0.0,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            autocompletion=completing.augmentations,
            help="Augmented copies of training clips: a name (speech, noise) or a YAML file.",
        ),
    ] = None,
    test_noise: Annotated[
        Path | None,
        typer.Option("--test-noise", help="Folder of noise: score the test clips with it too, at each --snr."),
    ] = None,
    snr: Annotated[
        str | None, typer.Option("--snr", help="For --test-noise: signal-to-noise ratios in dB, as 20,10,0.")
    ] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the retraining in this folder.")] = None,
    device: DeviceOption = "cpu",
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision",
            help="32, or mixed with 16 or bf16. Default: bf16 on a GPU that has it, 16 on an older one, 32 on the CPU.",
        ),
    ] = None,
    compiles: Annotated[
        bool,
        typer.Option(
            "--compile", help="Compile networks by torch.compile: takes minutes, pays for long trainings only."
        ),
    ] = False,
    threads: ThreadsOption = None,
    workers: Annotated[
        int,
        typer.Option("--workers", help="Trainings at a time, each in a process of its own; on GPUs dealt over all."),
    ] = 1,
    out: OutOption = None,
    dataset: DatasetOption = None,
    task: TaskOption = None,
    label: LabelOption = None,
    group: GroupOption = None,
    group_from: GroupFromOption = None,
    folds: FoldsOption = None,
    protocol: ProtocolOption = None,
    skip_bad: SkipBadOption = False,
    tracker: TrackerOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train genotypes from scratch under every fold and several seeds; leaves metrics.json.

    Example: audionas retrain runs/first --epochs 2 --seeds 1

    A hand-made system under the same rules: audionas retrain --baseline plain_cnn DATA
    """
    from audionas.errors import SettingsError
    from audionas.experiment import retrain as steps
    from audionas.experiment.noise_scores import parse_snr
    from audionas.experiment.prepare import PrepareOptions
    from audionas.experiment.retrain_recipe import TrainingRules, rules_of
    from audionas.models.baselines import named_baseline
    from audionas.records import read_json

    macro = _given(n_cells=n_cells, channels=channels, n_layers=n_layers, hidden=hidden)
    rates = numbers("--learning-rate", learning_rate, float) if learning_rate else ()
    recipe = {
        **_given(optimiser=optimiser, learning_rate=rates[0] if rates else None),
        "drop_path": drop_path,
        "augmentation": {"time_mask": time_mask, "feature_mask": feature_mask, "mixup_alpha": mixup},
    }
    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context, "workers")
                run = steps.resume_retraining(resume, talk, workers)
            else:
                if not sources and baseline is None:
                    raise SettingsError("nothing to retrain: name a run folder, a genotype file or --baseline NAME")
                if baseline is None and (settings or paper):
                    raise SettingsError(f"{'--set' if settings else '--paper'}: goes with --baseline NAME")
                system = None if baseline is None else named_baseline(baseline, _pairs(settings or []))
                rules = rules_of(system) if system and paper else TrainingRules()
                epochs_tried = numbers("--epochs", epochs or str(rules.epochs), int)
                genotypes, data = _baseline_data(sources, data) if system else _split_sources(sources or [], data)
                preparation = PrepareOptions(
                    dataset, label, group, group_from, folds, None, None, skip_bad, protocol, task
                )
                request = steps.RetrainRequest(
                    genotypes, data, features, macro, epochs_tried[0], seeds, select,
                    rules.batch_size if batch_size is None else batch_size, class_weighting or rules.class_weighting,
                    recipe, auxiliary, final, device, threads, out, preparation, tuple(sys.argv[1:]), inner_folds,
                    padding, rates, epochs_tried,
                    test_noise=test_noise, snr_db=parse_snr(snr) if snr is not None else (),
                    augment=augment, settings_of=settings_of, baseline=system, trackers=tuple(tracker or ()),
                    precision=precision, compiles=compiles, workers=workers,
                )  # fmt: skip
                run = steps.retrain(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("retrain", why))
            raise typer.Exit(130) from why
    metrics = read_json(run / "metrics.json", "metrics file")
    print_result(result_lines(run, metrics), {"run": str(run), "metrics": metrics}, as_json=as_json)


def _pairs(texts: list[str]) -> dict[str, str]:
    """`key=value` as a mapping."""
    from audionas.errors import SettingsError

    for text in texts:
        if not text.partition("=")[2]:
            raise SettingsError(f"--set: got {text!r}, must be key=value")
    return {key.strip(): value for key, _, value in (text.partition("=") for text in texts)}


def _baseline_data(sources: list[Path] | None, data: Path | None) -> tuple[tuple[Path, ...], Path | None]:
    """Of a hand-made system the only argument is the data."""
    from audionas.errors import SettingsError

    places = [*(sources or []), *([data] if data else [])]
    if len(places) > 1:
        raise SettingsError(f"--baseline: takes one DATA, got {' '.join(map(str, places))}")
    return (), places[0] if places else None


def _given(**values: Any) -> dict[str, Any]:
    """What the user named; the rest has defaults that depend on the genotype."""
    return {name: value for name, value in values.items() if value is not None}


def _split_sources(sources: list[Path], data: Path | None) -> tuple[tuple[Path, ...], Path | None]:
    """The last of several sources is the data when it is neither a run folder nor a genotype file."""
    last = sources[-1]
    is_genotype = last.suffix == ".json" or (last / "run.json").exists() or (last / "genotype.json").exists()
    if data is None and len(sources) > 1 and not is_genotype:
        return tuple(sources[:-1]), last
    return tuple(sources), data
