"""The local page of `clearcoat view`: three addresses on 127.0.0.1, nothing else is served."""

from __future__ import annotations

import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from clearcoat.errors import UsageError
from clearcoat.generation.viewer import Viewer


def server(viewer: Viewer, port: int) -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1; port 0 takes any that is free.

    Raises:
        UsageError: the port cannot be had.
    """
    page = (resources.files("clearcoat.generation") / "templates" / "view.html").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page of another site that resolves its own name to 127.0.0.1 must not read this.
            host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            address = urlsplit(self.path)
            if host not in {"127.0.0.1", "localhost"}:
                self._send(403, "text/plain", b"only 127.0.0.1")
            elif address.path == "/":
                self._send(200, "text/html; charset=utf-8", page)
            elif address.path == "/stamp":
                self._json({"stamp": str(viewer.stamp())})
            elif address.path == "/show":
                self._show(parse_qs(address.query))
            else:
                self._send(404, "text/plain", b"not found")

        def _show(self, query: dict[str, list[str]]) -> None:
            texts = [query.get(name, ["0"])[0] for name in ("seed", "index")]
            if not all(text.isascii() and text.isdecimal() and len(text) < 16 for text in texts):
                self._json({"error": "seed and index must be 0 or more", "stamp": ""})
                return
            self._json(viewer.show(*(int(text) for text in texts)))

        def _json(self, document: dict[str, Any]) -> None:
            self._send(200, "application/json", json.dumps(document).encode())

        def _send(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "no-store")
            # A page that is closed or goes on to the next image no longer waits for this one.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be had", found=error.strerror, do="choose another with --port"
        ) from error
