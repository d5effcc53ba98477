"""Messages in words, mailed and posted to real servers; and what is refused."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from router.edge import mail, webhook
from router.edge.letters import as_mail, as_posted
from router.edge.store.messages import StoredMessage
from router.edge.undelivered import UndeliveredError
from router.edge.wav import seconds_of, seconds_spoken
from router.edge.webhook import SIGNATURE, TIMESTAMP, Poster, PublicResolver, Signed
from router.settings import Mail
from tests.edge.sinks import ComingAndGoing, Sinks
from tests.harness.ports import free_port
from tests.sim.asterisk import wav

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
MESSAGE = StoredMessage(
    call_id="aaaaaaaaaaaaa",
    client="fjord",
    caller="+4790000009",
    dialled="+4722334455",
    arrived_at=AT,
    addressees=("kari", "ola"),
    language="nb",
    callback="+4790000009",
    recording=1,
    seconds=4.6,
    left_at=AT,
    fetched_at=AT,
    lost_at=None,
    done_at=None,
    done_by=None,
)
NOTHING = Signed.of({}, AT, "")


async def post(url: str, signed: Signed, allowed: Collection[str]) -> None:
    async with Poster(allowed) as poster:
        await poster.post(url, signed)


WISH = replace(MESSAGE, recording=None, addressees=(), language="en", caller="", fetched_at=None)


@pytest.fixture(scope="module")
def sinks() -> Iterator[Sinks]:
    with Sinks() as sinks:
        yield sinks


def test_a_mail_tells_who_called_whom_when_and_has_the_recording() -> None:
    letter = as_mail(MESSAGE, b"RIFF", "pbx@fjord.example", "kari@fjord.example", "Europe/Oslo")
    assert (letter["Subject"], letter["To"]) == (
        "Beskjed fra +4790000009 til kari, ola",
        "kari@fjord.example",
    )
    body = letter.get_body()
    assert body is not None
    assert body.get_content().splitlines() == [
        "+4790000009 ringte +4722334455 2026-11-27 10:30.",
        "Ring tilbake til +4790000009.",
        "Beskjeden på 5 sekunder er vedlagt.",
    ]
    [attached] = letter.iter_attachments()
    assert (attached.get_content_type(), attached.get_content()) == ("audio/x-wav", b"RIFF")


def test_a_contact_is_named() -> None:
    kari = replace(MESSAGE, name="Kari Nordmann")
    letter = as_mail(kari, None, "pbx@fjord.example", "ola@fjord.example", "UTC")
    assert letter["Subject"] == "Beskjed fra Kari Nordmann (+4790000009) til kari, ola"
    posted = as_posted(kari, None)
    assert (posted["caller"], posted["name"]) == ("+4790000009", "Kari Nordmann")


def test_a_wish_to_be_called_back_is_told_as_such() -> None:
    letter = as_mail(replace(WISH, callback=""), None, "pbx@fjord.example", "post@fjord.example", "UTC")
    assert letter["Subject"] == "a withheld number asks fjord to call back"
    assert list(letter.iter_attachments()) == []
    posted = as_posted(WISH, None)
    assert (posted["event"], posted["recording"]) == ("callback_requested", None)


def test_nobody_is_told_to_call_whom_nobody_is_to_call() -> None:
    letter = as_mail(WISH, None, "pbx@fjord.example", "post@fjord.example", "UTC", spared=True)
    assert letter.get_content().splitlines()[1:] == ["Nobody is to call +4790000009."]
    told = [as_posted(WISH, None, spared=spared)["do_not_contact"] for spared in (False, True)]
    assert told == [False, True]


def test_a_mail_says_that_the_recording_is_lost_and_what_it_is() -> None:
    letter = as_mail(replace(MESSAGE, fetched_at=None, lost_at=AT), None, "a@b.example", "c@d.example", "UTC")
    assert letter.get_content().splitlines()[-1] == "Opptaket av beskjeden er gått tapt."
    assert (letter["Date"], letter["Auto-Submitted"]) == ("Fri, 27 Nov 2026 09:30:00 +0000", "auto-generated")


async def test_a_server_that_takes_too_long_has_not_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "LIMIT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = Mail(host="127.0.0.1", port=mute.getsockname()[1], tls="none")
        with pytest.raises(UndeliveredError):
            await mail.send(b"", "a@b.example", settings)


async def test_a_mail_reaches_the_server(sinks: Sinks) -> None:
    letter = as_mail(MESSAGE, wav(1.0), "pbx@fjord.example", "kari@fjord.example", "UTC")
    await mail.send(letter.as_bytes(), letter["To"], Mail(host="127.0.0.1", port=sinks.smtp.port, tls="none"))
    assert sinks.mails[-1]["Message-ID"] == "<aaaaaaaaaaaaa@callrouter>"


NO_MAIL = [
    ("no server is set", Mail(), "no mail server; set `mail.host`"),
    ("nobody listens", Mail(host="127.0.0.1", port=free_port(socket.SOCK_STREAM)), "127.0.0.1:"),
]


@pytest.mark.parametrize(("settings", "why"), [row[1:] for row in NO_MAIL], ids=[row[0] for row in NO_MAIL])
async def test_why_a_mail_was_not_taken(settings: Mail, why: str) -> None:
    letter = as_mail(MESSAGE, None, "pbx@fjord.example", "kari@fjord.example", "UTC")
    with pytest.raises(UndeliveredError, match=why):
        await mail.send(letter.as_bytes(), letter["To"], settings)


async def test_a_server_that_does_not_secure_the_way_gets_no_mail(sinks: Sinks) -> None:
    letter = as_mail(MESSAGE, None, "pbx@fjord.example", "kari@fjord.example", "UTC")
    with pytest.raises(UndeliveredError):
        await mail.send(letter.as_bytes(), letter["To"], Mail(host="127.0.0.1", port=sinks.smtp.port))


async def test_whom_this_machine_trusts_is_read_once(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    read, made = [], ssl.create_default_context

    def create() -> ssl.SSLContext:
        read.append(threading.current_thread())
        return made()

    monkeypatch.setattr(ssl, "create_default_context", create)
    mail._trusted.cache_clear()
    for tls in ("tls", "tls", "starttls", "none"):
        settings = Mail(host="127.0.0.1", port=sinks.smtp.port, tls=tls)
        with suppress(UndeliveredError):
            await mail.send(b"Subject: x\r\n\r\nx", "kari@fjord.example", settings)
    assert [thread is threading.main_thread() for thread in read] == [False]


def test_the_mail_servers_password_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    assert Mail(password_file=file).password == "s3cret"
    assert Mail().password == ""


async def test_what_is_posted_is_signed(sinks: Sinks) -> None:
    url = f"http://localhost:{sinks.web.server_port}/calls"
    recording = base64.b64encode(wav(1.0)).decode()
    await post(url, Signed.of(as_posted(MESSAGE, recording), AT, "s3cret"), ("localhost",))
    headers, body = sinks.posts[-1]
    assert headers[TIMESTAMP] == str(int(AT.timestamp()))
    signature = hmac.new(b"s3cret", f"{headers[TIMESTAMP]}.".encode() + body, hashlib.sha256)
    assert headers[SIGNATURE] == signature.hexdigest()
    assert json.loads(body)["recording"]["content_type"] == "audio/x-wav"


async def test_without_a_secret_nothing_is_signed(sinks: Sinks) -> None:
    url = f"http://localhost:{sinks.web.server_port}/calls"
    await post(url, Signed.of(as_posted(WISH, None), AT, ""), ("localhost",))
    assert SIGNATURE not in sinks.posts[-1][0]


REFUSED = [
    ("no https", "http://crm.example/calls", (), "crm.example/calls is not https; write https://"),
    ("one's own net", "https://192.168.1.5/calls", (), "192.168.1.5 is within one's own net"),
    ("this machine", "https://localhost/calls", (), "localhost is within one's own net"),
    ("mapped into IPv6", "https://[::ffff:10.0.0.1]/", (), "is within one's own net"),
    ("what stands for IPv4", "https://[64:ff9b::a00:1]/", (), "is within one's own net"),
    ("no such name", "https://nobody.invalid/", (), "nobody.invalid"),
    ("nobody listens", "http://localhost:1/", ("localhost",), "localhost"),
]


@pytest.mark.parametrize(
    ("url", "allowed", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_where_nothing_is_posted_to(url: str, allowed: tuple[str, ...], why: str) -> None:
    with pytest.raises(UndeliveredError, match=why):
        await post(url, NOTHING, allowed)


async def test_a_name_that_is_somebodys_own_net_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    resolver = PublicResolver(())
    with pytest.raises(OSError, match="within one's own net"):
        await resolver.resolve("inside.example", 443)
    await resolver.close()


async def test_a_redirect_is_not_followed(sinks: Sinks) -> None:
    before = len(sinks.posts)
    url = f"http://localhost:{sinks.web.server_port}/elsewhere"
    with pytest.raises(UndeliveredError, match="localhost answers 302"):
        await post(url, NOTHING, ("localhost",))
    assert len(sinks.posts) == before


async def test_who_does_not_answer_in_time_has_not_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "LIMIT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://localhost:{mute.getsockname()[1]}/"
        with pytest.raises(UndeliveredError, match="does not answer within"):
            await post(url, NOTHING, ("localhost",))


@pytest.fixture
def kept_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "KEPT_FOR", 60.0)


async def answering(body: bytes, length: int, endless: bool = False) -> tuple[asyncio.Server, str, list[int]]:
    """A server that sends the head of its answer, and a moment later the body; with its URL, and how many
    connections it had."""
    made: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(1)
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r")[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
                await writer.drain()
                await asyncio.sleep(0.02)
                writer.write(body)
                while endless:
                    writer.write(body)
                    await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1")
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", made


@pytest.mark.usefixtures("kept_for_a_minute")
async def test_an_answer_that_comes_later_is_heard_out() -> None:
    server, url, made = await answering(b'{"ok":true}', 11)
    async with server, Poster(("127.0.0.1",)) as poster:
        for _ in range(3):
            await poster.post(url, NOTHING)
    assert len(made) == 1


@pytest.mark.usefixtures("kept_for_a_minute")
async def test_an_answer_without_an_end_is_not() -> None:
    server, url, made = await answering(b"x" * 1000, 10**12, endless=True)
    async with asyncio.timeout(10), server, Poster(("127.0.0.1",)) as poster:
        for _ in range(2):
            await poster.post(url, NOTHING)
    assert len(made) == 2


async def test_an_answer_that_stays_away_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "KEPT_FOR", 0.1)
    server, url, _ = await answering(b"x", 2)
    async with asyncio.timeout(10), server, Poster(("127.0.0.1",)) as poster:
        await poster.post(url, NOTHING)


async def test_a_connection_is_kept_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "KEPT_FOR", 2.0)
    server = ComingAndGoing()
    server.start()
    try:
        async with Poster(("localhost",)) as poster:
            for _ in range(3):
                await poster.post(server.url, NOTHING)
            assert server.connections == 1
            await asyncio.sleep(2.5)
            await poster.post(server.url, NOTHING)
            assert server.connections == 2, "the server may have let go of the first"
    finally:
        server.stop()


async def test_names_with_letters_of_all_kinds_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(UndeliveredError, match=r"bücher\.lan: .*Connect"):
        await post("http://bücher.lan/", NOTHING, ("bücher.lan",))
    assert asked == ["xn--bcher-kva.lan"]


async def test_no_cookie_is_kept(sinks: Sinks) -> None:
    url = f"http://localhost:{sinks.web.server_port}/cookie"
    async with Poster(("localhost",)) as poster:
        for _ in range(2):
            await poster.post(url, NOTHING)
    assert [headers.get("Cookie") for headers, _ in sinks.posts[-2:]] == [None, None]


def test_how_long_a_recording_lasts() -> None:
    assert seconds_of(wav(2.5)) == 2.5
    assert seconds_spoken(wav(2.5)) == seconds_spoken(b"RIFF") == 0.0, "it is silent"
    assert seconds_of(b"RIFF") == seconds_of(b"") == 0.0
