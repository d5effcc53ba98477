"""A mail server and a web server on loopback, and what they took."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from tests.harness.ports import free_port


class Sinks:
    """Both, while this is entered."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.posts: list[tuple[dict[str, str], bytes]] = []
        """Headers and body of each."""
        self.refuse = 0
        """So many posts are refused first."""
        sinks = self

        class Mails(MessageHandler):
            def handle_message(self, message: Any) -> None:
                sinks.mails.append(message)

        class Posts(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if sinks.refuse:
                    sinks.refuse -= 1
                    self.send_response(503)
                elif self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "/calls")
                else:
                    sinks.posts.append((dict(self.headers), body))
                    self.send_response(204)
                    if self.path == "/cookie":
                        self.send_header("Set-Cookie", "who=you")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.smtp = Controller(Mails(), hostname="127.0.0.1", port=free_port(socket.SOCK_STREAM))
        self.web = ThreadingHTTPServer(("127.0.0.1", 0), Posts)

    def __enter__(self) -> "Sinks":
        self.smtp.start()
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.smtp.stop()
        self.web.shutdown()
        self.web.server_close()

    def wait(self, mails: int, posts: int, within: float = 20.0) -> None:
        """Until so many have come."""
        until = time.monotonic() + within
        while len(self.mails) < mails or len(self.posts) < posts:
            assert time.monotonic() < until, f"{len(self.mails)} mails, {len(self.posts)} posts"
            time.sleep(0.05)


class _Busy(ThreadingHTTPServer):
    """One to which many may come at once, and stay."""

    request_queue_size = 128

    def __init__(self, *made_of: Any) -> None:
        self.connections: set[socket.socket] = set()
        self.accepted = 0
        super().__init__(*made_of)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        self.accepted += 1
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().close_request(request)

    def stop(self) -> None:
        """At once, in the middle of whatever is said."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # It has just ended by itself.
                connection.shutdown(socket.SHUT_RDWR)


class ComingAndGoing:
    """A web server on loopback that is there between `start` and `stop`, always at the same address."""

    def __init__(self) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self.url = f"http://localhost:{self.port}/calls"
        self.posts: list[tuple[dict[str, str], bytes]] = []
        """Headers and body of each that was taken."""
        self.tries = 0
        """How many came, taken or not."""
        self.status: Callable[[bytes], int] = lambda body: 204
        """What is answered,"""
        self.reason: str | None = None
        """and in which words, in Latin-1; None for the usual ones."""
        self._web: _Busy | None = None

    def start(self) -> None:
        server = self

        class Posts(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = server.status(body)
                server.tries += 1
                if status < 300:
                    server.posts.append((dict(self.headers), body))
                self.send_response(status, server.reason)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._web = _Busy(("127.0.0.1", self.port), Posts)
        threading.Thread(target=self._web.serve_forever, args=(0.01,), daemon=True).start()

    def by_call(self) -> dict[str, list[str]]:
        """Which follow-ups were posted of each call, in order."""
        found: dict[str, list[str]] = {}
        for _, body in self.posts:
            told = json.loads(body)
            found.setdefault(told["call"]["id"], []).append(told["follow_up"])
        return found

    @property
    def connections(self) -> int:
        """How many were made since the last start."""
        return 0 if self._web is None else self._web.accepted

    def stop(self) -> None:
        if self._web is not None:
            self._web.stop()
            self._web = None
