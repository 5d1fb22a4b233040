"""Options that several subcommands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from audionas.cli import completing
from audionas.cli.command import QUIET_HELP
from audionas.errors import SettingsError

Number = TypeVar("Number", int, float)

DataArgument = Annotated[
    Path | None,
    typer.Argument(help="A folder per label, a corpus root, a CSV or a prepared folder. Default: the shipped sample."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Output folder; must be new or empty.")]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        autocompletion=completing.datasets,
        help="Corpus layout; recognised when left out (audionas list datasets).",
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option("--label", help="CSV column of the label; of a regression several, as in valence,activation."),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        autocompletion=completing.tasks,
        help="classification (one class a clip), multilabel (labels separated by ';') or regression (numbers). "
        "Default: classification, or multilabel where a label holds ';'.",
    ),
]
GroupOption = Annotated[str | None, typer.Option("--group", help="CSV column of the speaker or recording.")]
GroupFromOption = Annotated[
    str | None,
    typer.Option("--group-from", help="Regular expression on file names; its first group names the speaker."),
]
FoldsOption = Annotated[
    str | None,
    typer.Option("--folds", help="Number of folds to make, a CSV column, or 'split' (train/dev/test)."),
]
ProtocolOption = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        autocompletion=completing.protocols,
        help="What tests and what selects: folds, folds_with_dev, leave_one_group_out, speaker_pairs (or "
        "speaker_pairs:F, speaker_pairs:M). Default: the corpus's.",
    ),
]
WindowOption = Annotated[float | None, typer.Option("--window", help="Cut recordings into windows of so many seconds.")]
HopOption = Annotated[float | None, typer.Option("--hop", help="Seconds between windows. Default: the window.")]
SkipBadOption = Annotated[
    bool,
    typer.Option("--skip-bad", help="Leave out unreadable clips, counted and listed, instead of stopping."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="cpu, cuda or cuda:N.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", help="CPU threads. Default: 1 for small inputs, else torch's choice.")
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        autocompletion=completing.engines,
        help="Where trials run: in_process (default), process_pool or ray.",
    ),
]
TrialWorkersOption = Annotated[
    int | None,
    typer.Option("--trial-workers", help="Trials at a time in each search, of process_pool and ray. Default: 2."),
]
TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", help="Seconds after which a trial is stopped. Default: never.")
]
TrackerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tracker",
        autocompletion=completing.trackers,
        help="Also log to csv, tensorboard, mlflow or wandb; may be given several times.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
EnsembleOption = Annotated[
    bool, typer.Option("--ensemble", help="The networks of all folds and seeds, their probabilities averaged.")
]
FoldOption = Annotated[
    str | None, typer.Option("--fold", help="The network of one fold: the one that did not train on it. By its name.")
]
NetworkSeedOption = Annotated[
    int | None,
    typer.Option("--seed", help="Of --fold: which seed's network (default: the first). Of --ensemble: only it."),
]
FEATURES_HELP = (
    "Features: a name, a YAML file, or a trained encoder as pretrained:MODEL[@LAYER], wav2vec:FILE, "
    "emotionnas_wav2vec:FILE, ge2e:FILE or fop:PLACE[@LEVEL] (of audionas pretrain)."
)
FeaturesOption = Annotated[
    str | None, typer.Option("--features", autocompletion=completing.features, help=FEATURES_HELP)
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help=QUIET_HELP)]


def numbers(flag: str, text: str, kind: type[Number]) -> tuple[Number, ...]:
    """The numbers of a comma-separated list.

    Raises:
        SettingsError: a word is no number.
    """
    try:
        return tuple(kind(word) for word in text.split(","))
    except ValueError:
        word = "whole numbers" if kind is int else "numbers"
        raise SettingsError(f"{flag}: got {text!r}; accepted: {word}, several with commas between") from None


def refuse_beside_resume(context: typer.Context, *needed: str) -> None:
    """A resumed run keeps its settings; anything else on the command line would be ignored, so it is refused.

    Raises:
        SettingsError: options or arguments stand beside --resume.
    """
    free = {"resume", "as_json", "quiet", *needed}
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    extra = sorted(name.replace("_", "-") for name in given if name not in free)
    if extra:
        raise SettingsError(
            f"--resume takes nothing else, the run folder holds all settings; remove {', '.join(extra)}"
        )
