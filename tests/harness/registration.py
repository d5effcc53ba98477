"""REGISTER: which port of loopback a softphone account is reached on (RFC 3261, 10; digest: RFC 2617)."""

import re
import secrets
import socket
from collections.abc import Iterable
from hashlib import md5
from pathlib import Path

from tests.harness.sandbox import Phone, Sandbox

TRIES = 20
"""How often a request is sent, half a second apart, before Asterisk is taken for dead."""


def register(sandbox: Sandbox, contacts: Iterable[tuple[Phone, int]]) -> None:
    """Register softphones so that Asterisk reaches them on these ports of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect(sandbox.registrar)
        wire.settimeout(0.5)
        for phone, port in contacts:
            first = _Request(phone, port, sandbox.registrar, number=1)
            try:
                challenge = first.ask(wire)
            except ConnectionRefusedError:
                end = "\n".join(
                    Path(sandbox.facts["full_log"]).read_text(errors="replace").splitlines()[-40:]
                )
                raise AssertionError(f"Asterisk has no SIP at {sandbox.registrar}:\n{end}") from None
            second = _Request(phone, port, sandbox.registrar, number=2, call_id=first.call_id)
            reply = second.ask(wire, authorization(phone, "REGISTER", first.uri, challenge))
            if not reply.startswith("SIP/2.0 200 "):
                raise AssertionError(f"{phone.endpoint} cannot register:\n{challenge}\n{reply}")


class _Request:
    """One REGISTER and the reply to it."""

    def __init__(
        self, phone: Phone, port: int, registrar: tuple[str, int], *, number: int, call_id: str = ""
    ) -> None:
        self.uri = f"sip:{registrar[0]}:{registrar[1]}"
        self.call_id = call_id or secrets.token_hex(8)
        self._branch = f"z9hG4bK{secrets.token_hex(8)}"
        self._contact = f"<sip:{phone.username}@127.0.0.1:{port}>"
        self._account = f"<sip:{phone.username}@{registrar[0]}:{registrar[1]}>"
        self._number = number

    def ask(self, wire: socket.socket, authorization: str = "") -> str:
        """Send it until its own reply comes; replies to earlier requests are let pass."""
        here, port = wire.getsockname()
        lines = [
            f"REGISTER {self.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {here}:{port};branch={self._branch}",
            f"From: {self._account};tag={self.call_id}",
            f"To: {self._account}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self._number} REGISTER",
            f"Contact: {self._contact}",
            "Expires: 3600",
            "Max-Forwards: 70",
            *([f"Authorization: {authorization}"] if authorization else []),
            "Content-Length: 0",
        ]
        datagram = "\r\n".join((*lines, "", "")).encode()
        for _ in range(TRIES):
            wire.send(datagram)
            try:
                while self._branch not in (reply := wire.recv(65_535).decode()):
                    pass
            except TimeoutError:
                continue
            return reply
        raise AssertionError("Asterisk does not answer a REGISTER")


def authorization(phone: Phone, method: str, uri: str, challenge: str) -> str:
    """What the challenge of a 401 is answered with."""
    asked = dict(re.findall(r'(realm|nonce|opaque)="([^"]*)"', challenge))
    count, own = "00000001", secrets.token_hex(8)
    account = _digest(phone.username, asked["realm"], phone.password)
    response = _digest(account, asked["nonce"], count, own, "auth", _digest(method, uri))
    quoted = {"username": phone.username, **asked, "uri": uri, "cnonce": own, "response": response}
    told = ", ".join(f'{name}="{value}"' for name, value in quoted.items())
    return f"Digest {told}, algorithm=MD5, qop=auth, nc={count}"


def _digest(*parts: str) -> str:
    return md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()
