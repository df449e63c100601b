"""A model hub on loopback: it serves one repository as the real one does, and can keep its weights back."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HUB_ID = "owner/tiny"
WEIGHTS = "model.safetensors"
FILES = {
    "README.md": b"not asked for",
    "config.json": b'{"model_type": "clip"}',
    WEIGHTS: bytes(range(256)) * 4096,  # a megabyte: several pieces of a download
}
_COMMIT = "c" * 40
_PATIENCE_S = 30


class Hub:
    """What it serves, and what happened.

    Attributes:
        address: For `HF_ENDPOINT`.
        go: While it is not set, the second half of the weights does not come.
        fetched: Names of the files whose content was asked for.
        was_let_down: Whether somebody waited for the second half until the hub gave up.
    """

    def __init__(self) -> None:
        self.address = ""
        self.go = threading.Event()
        self.go.set()
        self.fetched: list[str] = []
        self.was_let_down = False


@contextmanager
def serving() -> Iterator[Hub]:
    """Serves the repository in a thread."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it has there
            pass

        def do_GET(self) -> None:
            self._answer(with_content=True)

        def do_HEAD(self) -> None:
            self._answer(with_content=False)

        def _answer(self, *, with_content: bool) -> None:
            path, _, name = self.path.partition(f"/resolve/{_COMMIT}/")
            if name in FILES and path == f"/{HUB_ID}":
                self._send_file(name, with_content=with_content)
            elif self.path.startswith(f"/api/models/{HUB_ID}/tree/{_COMMIT}"):
                self._send_json(
                    200,
                    [{"type": "file", "path": n, "size": len(c), "oid": _hash(c)} for n, c in FILES.items()],
                )
            elif self.path.startswith(f"/api/models/{HUB_ID}"):
                self._send_json(200, {"id": HUB_ID, "sha": _COMMIT})
            else:
                self._send_json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})

        def _send_json(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
            self._send_head(status, body := json.dumps(content).encode(), headers or {})
            self.wfile.write(body)

        def _send_file(self, name: str, *, with_content: bool) -> None:
            content = FILES[name]
            self._send_head(200, content, {"ETag": f'"{_hash(content)}"', "X-Repo-Commit": _COMMIT})
            if not with_content:
                return
            hub.fetched.append(name)
            half = len(content) // 2
            self.wfile.write(content[:half])
            if name == WEIGHTS and not hub.go.wait(_PATIENCE_S):
                hub.was_let_down = True
            self.wfile.write(content[half:])

        def _send_head(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for header, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(header, value)
            self.end_headers()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Says nothing of connections that the other side hung up."""

    server = Server(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.go.set()
        server.shutdown()
        server.server_close()


def _hash(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
