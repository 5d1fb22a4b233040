"""Serves one live page on 127.0.0.1: two addresses, reading only, and nothing of the file system."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from audionas.errors import AudionasError, SettingsError
from audionas.watching.page import LiveReport

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")  # of any other name, a page elsewhere may have made it point here (DNS rebinding)
MAX_PORT = 65535


class LiveServer(ThreadingHTTPServer):
    """The server of one report; `serve_forever` until `shutdown`."""

    daemon_threads = True

    def __init__(self, report: LiveReport, port: int) -> None:
        self.report = report
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"http://{HOST}:{self.server_address[1]}/"


def live_server(report: LiveReport, port: int = 0) -> LiveServer:
    """A server that listens; port 0 takes a free one.

    Raises:
        SettingsError: the port is none, or cannot be had.
    """
    if not 0 <= port <= MAX_PORT:
        raise SettingsError(f"--port: got {port}, must be 0 (any free one) to {MAX_PORT}")
    try:
        return LiveServer(report, port)
    except OSError as why:
        raise SettingsError(
            f"--port: {port} on {HOST} cannot be had ({why.strerror or why}); choose another, or leave --port out"
        ) from why


class _Handler(BaseHTTPRequestHandler):
    """`/` is the page, `/state` whether it has changed; all else is refused."""

    server: LiveServer
    server_version = "audionas"
    timeout = 10.0  # of a client that does not finish its request

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer without one."""
        self._answer(with_body=False)

    def do_POST(self) -> None:
        """Refuse it, as every method that is not for reading; of unknown ones the base class says 501."""
        text = b"this page is only read: GET and HEAD\n"
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", text, {"Allow": "GET, HEAD"})

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST  # noqa: N815

    def _answer(self, *, with_body: bool) -> None:
        if not self._is_own_host():
            text = b"this server answers to 127.0.0.1 and localhost only\n"
            self._send(HTTPStatus.FORBIDDEN, "text/plain", text, with_body=with_body)
            return
        path = self.path.partition("?")[0]
        try:
            if path == "/":
                page = self.server.report.page()
                policy = {"Content-Security-Policy": page.policy}
                self._send(HTTPStatus.OK, "text/html", page.text.encode(), policy, with_body=with_body)
            elif path == "/state":
                body = json.dumps(self.server.report.state()).encode()
                self._send(HTTPStatus.OK, "application/json", body, with_body=with_body)
            else:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"there is / and /state\n", with_body=with_body)
        except AudionasError as why:  # the folder is gone, or no run any more
            self._send(HTTPStatus.GONE, "text/plain", f"{why}\n".encode(), with_body=with_body)

    def _is_own_host(self) -> bool:
        given = self.headers.get_all("Host") or []
        port = self.server.server_address[1]
        return len(given) == 1 and given[0].lower() in {
            name for own in NAMES for name in ((f"{own}:{port}", own) if port == 80 else (f"{own}:{port}",))
        }

    def _send(
        self,
        status: HTTPStatus,
        kind: str,
        body: bytes,
        more: dict[str, str] | None = None,
        *,
        with_body: bool = True,
    ) -> None:
        headers = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            **(more or {}),
        }
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):  # the browser has gone on
            self.close_connection = True

    def version_string(self) -> str:
        """Who serves, without versions."""
        return self.server_version

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for the run."""
