"""A server that speaks OpenAI's protocol as it is told to, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answer", "Server", "chunk", "serving"]

Answer = Callable[["Handler", dict[str, Any]], None]


def chunk(
    text: str | None = None,
    *,
    finish: str | None = None,
    logprobs: list[tuple[str, float]] | None = None,
    usage: tuple[int, int] | None = None,
    **delta: Any,
) -> dict[str, Any]:
    known = [{"token": token, "logprob": logprob, "top_logprobs": []} for token, logprob in logprobs or []]
    choice = {
        "index": 0,
        "delta": {"content": text, **delta},
        "finish_reason": finish,
        "logprobs": {"content": known} if known else None,
    }
    counted = (
        {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        if usage
        else None
    )
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [] if usage else [choice],
        "usage": counted,
    }


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self.models: list[dict[str, Any]] = [{"id": "qwen2.5-vl", "object": "model", "max_model_len": 4096}]
        self.answers: list[Answer] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.gone = threading.Event()  # set once a client was seen to hang up


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.say(200, {"object": "list", "data": self.server.models})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        self.server.keys.append(self.headers["Authorization"])
        self.server.answers.pop(0)(self, request)

    def say(self, status: int, body: dict[str, Any], **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, *chunks: dict[str, Any] | str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for one in chunks:
            self.wfile.write(f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n".encode())
        self.wfile.flush()
        self.close_connection = True


@contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    server = Server(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
