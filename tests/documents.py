"""Reads the code blocks of Markdown pages, and makes what they speak of."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from audionas import sample
from audionas.audio.manifest import read_table

ROOT = Path(__file__).parent.parent
NOT_RUN = "# not run in tests"
CLIPS_EACH = 1  # of every speaker and label, so that the tour is quick
PAGES = tuple(sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")))
# Pages that later pages build on come first.
GUIDE = Path("docs/guide")
ORDER = (
    Path("README.md"), GUIDE / "searching.md", GUIDE / "recurrent.md", GUIDE / "comparing.md",
    Path("docs/how-to/own-space.md"), *PAGES,
)  # fmt: skip


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block; `title` names the file that its text is meant to be."""

    page: Path
    language: str
    title: str
    text: str


def code_blocks(page: Path) -> list[CodeBlock]:
    """The fenced blocks of a page of the repository, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    return [CodeBlock(page, language, title, body) for language, title, body in found]


def blocks(page: Path, language: str) -> list[str]:
    """The texts of the blocks of one language."""
    return [block.text for block in code_blocks(page) if block.language == language]


def audionas_lines(page: Path) -> list[str]:
    """Every `audionas ...` line of a page's bash blocks."""
    return [line for text in blocks(page, "bash") for line in text.splitlines() if line.startswith("audionas ")]


def make_my_folder(target: Path) -> None:
    """A folder per label of real clips whose names start with the speaker, as the README describes it."""
    table = read_table(sample.folder() / "manifest.csv")
    for _, row in table.groupby(["speaker", "label"], sort=False).head(CLIPS_EACH).iterrows():
        name = f"s{row['speaker']}_{Path(row['path']).stem[2:]}.flac"
        (target / row["label"]).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.folder() / row["path"], target / row["label"] / name)


def make_recordings(target: Path) -> None:
    """A folder per digit, as the tutorial describes it: tones of three speakers in place of speech."""
    rng, time_s = np.random.default_rng(0), np.arange(4000) / 8000
    for number, digit in enumerate(("zero", "one", "two")):
        for speaker, name in enumerate(("jackson", "lucas", "theo")):
            (target / digit).mkdir(parents=True, exist_ok=True)
            for take in range(2):
                tone = np.sin(2 * np.pi * (300 * (number + 1) + 20 * speaker) * time_s) + 0.1 * rng.normal(size=4000)
                soundfile.write(target / digit / f"{name}_{take}.wav", 0.3 * tone, 8000)


def make_table(folder: Path) -> None:
    """`table.csv` of clips in `my_folder`."""
    paths = sorted((folder / "my_folder").rglob("*.flac"))
    rows = [f"{path.relative_to(folder).as_posix()},{path.parent.name},{path.name[:3]}" for path in paths]
    (folder / "table.csv").write_text("\n".join(["path,label,speaker", *rows]) + "\n")
