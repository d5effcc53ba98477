"""Real SIP calls by SIPp: callers and phones, each a short list of moves.

A scenario is a list of moves, rendered to SIPp's XML. `Caller` places calls into Asterisk, `Callee` answers
on a port of its own, `Deaf` is a port where nobody ever answers, `register` makes softphone accounts point
there.
"""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from tests.harness.ports import free_port, media_port
from tests.harness.registration import register as register
from tests.harness.sandbox import Sandbox

Move = str
"""A piece of SIPp's XML."""

TO_THE_MILLISECOND = ("-timer_resol", "1")
"""Options of a party whose pauses count. It takes a part of a core; without it they are ten milliseconds off.
"""

LETS_PASS = ("-default_behaviors", "all,-abortunexp")
"""Options of a party that ignores what comes at the wrong moment. SIPp has moments, between two moves, in
which even a BYE is unexpected: without this, a race of two BYEs fails by SIPp's own doing."""

_SDP = """v=0
o=sipp 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20"""

_CALLER = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
From: <sip:[user]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{to_tag}
Call-ID: [call_id]
CSeq: {cseq}
Contact: <sip:[user]@[local_ip]:[local_port]>
Max-Forwards: 70"""

_PHONE = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$me];tag=[pid]u[call_number]
To: [$caller]
Call-ID: [call_id]
CSeq: 1 BYE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70"""

_REPLY = """[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
{cseq}
Contact: <{contact}>"""

_INSIST = 'retrans="500"'


def _send(start: str, headers: str, *, extra: str = "", body: str = "", attributes: str = "") -> Move:
    lines = [start, headers, *([extra] if extra else [])]
    lines += ["Content-Type: application/sdp", "Content-Length: [len]", "", body] if body else []
    lines += [] if body else ["Content-Length: 0", ""]
    return f"<send {attributes}><![CDATA[\n" + "\n".join(lines) + "\n]]></send>\n"


def _recv(attributes: str, actions: str = "") -> Move:
    return f"<recv {attributes}>{f'<action>{actions}</action>' if actions else ''}</recv>\n"


def _see(pattern: str, place: str, name: str) -> str:
    """Keep in the variable `name` what matches at `place`; the call fails if nothing does."""
    return f'<ereg regexp={quoteattr(pattern)} {place} check_it="true" assign_to="{name}"/>'


def _in_header(name: str) -> str:
    return f'search_in="hdr" header="{name}:"'


def pause(seconds: float) -> Move:
    """Do nothing for so long."""
    return f'<pause milliseconds="{round(seconds * 1000)}"/>\n'


SPEECH = "speech.ulaw"
SPEAK = f'<nop><action><exec rtp_stream="{SPEECH},-1,0"/></action></nop>\n'
"""Send media from now on; without it, neither side of a call hears anything."""

# A caller's moves; each list begins with INVITE

_INVITED = "z9hG4bK-[pid]-[call_number]-invite"
"""The branch of an INVITE, which its CANCEL and the ACK to its refusal share (RFC 3261, 9.1 and 17.1.1.3)."""

_SERVICE = "sip:[service]@[remote_ip]:[remote_port] SIP/2.0"


def _of_invite(cseq: str) -> str:
    return _CALLER.format(to_tag="", cseq=cseq, branch=_INVITED)


def _in_dialog(cseq: str) -> str:
    return _CALLER.format(to_tag="[peer_tag_param]", cseq=cseq, branch="[branch]")


def invite(extra: str = "", sdp: str = _SDP) -> Move:
    """Call; `extra` are further header lines."""
    return _send(f"INVITE {_SERVICE}", _of_invite("1 INVITE"), extra=extra, body=sdp, attributes=_INSIST)


INVITE = invite()

_BY_MEDIA = _SDP.replace("[media_port]", "[ear]")
INVITE_HEARING = invite(sdp=_BY_MEDIA)
"""Call, with the key `ear` for the port of a Media (media.py)."""

_TRIED = _recv('response="100" optional="true"')

TRYING = _recv('response="100"')
"""Wait until the far end has the call; a CANCEL may not come before (RFC 3261, 9.1)."""

RINGS = _TRIED + _recv('response="180"')
"""Wait until the far end is said to ring."""

_EARLY = _TRIED + _recv('response="180" optional="true"') + _recv('response="183" optional="true"')

ANSWERED_NO_ACK = _EARLY + _recv('response="200" rrs="true"')
"""Wait for the answer and never acknowledge it."""

ANSWERED = ANSWERED_NO_ACK + _send("ACK [next_url] SIP/2.0", _in_dialog("1 ACK"))
"""Wait for the answer, and acknowledge it."""

UNTIL_TOLD = _recv('request="INFO"')
"""Wait for Caller.go_on."""

_REFUSAL_SEEN = _send(
    f"ACK {_SERVICE}", _CALLER.format(to_tag="[peer_tag_param]", cseq="1 ACK", branch=_INVITED)
)


def _bye(headers: str, reason: str = "") -> Move:
    extra = f"Reason: {reason}" if reason else ""
    return _send("BYE [next_url] SIP/2.0", headers, extra=extra, attributes=_INSIST)


def bye(reason: str = "", *, number: int = 2) -> Move:
    """Hang up; `reason` is a Reason header."""
    return _bye(_in_dialog(f"{number} BYE"), reason) + _recv('response="200"')


CANCEL = (
    _send(f"CANCEL {_SERVICE}", _of_invite("1 CANCEL"))
    + _EARLY
    + _recv('response="200"')
    + _EARLY
    + _recv('response="487"')
    + _REFUSAL_SEEN
)
"""Give up before the answer."""


def refused(status: int) -> Move:
    """Expect this final status."""
    return _EARLY + _recv(f'response="{status}"') + _REFUSAL_SEEN


CALL_AS_PHONE = (
    INVITE_HEARING
    + _recv('response="401" auth="true"')
    + _REFUSAL_SEEN
    + _send(
        f"INVITE {_SERVICE}",
        _CALLER.format(to_tag="", cseq="2 INVITE", branch="[branch]"),
        extra="[authentication]",
        body=_BY_MEDIA,
        attributes=_INSIST,
    )
    + ANSWERED_NO_ACK
    + _send("ACK [next_url] SIP/2.0", _in_dialog("2 ACK"))
)
"""A softphone calls, says who it is (SIPp's options -au and -ap), and is answered."""

PHONE_LEAVES = _bye(_in_dialog("3 BYE")) + _recv('response="200"')
"""... and hangs up."""

# A phone's moves; CALLED, or `called`, comes first

_REMEMBER = _see(".*", _in_header("From"), "caller") + _see(".*", _in_header("To"), "me")


def called(*, request: str = ".*", caller: str = ".*") -> Move:
    """Be called; the request line and the From header must match these regular expressions."""
    checks = _see(request, 'search_in="msg"', "request") + _see(caller, _in_header("From"), "caller_seen")
    return _recv('request="INVITE" rrs="true"', _REMEMBER + checks)


CALLED = called()


_HERE = "sip:sipp@[local_ip]:[local_port]"


def _reply(status: str, *, cseq: str = "[last_CSeq:]", tag: str = ";tag=[pid]u[call_number]",
           contact: str = _HERE, body: str = "", attributes: str = "") -> Move:  # fmt: skip
    headers = _REPLY.format(tag=tag, cseq=cseq, contact=contact)
    return _send(f"SIP/2.0 {status}", headers, body=body, attributes=attributes)


_OF_THE_INVITE = "CSeq: [last_cseq_number] INVITE"
"""A CANCEL has the number of its INVITE (RFC 3261, 9.1)."""

TRIES = _reply("100 Trying")
RINGING = _reply("180 Ringing")
PICK_UP = _reply("200 OK", body=_SDP, attributes=_INSIST) + _recv('request="ACK"')
PICK_UP_HEARING = _reply("200 OK", body=_BY_MEDIA, attributes=_INSIST) + _recv('request="ACK"')
"""As INVITE_HEARING."""
BYE_OK = _reply("200 OK", tag="")

HUNG_UP_ON = _recv('request="BYE"') + BYE_OK
"""Wait until the far end hangs up. A caller's move too."""


def reject(status: int, contact: str = _HERE) -> Move:
    """Refuse with a status; `contact` is where a redirection (3xx) sends the call."""
    return _reply(f"{status} Rejected", contact=contact) + _recv('request="ACK"')


def hang_up(reason: str = "") -> Move:
    """Hang up after a talk; `reason` is a Reason header."""
    return _bye(_PHONE, reason) + _recv('response="200"')


def refer(to: str) -> Move:
    """Ask the far end to call `to` in this party's place (RFC 3515); a phone's move in a talk."""
    return _refer(to, _PHONE.replace("1 BYE", "1 REFER"))


def refer_as_caller(to: str) -> Move:
    """A caller's move in a talk."""
    return _refer(to, _in_dialog("2 REFER"))


def _refer(to: str, headers: str) -> Move:
    return (
        _send("REFER [next_url] SIP/2.0", headers, extra=f"Refer-To: <{to}>", attributes=_INSIST)
        + _recv('response="202"')
        + _recv('request="NOTIFY"')
        + _reply("200 OK", tag="")
    )


def cancelled(reason: str = "") -> Move:
    """Ring until the far end gives up; `reason` is what the CANCEL's Reason header must match."""
    check = _see(reason, _in_header("Reason"), "reason") if reason else ""
    return (
        _recv('request="CANCEL"', check)
        + _reply("200 OK")
        + _reply("487 Request Terminated", cseq=_OF_THE_INVITE)
        + _recv('request="ACK"')
    )


CANCELLED = cancelled()

PICK_UP_TOO_LATE = (
    _recv('request="CANCEL"')
    + _reply("200 OK", cseq=_OF_THE_INVITE, body=_SDP)
    + _recv('request="ACK"')
    + HUNG_UP_ON
)
"""Answer at the moment of being cancelled: the 200 OK crosses the CANCEL, and the far end must hang up."""


def _hang_up_or_be_hung_up_on(headers: str, after: float) -> Move:
    """Hang up after so many seconds of talk, unless the far end does before; the two BYEs may cross."""
    return (
        _recv(f'request="BYE" timeout="{round(after * 1000)}" ontimeout="mine"')
        + BYE_OK
        + '<nop next="done"></nop>\n<label id="mine"/>\n'
        + _bye(headers)
        + _recv('request="BYE" optional="true" next="crossed"')
        + _recv('response="200" next="done"')
        + '<label id="crossed"/>\n'
        + BYE_OK
        + _recv('response="200"')
        + '<label id="done"/>\n'
    )


def caller_hangs_up_about(after: float) -> Move:
    """Hang up after so many seconds of talk, unless the phone does before."""
    return _hang_up_or_be_hung_up_on(_in_dialog("2 BYE"), after)


def phone_hangs_up_about(after: float) -> Move:
    """Hang up after so many seconds of talk, unless the caller does before."""
    return _hang_up_or_be_hung_up_on(_PHONE, after)


class Ended(NamedTuple):
    """What became of a SIPp process: its exit status is 0 if every call went as its scenario says."""

    status: int
    errors: str

    @property
    def as_written(self) -> bool:
        return self.status == 0


class Sipp:
    """One SIPp process on a port of its own."""

    def __init__(
        self, moves: Iterable[Move], arguments: Sequence[str], *, port: int | None = None, limit: float = 60.0
    ) -> None:
        """`limit` is how many seconds it may run in all."""
        if shutil.which("sipp") is None:
            raise AssertionError("there is no sipp here: `make parts`, or install Debian's sip-tester")
        self.port = port or free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="sipp-")
        folder = Path(self._folder.name)
        body = "".join(moves)
        # SIPp refuses a scenario that keeps something and never uses it.
        kept = ",".join(sorted(set(re.findall('assign_to="([^"]+)"', body))))
        used = f'<Reference variables="{kept}"/>\n' if kept else ""
        scenario = folder / "scenario.xml"
        scenario.write_text(f'<?xml version="1.0"?>\n<scenario name="moves">\n{body}{used}</scenario>\n')
        (folder / SPEECH).write_bytes(b"\xff" * 8000)
        self._errors = folder / "errors.log"
        command = [
            "sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1",
            "-mp", str(media_port()), "-cp", str(free_port()), "-nostdin",
            "-timeout", f"{round(limit)}s", "-timeout_error",
            "-trace_err", "-error_file", str(self._errors), *arguments,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )

    def wait(self, within: float = 70.0) -> Ended:
        """Wait until it is done."""
        return Ended(self.process.wait(within), self.errors())

    def errors(self) -> str:
        """What SIPp wrote of what went wrong."""
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    def stop(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        self._folder.cleanup()


class Caller(Sipp):
    """Calls a number through the trunk, `calls` times; `user` is the caller's number."""

    def __init__(
        self,
        sandbox: Sandbox,
        dialled: str,
        *moves: Move,
        user: str = "+4790000009",
        calls: int = 1,
        rate: float = 10,
        limit: float = 60.0,
        keys: Mapping[str, object] = {},
        options: Sequence[str] = (),
    ) -> None:
        """A key's name in square brackets stands for its value in `moves`."""
        host, port = sandbox.sip
        where = [f"{host}:{port}", "-s", dialled, "-key", "user", user]
        arguments = [*where, "-m", str(calls), "-r", f"{rate:g}", *options]
        for name, value in keys.items():
            arguments += ["-key", name, str(value)]
        super().__init__(moves, arguments, limit=limit)

    def go_on(self) -> None:
        """Let the first call go on from UNTIL_TOLD, unless it is over."""
        lines = (
            f"INFO sip:sipp@127.0.0.1:{self.port} SIP/2.0",
            "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-go-on",
            "From: <sip:test@127.0.0.1>;tag=test",
            f"To: <sip:sipp@127.0.0.1:{self.port}>",
            f"Call-ID: 1-{self.process.pid}@127.0.0.1",  # as SIPp makes them: number, process, address
            "CSeq: 1 INFO",
            "Content-Length: 0",
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
            told.sendto("\r\n".join((*lines, "", "")).encode(), ("127.0.0.1", self.port))


class Callee(Sipp):
    """A phone that behaves as its moves say, in as many `calls`, or to every call it gets until stopped."""

    def __init__(
        self,
        *moves: Move,
        calls: int | None = None,
        port: int | None = None,
        limit: float = 300.0,
        keys: Mapping[str, object] = {},
        options: Sequence[str] = (),
    ) -> None:
        """`moves` begin with CALLED; a key's name in square brackets stands for its value in them."""
        arguments = ["-m", str(calls), *options] if calls else [*options]
        for name, value in keys.items():
            arguments += ["-key", name, str(value)]
        super().__init__(moves, arguments, port=port, limit=limit)

    def listening(self, within: float = 10.0) -> "Callee":
        """Wait until it can be called."""
        until = time.monotonic() + within
        while f":{self.port:04X} " not in Path("/proc/net/udp").read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"a phone does not listen on port {self.port}: {self.errors()}")
            time.sleep(0.02)
        return self


class Deaf:
    """A port where nobody answers. `heard` tells whether anybody was told anything there."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", self.port))

    def heard(self) -> list[str]:
        """The first line of each datagram that came since the last look."""
        self._socket.setblocking(False)
        lines = []
        while True:
            try:
                lines.append(self._socket.recv(65_535).partition(b"\r\n")[0].decode())
            except BlockingIOError:
                return lines

    def stop(self) -> None:
        self._socket.close()
