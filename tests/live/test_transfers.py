"""Phones hold callers, and give them to somebody else, unseen or after a word; the caller's side does not."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.error import HTTPError

import pytest

from router.core.record import CallRecord, Disposition, Party, TalkEnd
from router.edge.store.queries import Saved
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    HUNG_UP_ON,
    INVITE,
    INVITE_HEARING,
    LETS_PASS,
    PICK_UP_HEARING,
    RINGING,
    Move,
    bye,
    called,
    hang_up,
    pause,
    refer_as_caller,
)
from tests.harness.softphone import Dialog, Softphone
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import Switchboard

pytestmark = pytest.mark.live

BACK, MIAS, DESK, QUEUE, KARIS, PERS = (f"+472233445{digit}" for digit in range(3, 9))
FJORD = """\
client: fjord
name: Fjord
numbers: "+47 22 33 44 5x"
timezone: Europe/Oslo
country: NO
people:
  kari: {rings: PJSIP/100, extension: 100}
  ola: {rings: PJSIP/101, extension: 101, do: [{ring: self, for: 3s}, message]}
  per: {rings: PJSIP/102, extension: 102, numbers: "+47 22 33 44 58"}
  mia: {rings: PJSIP/103, numbers: "+47 22 33 44 54"}
queues:
  desk: {agents: kari, wrap_up: 3s, supervisors: mia}
  back: {agents: ola, wrap_up: 20s}
last_resort: [hangup]
routes:
  - {name: queue, when: {dialled: "+47 22 33 44 56"}, do: [{queue: desk, for: 1m}]}
  - {name: back, when: {dialled: "+47 22 33 44 53"}, do: [{queue: back, for: 1m}]}
  - {name: main, do: [{ring: kari, for: 20s}]}
"""
STAYS: tuple[Move, ...] = (INVITE, ANSWERED, HUNG_UP_ON)
"""A caller who is hung up on."""
BLIND, ATTENDED, HUNG_UP = TalkEnd.BLIND_TRANSFER, TalkEnd.ATTENDED_TRANSFER, TalkEnd.HUNG_UP


class Office(Switchboard):
    """People with phones of their own hands."""

    def phone_of(self, number: int, media_port: int = 9) -> Softphone:
        phone = Softphone(self.sandbox, self.sandbox.phones[number - 100], media_port)
        self.at_end(phone.close)
        return phone

    def talk(self, phone: Softphone, call: int = 1) -> Dialog:
        """A phone is called, answers, and talks with the caller."""
        dialog = phone.wait_for_call(call).ring().pick_up()
        wait_until(lambda: any(len(one["channels"]) == 2 for one in self.sandbox.ari("GET", "bridges")),
                   "the two talk")  # fmt: skip
        return dialog

    def they_talk(self, talks: int) -> None:
        """So many callers are in a bridge with somebody who answered for them, and nobody else is."""

        def there() -> int:
            legs = {one["id"] for one in self.sandbox.ari("GET", "channels") if _is_leg(one)}
            bridges = self.sandbox.ari("GET", "bridges")
            return sum(len(one["channels"]) == 2 and bool(legs & set(one["channels"])) for one in bridges)

        wait_until(lambda: there() == talks, f"{talks} talk")

    def snoops(self, *, bridged: bool = False) -> set[str]:
        """The channels by which somebody is heard."""
        found = {c["id"] for c in self.sandbox.ari("GET", "channels") if c["name"].startswith("Snoop/")}
        members = {one for bridge in self.sandbox.ari("GET", "bridges") for one in bridge["channels"]}
        return found & members if bridged else found

    def one_record(self, did: str, before: int) -> CallRecord:
        """The record of the only call since then."""
        return self.router.records(did, within=20, count=before + 1)[0]

    def told(self, did: str) -> list[str]:
        """The events of the latest call, as far as they are written down."""
        stories = [story for story in self.router.stories() if story.info.dialled == did]
        return [_kind(row) for row in stories[0].timeline] if stories else []


def _is_leg(channel: Any) -> bool:
    return str(channel["dialplan"]["app_data"]).endswith(",leg")


def _kind(row: Saved) -> str:
    return str(row.event)


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": FJORD}, trunk="PJSIP/{number}@trunk")


@pytest.fixture
def office(running: tuple[Sandbox, RouterProcess]) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(*running, stack, {})
    left = running[0].left_behind(within=10)
    for channel in left:
        with suppress(HTTPError):
            running[0].ari("DELETE", f"channels/{channel}")
    assert left == [], "nothing is left in Asterisk"


def talks(record: CallRecord) -> list[tuple[str, TalkEnd]]:
    assert record.talk_seconds == pytest.approx(sum(talk.seconds for talk in record.talks))
    return [(talk.who, talk.end) for talk in record.talks]


def told(record: CallRecord) -> tuple[Disposition, Party | None, str | None]:
    return record.disposition, record.hung_up_by, record.answered_by


def test_a_hold_is_counted_in_seconds(office: Office) -> None:
    before, kari = office.next_record(DESK) - 1, office.phone_of(100)
    office.caller(DESK, *STAYS)
    talk = office.talk(kari)
    time.sleep(0.5)
    for seconds in (1.0, 0.5):
        talk.hold()
        time.sleep(seconds)
        talk.hold(held=False)
        time.sleep(0.3)
    talk.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert record.hold_seconds == pytest.approx(1.6, abs=0.4)
    assert record.talk_seconds > record.hold_seconds + 0.5
    assert talks(record) == [("kari", HUNG_UP)]


def test_a_blind_transfer_reaches_a_person(office: Office) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    time.sleep(1.0)
    assert first.refer("101") == 202
    second = ola.wait_for_call().ring()
    first.wait_ended()
    second.pick_up()
    time.sleep(1.0)
    second.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND), ("ola", HUNG_UP)]
    assert [talk.seconds for talk in record.talks] == pytest.approx([1.0, 1.0], abs=0.4)
    assert "transferred" in record.flags


def test_a_number_of_a_person_is_that_person(office: Office) -> None:
    before = office.next_record(DESK) - 1
    kari, per = office.phone_of(100), office.phone_of(102)
    caller = office.caller(DESK, INVITE, ANSWERED, pause(3.0), bye(), options=LETS_PASS)
    assert office.talk(kari).refer("22334458") == 202
    per.wait_for_call().ring().pick_up()
    assert caller.wait() == (0, "")
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLER, "kari")
    assert talks(record) == [("kari", BLIND), ("per", HUNG_UP)]


def test_a_number_outside_is_rung_through_the_trunk_and_takes_the_call_by_a_key(office: Office) -> None:
    before, kari = office.next_record(DESK) - 1, office.phone_of(100)
    office.caller(DESK, *STAYS)
    moves = (called(request="sip:[+]4790000002@"), RINGING, PICK_UP_HEARING, pause(4.0), hang_up())
    mobile = office.phone(*moves, port=office.sandbox.trunk_port, options=LETS_PASS)
    assert office.talk(kari).refer("90000002") == 202
    mobile.press("1", within=10)
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND), ("+4790000002", HUNG_UP)]


def test_a_caller_who_is_given_away_hears_ringing_until_somebody_answers(office: Office) -> None:
    before = office.next_record(DESK) - 1
    kari, per = office.phone_of(100), office.phone_of(102)
    caller = office.calls(DESK, INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    first = office.talk(kari)
    time.sleep(0.5)
    assert first.refer("102") == 202
    asked = time.monotonic()
    ringing = per.wait_for_call().ring()
    time.sleep(2.0)
    assert caller.longest_silence(asked, asked + 1.2) < 0.7, "it rings at once"
    ringing.pick_up()
    answered = time.monotonic() + 0.3
    time.sleep(5.5)  # longer than the pause between two rings
    assert caller.longest_silence(answered, answered + 5.0) > 4.8, "and no more, once per has the call"
    ringing.hang_up()
    assert talks(office.one_record(DESK, before)) == [("kari", BLIND), ("per", HUNG_UP)]


NOBODY = [
    ("who does not answer", "101", ""),
    ("outside, and not allowed", "+15551234567", "not among the allowed destinations"),
    ("nobody", "199", "nobody is there"),
]


@pytest.mark.parametrize(("to", "why"), [row[1:] for row in NOBODY], ids=[row[0] for row in NOBODY])
def test_the_caller_comes_back_to_who_transferred(office: Office, to: str, why: str) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    time.sleep(0.5)
    assert first.refer(to) == 202
    if to == "101":
        ola.wait_for_call().ring().wait_ended()
    again = kari.wait_for_call(2).ring().pick_up()
    time.sleep(0.7)
    again.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND), ("kari", HUNG_UP)]
    refused = [seen.detail for seen in record.evidence if seen.what == "transfer_refused"]
    assert bool(refused) == bool(why)
    assert why in "".join(refused)


def test_nobody_answers_at_all_and_the_talk_stays_true(office: Office) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    caller = office.caller(DESK, *STAYS)
    first = office.talk(kari)
    time.sleep(0.5)
    assert first.refer("101") == 202
    ola.wait_for_call().ring().reject(486)
    kari.wait_for_call(2).ring().reject(486)
    assert caller.wait() == (0, "")
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.ROUTER, "kari")
    assert talks(record) == [("kari", BLIND)]


def test_a_caller_who_hangs_up_while_it_rings_was_answered(office: Office) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    caller = office.caller(DESK, INVITE, ANSWERED, pause(2.0), bye(), options=LETS_PASS)
    assert office.talk(kari).refer("101") == 202
    ringing = ola.wait_for_call().ring()
    assert caller.wait() == (0, "")
    ringing.wait_ended(within=1.5)
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLER, "kari")
    assert talks(record) == [("kari", BLIND)]


def test_what_is_no_number_leaves_the_talk_as_it_is(office: Office) -> None:
    before, kari = office.next_record(DESK) - 1, office.phone_of(100)
    office.caller(DESK, *STAYS)
    talk = office.talk(kari)
    time.sleep(0.3)
    assert talk.refer("ola") == 202
    talk.wait_told("404")
    time.sleep(0.3)
    talk.hang_up()
    record = office.one_record(DESK, before)
    assert (talks(record), record.flags) == ([("kari", HUNG_UP)], ())


@pytest.mark.parametrize("ends", ["the caller", "the other"])
def test_an_attended_transfer_goes_on_as_one_call(office: Office, ends: str) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    by_caller = (INVITE, ANSWERED, pause(4.0), bye())
    office.caller(DESK, *(by_caller if ends == "the caller" else STAYS), options=LETS_PASS)
    first = office.talk(kari)
    time.sleep(0.5)
    first.hold()
    asked = kari.dial("101")
    other = ola.wait_for_call().ring().pick_up()
    wait_until(lambda: asked.answered, "kari talks with ola")
    time.sleep(0.5)
    assert first.refer_to(asked) == 202
    first.wait_ended()
    asked.wait_ended()
    time.sleep(1.0)
    if ends == "the other":
        other.hang_up()
    else:
        other.wait_ended()
    record = office.one_record(DESK, before)
    by = Party.CALLER if ends == "the caller" else Party.CALLEE
    assert told(record) == (Disposition.ANSWERED, by, "kari")
    assert talks(record) == [("kari", ATTENDED), ("ola", HUNG_UP)]
    assert record.talks[0].hold_seconds == pytest.approx(1.0, abs=0.7)
    assert [one.target for one in record.attempts] == ["kari", "ola"]


def test_who_is_given_away_to_a_phone_that_still_rings_is_put_through(office: Office) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    time.sleep(0.3)
    asked = kari.dial("101")
    consulted = ola.wait_for_call().ring()
    wait_until(lambda: "tag=" in asked.remote, "kari hears it ring")
    first.refer_to(asked)
    consulted.wait_ended()
    talk = ola.wait_for_call(2).ring().pick_up()
    time.sleep(0.5)
    talk.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND), ("ola", HUNG_UP)]


def test_whom_the_router_has_called_as_well_is_called_for_the_caller(office: Office) -> None:
    before, others = office.next_record(DESK) - 1, office.next_record(PERS) - 1
    kari, per = office.phone_of(100), office.phone_of(102)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    asked = kari.dial(PERS)
    consulted = per.wait_for_call().ring().pick_up()
    wait_until(lambda: len([one for one in office.told(PERS) if "LegAnswered" in one]) == 2, "kari asks per")
    first.refer_to(asked)
    consulted.wait_ended()
    talk = per.wait_for_call(2).ring().pick_up()
    time.sleep(0.5)
    talk.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND), ("per", HUNG_UP)]
    assert talks(office.one_record(PERS, others)) == [("per", HUNG_UP)]


def test_an_agent_is_free_once_the_caller_is_given_away(office: Office) -> None:
    before = office.next_record(QUEUE) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    office.caller(QUEUE, *STAYS)
    first = office.talk(kari)
    assert state(office) == "talking"
    assert first.refer("101") == 202
    talk = ola.wait_for_call().ring().pick_up()
    wait_until(lambda: state(office) == "wrapping", "kari's talk is over")
    wait_until(lambda: state(office) == "idle", "and so is what comes after it")
    talk.hang_up()
    record = office.one_record(QUEUE, before)
    assert talks(record) == [("kari", BLIND), ("ola", HUNG_UP)]


def state(office: Office) -> Any:
    return office.queue("desk")["agents"][0]["state"]


def test_two_callers_whom_one_phone_joins_both_come_back_to_it(office: Office) -> None:
    before, kari = office.next_record(DESK) - 1, office.phone_of(100)
    first = second = None
    for number in (1, 2):
        office.caller(DESK, *STAYS, user=f"+479000000{number}")
        first, second = second, kari.wait_for_call(number).ring().pick_up()
        office.they_talk(number)
    assert first is not None
    assert second is not None
    first.hold()
    time.sleep(0.5)
    assert first.refer_to(second) == 202
    again = [kari.wait_for_call(number).ring().pick_up() for number in (3, 4)]
    office.they_talk(2)
    time.sleep(0.5)
    for talk in again:
        assert not talk.ended
        talk.hang_up()
    for record in office.router.records(DESK, within=20, count=before + 2)[:2]:
        assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
        assert talks(record) == [("kari", BLIND), ("kari", HUNG_UP)]


def test_an_agent_who_was_asked_by_a_queue_is_called_for_the_caller(office: Office) -> None:
    before, others = office.next_record(DESK) - 1, office.next_record(BACK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    asked = kari.dial(BACK)
    consulted = ola.wait_for_call().ring().pick_up()
    office.they_talk(2)
    assert first.refer_to(asked) == 202
    consulted.wait_ended()
    talk = ola.wait_for_call(2).ring().pick_up()
    office.they_talk(1)
    time.sleep(0.5)
    talk.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND), ("ola", HUNG_UP)]
    assert told(office.one_record(BACK, others)) == (Disposition.ANSWERED, Party.CALLER, "ola")


@pytest.mark.parametrize("first", ["the number of ours", "the other"])
def test_who_joins_two_calls_of_their_own_cuts_nobody_off(office: Office, first: str) -> None:
    before = office.next_record(PERS) - 1
    kari, ola, per = (office.phone_of(number) for number in (100, 101, 102))
    ours = kari.dial(PERS)
    asked = per.wait_for_call().ring().pick_up()
    office.they_talk(1)
    other = kari.dial("101")
    outside = ola.wait_for_call().ring().pick_up()
    wait_until(lambda: other.answered, "kari talks with ola")
    assert (ours.refer_to(other) if first == "the number of ours" else other.refer_to(ours)) == 202
    ours.wait_ended()
    time.sleep(1.5)
    assert not asked.ended
    assert not outside.ended
    outside.hang_up()
    asked.wait_ended()
    record = office.one_record(PERS, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLER, "per")
    assert talks(record) == [("per", HUNG_UP)]
    assert "transferred" in record.flags


@pytest.mark.parametrize("first", ["her caller", "the talk"])
def test_a_supervisor_puts_no_caller_through_to_a_talk(office: Office, first: str) -> None:
    before, others = office.next_record(QUEUE) - 1, office.next_record(MIAS) - 1
    sound = office.media()
    kari, mia = office.phone_of(100, sound.port), office.phone_of(103)
    # A snoop goes with the next sound: none of a talk in which all are silent.
    caller = office.calls(QUEUE, INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    caller.hum(440)
    sound.hum(700)
    rung = kari.wait_for_call().ring()
    wait_until(lambda: caller.frames, "the caller hears music, and so knows where to hum")
    heard = rung.pick_up()
    wait_until(lambda: sound.hears(440) and caller.hears(700), "they hear one another")
    office.caller(MIAS, *STAYS, user="+4790000008")
    mine = mia.wait_for_call().ring().pick_up()
    office.they_talk(2)
    mine.hold()
    ear = mia.dial("*87")
    wait_until(lambda: office.snoops(bridged=True), "mia hears kari")
    assert (mine.refer_to(ear) if first == "her caller" else ear.refer_to(mine)) == 202
    again = mia.wait_for_call(3).ring().pick_up()
    wait_until(lambda: not office.snoops(), "nobody hears kari", within=3)
    office.they_talk(2)
    time.sleep(0.5)
    assert not heard.ended
    again.hang_up()
    heard.hang_up()
    record = office.one_record(MIAS, others)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "mia")
    assert talks(record) == [("mia", BLIND), ("mia", HUNG_UP)]
    record = office.one_record(QUEUE, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", HUNG_UP)]


GAPS = ["while a blind one rings", "after an attended one"]


@pytest.mark.parametrize("when", GAPS)
def test_a_router_that_is_killed_takes_transfers_up(office: Office, when: str) -> None:
    before = office.next_record(DESK) - 1
    kari, per = office.phone_of(100), office.phone_of(102)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    time.sleep(0.5)
    if when == GAPS[0]:
        first.refer("102")
        other = per.wait_for_call().ring()
        wait_until(lambda: sum("LegRinging" in one for one in office.told(DESK)) == 2, "per's phone rings")
        office.router.kill()
        office.router.start()
        other.pick_up()
    else:
        asked = kari.dial("102")
        other = per.wait_for_call().ring().pick_up()
        wait_until(lambda: asked.answered, "kari talks with per")
        first.refer_to(asked)
        first.wait_ended()
        wait_until(lambda: any("LegReplaced" in one for one in office.told(DESK)), "the talk goes on")
        office.router.kill()
        office.router.start()
    time.sleep(1.0)
    assert not other.ended
    other.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert talks(record) == [("kari", BLIND if when == GAPS[0] else ATTENDED), ("per", HUNG_UP)]


@pytest.mark.parametrize("how", ["blind", "attended"])
def test_a_transfer_that_no_router_saw_is_found(office: Office, how: str) -> None:
    before = office.next_record(DESK) - 1
    kari, ola = office.phone_of(100), office.phone_of(101)
    office.caller(DESK, *STAYS)
    first = office.talk(kari)
    wait_until(lambda: sum("LegAnswered" in one for one in office.told(DESK)) == 2, "they talk")
    if how == "attended":
        asked = kari.dial("101")
        other = ola.wait_for_call().ring().pick_up()
        wait_until(lambda: asked.answered, "kari talks with ola")
    office.router.send(signal.SIGSTOP)
    assert (first.refer("101") if how == "blind" else first.refer_to(asked)) == 202
    first.wait_told("200")
    office.router.kill()
    office.router.start()
    if how == "blind":
        other = ola.wait_for_call().ring().pick_up()
    time.sleep(1.0)
    assert not other.ended
    other.hang_up()
    record = office.one_record(DESK, before)
    assert told(record) == (Disposition.ANSWERED, Party.CALLEE, "kari")
    assert [talk.end for talk in record.talks] == [BLIND if how == "blind" else ATTENDED, HUNG_UP]


def test_without_a_router_nobody_is_given_away(office: Office) -> None:
    before, kari = office.next_record(DESK) - 1, office.phone_of(100)
    office.caller(DESK, *STAYS)
    talk = office.talk(kari)
    wait_until(lambda: sum("LegAnswered" in one for one in office.told(DESK)) == 2, "they talk")
    office.router.kill()
    assert talk.refer("101") == 202
    talk.wait_told("503")
    office.router.start()
    talk.hang_up()
    assert talks(office.one_record(DESK, before)) == [("kari", HUNG_UP)]


WHERE = [("another phone", "sip:{}@127.0.0.1"), ("a number of ours", f"sip:{KARIS}@127.0.0.1")]


@pytest.mark.parametrize("to", [row[1] for row in WHERE], ids=[row[0] for row in WHERE])
def test_the_callers_side_transfers_nobody(office: Office, to: str) -> None:
    before = len(office.router.stories())
    kari, other = office.phone_of(100), office.phone_of(101)
    referring = refer_as_caller(to.format(office.sandbox.phones[1].username))
    office.caller(DESK, INVITE, ANSWERED, pause(0.5), referring, pause(1), bye(number=3), options=LETS_PASS)
    office.talk(kari).wait_ended()
    time.sleep(1)
    assert other.dialogs == []
    for again in kari.dialogs[1:]:
        again.ring().wait_ended(within=2)
    stories = office.router.stories()
    assert all(story.record for story in stories)
    # A transfer to a number of ours comes as a call of its own, and ends at once.
    ended = [story.record.disposition for story in stories[: len(stories) - before] if story.record]
    assert ended.count(Disposition.ANSWERED) == 1
