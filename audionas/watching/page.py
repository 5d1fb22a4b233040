"""The report of a run as a page that reloads itself; made anew only when the run's files have changed."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audionas.errors import AudionasError
from audionas.watching.lines import snapshot_lines
from audionas.watching.snapshot import Snapshot
from audionas.watching.take import take_snapshot

SCRIPT = (Path(__file__).parent / "live.js").read_text(encoding="utf-8")
_LEFT_OUT = ("checkpoint", "features", "prepared", "trackers")  # folders that hold nothing that a page shows
_SUFFIXES = (".json", ".jsonl", ".yaml", ".csv")
_META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
REST = 4.0  # times as long as a page took: at most a fifth of one core goes into pages
PLAIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class LivePage:
    """A page as it is served: its HTML, and the policy that goes with it."""

    text: str
    policy: str


class LiveReport:
    """The page of one run; safe to be asked by several threads.

    Args:
        run: folder of the run; only read.
        every_s: how often a browser asks whether it has changed.

    Raises:
        RunError: the folder holds no run.
    """

    def __init__(self, run: Path, every_s: float) -> None:
        self._run, self._every_s = run, every_s
        self._lock = threading.Lock()
        self._page: tuple[str, LivePage] | None = None
        self._rest_until = 0.0
        self.n_rendered = 0
        take_snapshot(run)

    def state(self) -> dict[str, object]:
        """What `/state` answers: the version of the page, whether the run goes on, a line on it.

        Raises:
            RunError: the folder holds no run any more.
        """
        snapshot = take_snapshot(self._run)
        version = self._page[0] if self._page and self._rests(snapshot) else self._version(snapshot)
        return {"version": version, "is_running": not snapshot.has_ended, "line": _line(snapshot)}

    def page(self) -> LivePage:
        """The page as of now.

        Raises:
            RunError: the folder holds no run any more.
        """
        with self._lock:
            snapshot = take_snapshot(self._run)
            version = self._version(snapshot)
            if self._page is None or (self._page[0] != version and not self._rests(snapshot)):
                started = time.monotonic()
                self._page = (version, self._made(snapshot, version))
                self._rest_until = time.monotonic() + REST * (time.monotonic() - started)
                self.n_rendered += 1
            return self._page[1]

    def _rests(self, snapshot: Snapshot) -> bool:
        """Whether the last page was made so short a time ago that another would take the run's processor."""
        return not snapshot.has_ended and time.monotonic() < self._rest_until

    def _version(self, snapshot: Snapshot) -> str:
        """Changes whenever a file that the page shows, or the state of the run, does."""
        stamps = [snapshot.state, *(f"{name} {mtime} {size}" for name, mtime, size in sorted(_stamps(self._run)))]
        return hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:16]

    def _made(self, snapshot: Snapshot, version: str) -> LivePage:
        try:
            text = _report(self._run)
        except AudionasError as why:  # a kind without a report, or a file that is damaged: the plain text then
            text = _plain_page(snapshot, str(why))
        return with_reload(text, _line(snapshot), version, self._every_s)


def with_reload(text: str, line: str, version: str, every_s: float) -> LivePage:
    """A page with the script that reloads it, and a policy that lets nothing else run or be asked."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    found = _META.search(text)
    policy = _extended(html.unescape(found[1]) if found else PLAIN_POLICY, f"'sha256-{digest}'")
    text = _META.sub("", text, count=1)  # the header says it
    bar = f'<p id="live" role="status">{html.escape(line)}</p>'
    script = f'<script data-version="{version}" data-every="{round(every_s * 1000)}">{SCRIPT}</script>'
    body, end, rest = text.rpartition("</body>")
    if not end:
        return LivePage(text + bar + script, policy)
    return LivePage(re.sub(r"<main[^>]*>", lambda main: main[0] + bar, body, count=1) + script + end + rest, policy)


def _extended(policy: str, script: str) -> str:
    """A policy that also lets one script run, which may ask this server; and no page may frame it."""
    parts = [part.split() for part in policy.split(";") if part.split()]
    rules = {part[0]: [word for word in part[1:] if word != "'none'"] for part in parts}
    rules["default-src"] = ["'none'"]
    rules.setdefault("script-src", []).append(script)
    rules["connect-src"] = ["'self'"]
    for name in ("frame-ancestors", "form-action", "base-uri"):
        rules[name] = ["'none'"]
    return "; ".join(" ".join([name, *(words or ["'none'"])]) for name, words in rules.items())


def _report(run: Path) -> str:
    from audionas.report.page import render
    from audionas.report.run_files import read_run

    return render(read_run(run))


def _plain_page(snapshot: Snapshot, why: str) -> str:
    """What a terminal shows, where there is no report."""
    lines = [*snapshot_lines(snapshot), "", f"no report: {why}"]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{html.escape(snapshot.title)}</title>"
        "<style>body { margin: 1rem; font: 15px/1.5 system-ui, sans-serif } pre { white-space: pre-wrap }</style>"
        f"</head><body><main><pre>{html.escape(chr(10).join(lines))}</pre></main></body></html>\n"
    )


def _line(snapshot: Snapshot) -> str:
    if snapshot.has_ended:
        return f"audionas watch: {snapshot.ended or snapshot.state}"
    return f"audionas watch: {snapshot.state}; this page follows the run"


def _stamps(folder: Path, depth: int = 6) -> Iterator[tuple[str, int, int]]:
    """Path, time and size of every file that a page may show."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth and entry.name not in _LEFT_OUT and not entry.name.startswith("."):
                    yield from _stamps(Path(entry.path), depth - 1)
            elif entry.name.endswith(_SUFFIXES) and not entry.name.startswith("."):
                stamp = entry.stat()
                yield entry.path, stamp.st_mtime_ns, stamp.st_size
        except OSError:  # gone since it was listed
            continue
