"""`audionas watch`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption

if TYPE_CHECKING:
    from audionas.watching.snapshot import Snapshot

SHORTEST_S = 0.1


def watch(
    run: Annotated[Path, typer.Argument(help="Run folder of any kind, working or finished. It is only read.")],
    every: Annotated[float, typer.Option("--every", help="Seconds between two looks.")] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help="Print how it stands and end; so it is where stdout is no terminal.")
    ] = False,
    web: Annotated[
        bool, typer.Option("--web", help="Serve the report on 127.0.0.1, for this machine only; Ctrl-C ends it.")
    ] = False,
    port: Annotated[int | None, typer.Option("--port", help="Of --web. Default: a free one, which is printed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a run while it works: progress, time left, scores, the best so far. Ends with the run, or by Ctrl-C.

    Example: audionas watch runs/first
    """
    from audionas.errors import SettingsError
    from audionas.watching.lines import snapshot_lines
    from audionas.watching.take import take_snapshot

    if not every >= SHORTEST_S:
        raise SettingsError(f"--every: got {every:g}, must be {SHORTEST_S:g} seconds or more")
    if port is not None and not web:
        raise SettingsError("--port: is for --web")
    if web and once:
        raise SettingsError("--web and --once exclude each other: a page is served until Ctrl-C")
    if web:
        _serve(run, every, port or 0, as_json=as_json)
        return
    snapshot = take_snapshot(run)
    if once or as_json or not sys.stdout.isatty():
        lines = snapshot_lines(snapshot, is_ascii=_is_ascii(sys.stdout.encoding))
        print_result(lines, snapshot.as_record(), as_json=as_json)
        return
    _follow(run, every, snapshot)


def _is_ascii(encoding: str | None) -> bool:
    return not (encoding or "utf-8").lower().startswith("utf")


def _follow(run: Path, every: float, snapshot: Snapshot) -> None:
    """The screen, drawn anew until the run has ended."""
    from rich.console import Console
    from rich.live import Live

    from audionas.cli.watch_screen import screen
    from audionas.watching.take import take_snapshot

    console = Console(highlight=False)
    is_ascii = _is_ascii(console.encoding)
    try:
        with Live(screen(snapshot, is_ascii=is_ascii), console=console, auto_refresh=False) as live:
            while not snapshot.has_ended:
                time.sleep(every)
                snapshot = take_snapshot(run)
                live.update(screen(snapshot, is_ascii=is_ascii), refresh=True)
    except KeyboardInterrupt:  # the way to stop looking; the run goes on
        return


def _serve(run: Path, every: float, port: int, *, as_json: bool) -> None:
    from audionas.watching.page import LiveReport
    from audionas.watching.server import live_server

    with live_server(LiveReport(run, every), port) as server:
        print_result([f"page: {server.url} (Ctrl-C ends it)"], {"run": str(run), "url": server.url}, as_json=as_json)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            return
