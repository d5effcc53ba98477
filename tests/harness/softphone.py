"""A softphone with several calls at once, which holds and transfers: SIP over UDP on a port of loopback.

SIPp plays one dialog a scenario; an attended transfer needs two in one hand, since its REFER names the other
(RFC 3891). What a test does is a call of a method here, and what the far end does is waited for.
"""

import re
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from urllib.parse import quote

from tests.harness.registration import authorization, register
from tests.harness.sandbox import Phone, Sandbox
from tests.harness.waiting import wait_until

WITHIN = 10.0
"""Seconds that the far end may take."""

RESEND = 0.5

_SDP = """v=0
o=phone {session} {version} IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
a={direction}
"""


class Message:
    """A request or a reply as it came."""

    def __init__(self, text: str) -> None:
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self._headers = [(name.strip().lower(), value.strip()) for name, _, value in
                         (line.partition(":") for line in lines)]  # fmt: skip

    def all(self, name: str) -> list[str]:
        """Every header of that name."""
        return [value for key, value in self._headers if key == name.lower()]

    def __getitem__(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """Of a reply; 0 of a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        return self["CSeq"].split()[-1]


class Dialog:
    """One call of a softphone."""

    def __init__(self, phone: "Softphone", call_id: str, local: str, remote: str, target: str) -> None:
        """`local` and `remote` are what the far end has in To and From; `target` is where requests go."""
        self._phone = phone
        self.call_id, self.local, self.remote, self.target = call_id, local, remote, target
        self.invite: Message | None = None
        """What it began with, if the far end called."""
        self.answered = self.cancelled = self.ended = False
        self.told: list[str] = []
        """What came of a transfer, as the far end tells it: `SIP/2.0 200 OK`."""
        self._cseq = 100
        self._session = secrets.randbelow(10**8)

    def ring(self) -> "Dialog":
        assert self.invite
        self._phone.reply(self.invite, "180 Ringing", self)
        return self

    def pick_up(self) -> "Dialog":
        assert self.invite
        self._phone.reply(self.invite, "200 OK", self, self.sdp())
        self.answered = True
        return self

    def reject(self, status: int = 486) -> None:
        assert self.invite
        self._phone.reply(self.invite, f"{status} Rejected", self)
        self.ended = True

    def hold(self, held: bool = True) -> None:
        """Put the far end on hold, or take it back (RFC 3264, 8.4)."""
        cseq, reply = self._ask("INVITE", body=self.sdp("sendonly" if held else "sendrecv"))
        assert reply.status == 200, reply.start
        self._send("ACK", cseq)

    def refer(self, to: str) -> int:
        """Ask the far end to call `to` in this phone's place (RFC 3515); the status of the reply."""
        host, port = self._phone.registrar
        where = to if to.startswith("sip:") else f"sip:{to}@{host}:{port}"
        return self._ask("REFER", extra=(f"Refer-To: <{where}>", f"Referred-By: <{self._phone.uri}>"))[
            1
        ].status

    def refer_to(self, other: "Dialog") -> int:
        """Ask the far end to take this phone's place in its other call; the status of the reply."""
        tags = f"{other.call_id};to-tag={_tag(other.remote)};from-tag={_tag(other.local)}"
        user = re.sub(r".*<sip:([^@>]+).*", r"\1", other.remote)
        host, port = self._phone.registrar
        where = f"<sip:{user}@{host}:{port}?Replaces={quote(tags, safe='')}>"
        return self._ask("REFER", extra=(f"Refer-To: {where}", f"Referred-By: <{self._phone.uri}>"))[1].status

    def hang_up(self) -> None:
        if not self.ended:
            self.ended = True
            self._ask("BYE")

    def wait_ended(self, within: float = WITHIN) -> None:
        """Until the far end has hung up, or given up."""
        wait_until(lambda: self.ended or self.cancelled, "the far end hangs up", within)

    def wait_told(self, what: str, within: float = WITHIN) -> None:
        """Until the far end has told so much of a transfer."""
        wait_until(lambda: any(what in line for line in self.told), f"told {what}", within)

    def sdp(self, direction: str = "sendrecv") -> str:
        self._cseq += 1
        port, version = self._phone.media_port, self._cseq
        return _SDP.format(session=self._session, version=version, port=port, direction=direction)

    def _ask(self, method: str, *, extra: tuple[str, ...] = (), body: str = "") -> tuple[int, Message]:
        self._cseq += 1
        return self._cseq, self._phone.ask(
            method, self.target, self._headers(self._cseq, method, extra), body
        )

    def _send(self, method: str, cseq: int) -> None:
        self._phone.send(f"{method} {self.target} SIP/2.0", self._headers(cseq, method, ()), "")

    def _headers(self, cseq: int, method: str, extra: tuple[str, ...]) -> list[str]:
        parties = [f"From: {self.local}", f"To: {self.remote}"]
        return [*parties, f"Call-ID: {self.call_id}", f"CSeq: {cseq} {method}", *extra]


def _tag(party: str) -> str:
    return party.partition(";tag=")[2]


class Softphone:
    """An account of the sandbox on a port of loopback."""

    def __init__(self, sandbox: Sandbox, account: Phone, media_port: int = 9) -> None:
        """`media_port` is where sound goes that it hears."""
        self.account, self.registrar, self.media_port = account, sandbox.registrar, media_port
        self.dialogs: list[Dialog] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = int(self._socket.getsockname()[1])
        self.uri = f"sip:{account.username}@127.0.0.1:{self.port}"
        self._replies: dict[tuple[str, str], Message] = {}
        self._sent: dict[tuple[str, str], bytes] = {}
        """What was replied to a request, by Call-ID and CSeq: it is replied again."""
        self._open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        register(sandbox, [(account, self.port)])

    def close(self) -> None:
        self._open = False
        self._reader.join()
        self._socket.close()

    def wait_for_call(self, number: int = 1, within: float = WITHIN) -> Dialog:
        """The call that comes as that one, counted from 1 and together with those it has placed."""
        wait_until(lambda: len(self.dialogs) >= number, f"{self.account.endpoint} is called", within)
        return self.dialogs[number - 1]

    def dial(self, exten: str) -> Dialog:
        """Place a call; it is answered once `answered`."""
        host, port = self.registrar
        target, local = f"sip:{exten}@{host}:{port}", f"<{self.uri}>;tag={secrets.token_hex(4)}"
        dialog = Dialog(self, secrets.token_hex(8), local, f"<{target}>", target)
        self.dialogs.append(dialog)
        body, parties = dialog.sdp(), [f"From: {local}", f"To: <{target}>", f"Call-ID: {dialog.call_id}"]
        challenge = self.ask("INVITE", target, [*parties, "CSeq: 1 INVITE"], body, final=True)
        self.send(f"ACK {target} SIP/2.0", [f"From: {local}", f"To: {challenge['To']}", *parties[2:],
                                            "CSeq: 1 ACK"], "", branch=_branch(challenge))  # fmt: skip
        told = authorization(self.account, "INVITE", target, challenge["WWW-Authenticate"])
        headers = [*parties, "CSeq: 2 INVITE", f"Authorization: {told}"]
        threading.Thread(target=self._await_answer, args=(dialog, target, headers, body), daemon=True).start()
        return dialog

    def _await_answer(self, dialog: Dialog, target: str, headers: list[str], body: str) -> None:
        reply = self.ask("INVITE", target, headers, body, final=True, within=60)
        dialog.remote = reply["To"]
        if reply.status == 200:
            dialog.target = re.sub(r".*<([^>]+)>.*", r"\1", reply["Contact"])
            parties = [f"From: {dialog.local}", f"To: {dialog.remote}", f"Call-ID: {dialog.call_id}"]
            self.send(f"ACK {dialog.target} SIP/2.0", [*parties, "CSeq: 2 ACK"], "")
            dialog.answered = True
        else:
            dialog.ended = True

    # The wire

    def ask(
        self,
        method: str,
        target: str,
        headers: list[str],
        body: str = "",
        final: bool = True,
        within: float = WITHIN,
    ) -> Message:
        """Send a request until its reply comes."""
        key = (_value(headers, "Call-ID"), _value(headers, "CSeq"))
        branch, sends = _fresh_branch(), 0

        def replied() -> bool:
            nonlocal sends
            if (
                key not in self._replies
                and sends % 25 == 0
                and (key[0], f"{key[1]} trying") not in self._replies
            ):
                self.send(f"{method} {target} SIP/2.0", headers, body, branch=branch)
            sends += 1
            return key in self._replies

        wait_until(replied, f"a reply to {method}", within)
        return self._replies[key]

    def send(self, start: str, headers: list[str], body: str, branch: str = "") -> None:
        via = f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch or _fresh_branch()}"
        self._transmit([start, via, "Max-Forwards: 70", f"Contact: <{self.uri}>", *headers], body)

    def reply(self, to: Message, status: str, dialog: Dialog | None = None, body: str = "") -> None:
        """Reply to a request of the far end."""
        party = dialog.local if dialog else to["To"]
        lines = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in to.all("Via")),
                 *(f"Record-Route: {one}" for one in to.all("Record-Route")), f"From: {to['From']}",
                 f"To: {party}", f"Call-ID: {to['Call-ID']}", f"CSeq: {to['CSeq']}",
                 f"Contact: <{self.uri}>"]  # fmt: skip
        self._sent[to["Call-ID"], to["CSeq"]] = self._transmit(lines, body)

    def _transmit(self, lines: list[str], body: str) -> bytes:
        body = body.replace("\n", "\r\n")
        kind = ["Content-Type: application/sdp"] if body else []
        datagram = "\r\n".join((*lines, *kind, f"Content-Length: {len(body)}", "", body)).encode()
        self._socket.sendto(datagram, self.registrar)
        return datagram

    def _read(self) -> None:
        while self._open:
            try:
                message = Message(self._socket.recv(65_535).decode())
            except TimeoutError:
                continue
            if message.status:
                self._replied(message)
            elif again := self._sent.get((message["Call-ID"], message["CSeq"])):
                self._socket.sendto(again, self.registrar)
            else:
                self._take(message)

    def _replied(self, reply: Message) -> None:
        early = reply.status < 200
        self._replies.setdefault((reply["Call-ID"], reply["CSeq"] + " trying" * early), reply)
        for dialog in self.dialogs:
            if dialog.call_id == reply["Call-ID"] and early and _tag(reply["To"]):
                dialog.remote = reply["To"]

    def _take(self, request: Message) -> None:
        dialog = next((one for one in self.dialogs if one.call_id == request["Call-ID"]), None)
        acts: Mapping[str, Callable[[Message, Dialog | None], None]] = {
            "INVITE": self._invited,
            "CANCEL": self._cancelled,
            "BYE": self._hung_up_on,
            "NOTIFY": self._notified,
            "ACK": self._acknowledged,
        }
        acts.get(request.method, self._accepted)(request, dialog)

    def _accepted(self, request: Message, dialog: Dialog | None) -> None:
        self.reply(request, "200 OK", dialog)

    def _acknowledged(self, request: Message, dialog: Dialog | None) -> None:
        """An ACK is replied to by nothing."""

    def _invited(self, request: Message, dialog: Dialog | None) -> None:
        if dialog is not None:
            self.reply(request, "200 OK", dialog, dialog.sdp())
            return
        local = f"{request['To']};tag={secrets.token_hex(4)}"
        target = re.sub(r".*<([^>]+)>.*", r"\1", request["Contact"])
        dialog = Dialog(self, request["Call-ID"], local, request["From"], target)
        dialog.invite = request
        self.dialogs.append(dialog)

    def _cancelled(self, request: Message, dialog: Dialog | None) -> None:
        self.reply(request, "200 OK", dialog)
        if dialog is not None and dialog.invite is not None and not dialog.answered:
            dialog.cancelled = True
            self.reply(dialog.invite, "487 Request Terminated", dialog)

    def _hung_up_on(self, request: Message, dialog: Dialog | None) -> None:
        self.reply(request, "200 OK")
        if dialog is not None:
            dialog.ended = True

    def _notified(self, request: Message, dialog: Dialog | None) -> None:
        self.reply(request, "200 OK")
        if dialog is not None:
            dialog.told.append(request.body.strip())
            if " 200 " in request.body:
                # Asterisk leaves it to the phone to end a call that it has given away (22.10.1).
                threading.Thread(target=dialog.hang_up, daemon=True).start()


def _fresh_branch() -> str:
    return f"z9hG4bK{secrets.token_hex(8)}"


def _branch(message: Message) -> str:
    return re.sub(r".*branch=([^;]+).*", r"\1", message["Via"])


def _value(headers: list[str], name: str) -> str:
    return next(line.partition(": ")[2] for line in headers if line.startswith(f"{name}: "))
