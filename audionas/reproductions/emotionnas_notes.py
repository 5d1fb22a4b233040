"""What a reader of the tables of a reproduction of EmotionNAS must know."""

from __future__ import annotations

from pathlib import Path

from audionas.audio.manifest import Manifest
from audionas.experiment.run_folder import RunFolder
from audionas.features import TRAINED, encoder_note
from audionas.reproductions.emotionnas_plan import Plan


def notes_of(run: RunFolder, plan: Plan, manifest: Manifest) -> list[str]:
    """A line each: clips and protocol, whose figures the paper's are, the encoder, what frames stood to choose from."""
    settings = RunFolder.open(run.path / "frames" / "masked").record["features"]
    lines = [
        f"{len(manifest)} rows of {manifest.dataset} in {manifest.root.name}; protocol {manifest.protocol}; every "
        "split was searched, normalised and trained without its test speakers",
        "the paper's figures are on IEMOCAP; on another corpus only the sizes can be compared",
    ]
    if settings["extractor"] in TRAINED:
        lines.append(f"frames: {encoder_note(settings)}")
    lines += [f"frames {number}: {name}" for number, name in enumerate(frame_names(plan), start=1)]
    if len(plan.frames) > 1:
        lines.append("each split took the frames whose best recipe had the lowest validation loss on its search clips")
    if plan.is_smoke:
        lines.append("a miniature: its scores say nothing")
    return [*lines, *manifest.notes]


def frame_names(plan: Plan) -> list[str]:
    """What kinds of frames were tried, where there are several; of a file its name."""
    return [Path(name).name for name in plan.frames] if len(plan.frames) > 1 else []
