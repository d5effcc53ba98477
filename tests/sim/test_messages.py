"""Messages: from the tone to the file, and on to whom they are for."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, update
from typer.testing import CliRunner

from router.cli.main import app
from router.edge import mail, postbox, webhook
from router.edge.store.errors import UnusableDatabaseError
from router.edge.store.messages import Delivery, Messages, StoredMessage
from router.edge.store.tables import MESSAGES
from router.edge.undelivered import UndeliveredError
from tests.sim.asterisk import FakeAsterisk
from tests.sim.channels import Channel
from tests.sim.phones import Fault
from tests.sim.router import MESSAGE, Router, until
from tests.sim.stories import told


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom what was delivered to; nothing leaves this process."""
    taken: list[str] = []

    async def send(letter: bytes, to: str, *_: object) -> None:
        taken.append(to)

    async def post(self: webhook.Poster, url: str, *_: object) -> None:
        taken.append(url)

    monkeypatch.setattr(mail, "send", send)
    monkeypatch.setattr(webhook.Poster, "post", post)
    monkeypatch.setattr(postbox, "LINGER", 0.15)
    monkeypatch.setattr(postbox, "EVERY", 0.3)
    monkeypatch.setattr(postbox, "AGAIN", (timedelta(seconds=0.1),))
    return taken


async def being_recorded(asterisk: FakeAsterisk) -> Channel:
    caller = asterisk.call(MESSAGE)
    await until(lambda: asterisk.recording, what="the recording")
    return caller


def messages(router: Router, *, done: bool = False) -> list[tuple[StoredMessage, list[Delivery]]]:
    store = Messages(router.database)
    try:
        return store.listed("fjord", done=done, limit=10)
    finally:
        store.close()


def errors(router: Router) -> set[str | None]:
    return {one.error for _, deliveries in messages(router) for one in deliveries}


def is_taken(router: Router) -> bool:
    listed = messages(router)
    return bool(listed) and all(one.taken_at for _, deliveries in listed for one in deliveries)


def files(router: Router) -> list[Path]:
    return list((Path(router.database.removeprefix("sqlite:///")).parent / "messages").glob("*"))


async def test_a_message_is_fetched_and_delivered(
    asterisk: FakeAsterisk, router: Router, sent: list[str]
) -> None:
    caller = await being_recorded(asterisk)
    caller.hang_up()
    record = await router.record(MESSAGE)
    assert told(record) == ("message_left", "message", "caller")
    await until(lambda: is_taken(router), what="the delivery")
    assert sorted(sent) == ["http://localhost:1/calls", "post@fjord.example"]
    [(message, _)] = messages(router)
    assert (message.callback, message.seconds, message.client) == ("+4790000009", 3.0, "fjord")
    [file] = files(router)
    assert file.name == f"{message.call_id}.wav"
    assert asterisk.recorded == {}, "it is removed from Asterisk once it is here"
    await router.all_over(1)


async def test_too_little_is_no_message(asterisk: FakeAsterisk, router: Router, sent: list[str]) -> None:
    asterisk.speech = 1.0
    caller = await being_recorded(asterisk)
    caller.hang_up()
    assert told(await router.record(MESSAGE)) == ("abandoned", "message", "caller")
    await until(lambda: asterisk.recorded == {}, what="the removal")
    assert messages(router) == []
    assert sent == []
    await router.all_over(1)


async def test_0_goes_on_without_a_message(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await being_recorded(asterisk)
    asterisk.press(caller, "0")
    assert told(await router.record(MESSAGE)) == ("informed", "closing", "router")
    await router.all_over(1)
    assert asterisk.recorded == {}


async def test_a_recording_that_ended_in_a_gap_is_found(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await being_recorded(asterisk)
    await router.die()
    [name] = asterisk.recording
    asterisk.end_recording(name)
    caller.hang_up()
    await router.start()
    assert told(await router.record(MESSAGE)) == ("message_left", "message", None)
    await until(lambda: is_taken(router), what="the delivery")
    await router.all_over(1)


async def test_a_recording_that_is_gone_after_a_gap_is_no_message(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller = await being_recorded(asterisk)
    await router.die()
    asterisk.recording.clear()
    caller.hang_up()
    await router.start()
    record = await router.record(MESSAGE)
    assert told(record) == ("unobserved", "router_away", None)
    assert "recording_failed" in record.flags
    await router.all_over(1)


async def test_a_recording_goes_on_over_a_gap(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await being_recorded(asterisk)
    asterisk.drop()
    await until(lambda: asterisk.connected, what="the return")
    asterisk.press(caller, "#")
    await until(lambda: asterisk.recorded, what="the end of the recording")
    caller.hang_up()
    assert told(await router.record(MESSAGE))[0] == "message_left"
    await router.all_over(1)


async def test_a_file_that_is_gone_is_told_of_and_the_message_goes_without(
    asterisk: FakeAsterisk, router: Router, sent: list[str]
) -> None:
    caller = await being_recorded(asterisk)
    asterisk.recorded = _Vanishing()
    caller.hang_up()
    await router.record(MESSAGE)
    await until(lambda: is_taken(router), what="the delivery")
    [(message, _)] = messages(router)
    assert message.lost_at
    assert len(sent) == 2


class _Vanishing(dict[str, bytes]):
    """Somebody tidies up in Asterisk's folder."""

    def __setitem__(self, name: str, recorded: bytes) -> None:
        pass


async def test_what_is_not_taken_is_tried_again(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []

    async def post(*_: object) -> None:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise UndeliveredError("it sleeps")

    monkeypatch.setattr(webhook.Poster, "post", post)
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    assert len(tries) == 3
    [(_, deliveries)] = messages(router)
    assert sorted((one.way, one.tries, one.error) for one in deliveries) == [
        ("mail", 1, None),
        ("webhook", 3, None),
    ]


async def test_what_was_delivered_is_not_delivered_again_for_a_database_in_trouble(
    asterisk: FakeAsterisk, router: Router, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postbox, "NOTE_AGAIN", 0.05)
    trouble, taken = [True] * 4, Messages.taken

    def noted(self: Messages, *about: Any) -> None:
        if trouble and trouble.pop():
            raise UnusableDatabaseError("callrouter.db", "database is locked")
        taken(self, *about)

    monkeypatch.setattr(Messages, "taken", noted)
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the deliveries, noted")
    assert sorted(sent) == ["http://localhost:1/calls", "post@fjord.example"]


async def test_what_nobody_has_thought_of_ends_no_router(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_letter(*_: object, **__: object) -> None:
        raise IndexError("string index out of range")

    monkeypatch.setattr(postbox, "as_mail", no_letter)
    monkeypatch.setattr(Messages, "unfetched", no_letter)
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await router.record(MESSAGE)
    await until(lambda: messages(router), what="the message")
    monkeypatch.undo()
    monkeypatch.setattr(postbox, "as_mail", no_letter)
    monkeypatch.setattr(postbox, "EVERY", 0.3)
    await until(lambda: "IndexError: string index out of range" in errors(router), 20, "the error")
    assert router.running


async def test_a_recording_that_cannot_be_removed_is_tried_again(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    [file] = files(router)
    file.unlink()
    file.mkdir()
    with create_engine(router.database).begin() as connection:
        connection.execute(update(MESSAGES).values(keep_until=datetime.now(UTC)))
    await asyncio.sleep(0.6)
    assert messages(router, done=True)
    file.rmdir()
    await until(lambda: messages(router, done=True) == [], what="the removal")


async def test_a_recording_is_fetched_again_or_found_here_if_we_died_in_between(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    with create_engine(router.database).begin() as connection:
        connection.execute(update(MESSAGES).values(fetched_at=None))
    await until(lambda: messages(router)[0][0].fetched_at, what="finding it")
    assert messages(router)[0][0].lost_at is None


async def test_a_file_that_asterisk_cannot_give_now_is_asked_for_again(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.faults = [Fault("GET", "recordings/stored/.*", 503, times=2)]
    caller = await being_recorded(asterisk)
    await router.die()
    [name] = asterisk.recording
    asterisk.end_recording(name)
    caller.hang_up()
    await router.start()
    assert told(await router.record(MESSAGE)) == ("message_left", "message", None)


async def test_a_recording_that_stays_in_asterisk_is_delivered_all_the_same(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.faults = [Fault("DELETE", "recordings/stored/.*", 500)]
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    assert len(asterisk.recorded) == 1


async def test_a_message_is_removed_when_its_time_is_over(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    with create_engine(router.database).begin() as connection:
        connection.execute(update(MESSAGES).values(keep_until=datetime.now(UTC)))
    await until(lambda: messages(router, done=True) == [], what="the removal")
    assert files(router) == []


async def test_a_folder_that_cannot_be_written_loses_nothing(asterisk: FakeAsterisk, router: Router) -> None:
    state = Path(router.database.removeprefix("sqlite:///")).parent
    (state / "messages").write_text("a file where the folder should be")
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await router.record(MESSAGE)
    await until(lambda: messages(router), what="the message")
    assert messages(router)[0][0].fetched_at is None
    (state / "messages").unlink()
    await until(lambda: is_taken(router), what="the delivery")


async def test_messages_are_listed_saved_and_done_with(
    asterisk: FakeAsterisk, router: Router, tmp_path: Path
) -> None:
    assert router.command("messages").stdout == "no messages\n"
    caller = await being_recorded(asterisk)
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    head, row = router.command("messages").stdout.splitlines()
    assert head.split()[:4] == ["id", "left", "client", "for"]
    assert "+4790000009" in row
    id = row.split()[0]
    file = tmp_path / "it.wav"
    assert router.command("messages", "save", id[:5], str(file)).exit_code == 0
    assert file.read_bytes()[:4] == b"RIFF"
    assert router.command("messages", "save", id, str(tmp_path / "no" / "it.wav")).exit_code == 2
    assert "no message's id begins with `zz`" in router.command("messages", "done", "zz").stderr
    assert router.command("messages", "done", id).stdout == f"{id} is done\n"
    assert router.command("messages").stdout == "no messages\n"
    assert id in router.command("messages", "--all", "--json").stdout


async def test_what_was_not_recorded_cannot_be_saved(
    asterisk: FakeAsterisk, router: Router, tmp_path: Path
) -> None:
    caller = await being_recorded(asterisk)
    asterisk.recorded = _Vanishing()
    caller.hang_up()
    await until(lambda: is_taken(router), what="the delivery")
    save = router.command("messages", "save", messages(router)[0][0].call_id, str(tmp_path / "it.wav"))
    assert (save.exit_code, "is gone" in save.stderr) == (1, True)


def test_without_records_there_is_nothing_to_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLROUTER_STATE", str(tmp_path))
    assert CliRunner().invoke(app, ["messages"]).exit_code == 1
