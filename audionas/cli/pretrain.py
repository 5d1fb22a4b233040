"""`audionas pretrain`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DatasetOption,
    DeviceOption,
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
    refuse_beside_resume,
)


def pretrain(
    context: typer.Context,
    data: Annotated[
        list[Path] | None,
        typer.Argument(help="Audio to learn from, labels ignored: folders, corpora, tables or prepared folders."),
    ] = None,
    exclude_test_of: Annotated[
        Path | None,
        typer.Option(
            "--exclude-test-of",
            help="The corpus that will be tested: one pre-training for each of its splits, without the test groups.",
        ),
    ] = None,
    include_test_speakers: Annotated[
        bool,
        typer.Option(
            "--include-test-speakers", help="Leave nothing out, though the data hold speakers that will be tested."
        ),
    ] = False,
    epochs: Annotated[int, typer.Option("--epochs", help="Epochs at most.")] = 50,
    patience: Annotated[
        int, typer.Option("--patience", help="Stop after so many epochs without a lower validation error.")
    ] = 5,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Clips a batch.")] = 32,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="Of Adam, constant.")] = 1.0e-3,
    loss: Annotated[str, typer.Option("--loss", help="mse (mean squared error) or l1 (mean distance).")] = "mse",
    seed: Annotated[int, typer.Option("--seed", help="Fixes weights, order, cuts and the validation part.")] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A size of the encoder, as in width=128; several times. Default: the paper's."),
    ] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the pre-training in this folder.")] = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    out: OutOption = None,
    dataset: DatasetOption = None,
    task: TaskOption = None,
    label: LabelOption = None,
    group: GroupOption = None,
    group_from: GroupFromOption = None,
    folds: FoldsOption = None,
    protocol: ProtocolOption = None,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn from audio without labels by predicting the next frame (FOP, Lian et al. 2019).

    The options from --dataset to --protocol say how the corpus of --exclude-test-of is read and divided.

    \b
    Example: audionas pretrain recordings --exclude-test-of recordings --epochs 1 --out runs/pretrained
    """
    from audionas.errors import SettingsError
    from audionas.experiment import pretrain as steps
    from audionas.experiment.prepare import PrepareOptions
    from audionas.experiment.run_folder import RunFolder
    from audionas.training.pretraining import PretrainingPlan

    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context)
                run = steps.resume_pretraining(resume, talk)
            else:
                if not data:
                    raise SettingsError("nothing to learn from: name folders of audio, tables or prepared folders")
                request = steps.PretrainRequest(
                    tuple(data), PretrainingPlan(epochs, patience, batch_size, learning_rate, loss, seed, device),
                    exclude_test_of, include_test_speakers,
                    sizes_of(settings or []), threads, out,
                    PrepareOptions(dataset, label, group, group_from, folds, None, None, skip_bad, protocol, task),
                    tuple(sys.argv[1:]),
                )  # fmt: skip
                run = steps.pretrain(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("pretrain", why))
            raise typer.Exit(130) from why
    record = RunFolder.open(run, steps.KIND)
    folders = steps.weights_folders(record)
    records = [RunFolder.open(folder, steps.KIND).record for folder in folders]
    kept = ("split", "epochs_run", "epoch_used", "validation_loss", "weights_sha256")
    facts = [{key: record.get(key) for key in kept} for record in records]
    lines = [f"run: {run}", *(f"weights: {folder / steps.WEIGHTS_FILE}" for folder in folders)]
    tested = exclude_test_of or record.record.get("tested", {}).get("root", "CORPUS")
    print_result(
        [*lines, f"next: audionas retrain {run} {tested}"], {"run": str(run), "weights": facts}, as_json=as_json
    )


def sizes_of(settings: list[str]) -> dict[str, str]:
    """`key=value` texts as a mapping.

    Raises:
        SettingsError: a text has no `=`.
    """
    from audionas.errors import SettingsError

    pairs = [text.partition("=") for text in settings]
    for key, equals, value in pairs:
        if not (key and equals and value):
            raise SettingsError(f"--set: got {key + equals + value!r}; accepted: KEY=VALUE, as in width=128")
    return {key: value for key, _, value in pairs}
