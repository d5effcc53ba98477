"""What callers hear of a client's hours, at telling moments: only the router's clock is another."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from router.core.plan import Speak
from router.core.record import Disposition
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import ANSWERED, HUNG_UP_ON, INVITE_HEARING
from tests.live.conftest import BringUp
from tests.live.room import Room

pytestmark = pytest.mark.live

OSLO = ZoneInfo("Europe/Oslo")
CLIENTS = {"nb": "+4722334455", "en": "+4722334456"}
RULES = """\
client: {language}
name: Fjord
numbers: "{number}"
timezone: Europe/Oslo
country: NO
language: {language}
hours:
  office:
    week: {{mon-thu: "08:00-15:30", fri: "08:00-14:00", sun: "08:00-12:00"}}
    holidays: NO
    dates: {{2026-12-23: "08:05-12:00"}}
routes: [{{name: main, do: [{{say: hours}}, hangup]}}]
"""
MOMENTS = [
    ("while it is open", "2026-11-23 10:00",
     "Vi har åpent til klokken 15 30.",
     "We are open until 3 30 p.m."),
    ("before the weekend", "2026-11-28 12:30",
     "Vi har stengt nå. Vi åpner igjen i morgen klokken 8.",
     "We are closed now, and open again tomorrow at 8 a.m."),
    ("on the eve of winter time", "2026-10-24 23:30",
     "Vi har stengt nå. Vi åpner igjen i morgen klokken 8.",
     "We are closed now, and open again tomorrow at 8 a.m."),
    ("before a day of its own", "2026-12-22 18:00",
     "Vi har stengt nå. Vi åpner igjen i morgen klokken 8 null 5.",
     "We are closed now, and open again tomorrow at 8 oh 5 a.m."),
    ("on a public holiday", "2026-12-25 10:00",
     "Vi har stengt nå. Vi åpner igjen søndag klokken 8.",
     "We are closed now, and open again on Sunday at 8 a.m."),
]  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(bring_up: BringUp) -> Sandbox:
    return bring_up("--rtp-timeout=0")


@pytest.fixture
def room(sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    rules = {f"{one}.yaml": RULES.format(language=one, number=number) for one, number in CLIENTS.items()}
    router = RouterProcess(sandbox, tmp_path, rules)
    router.start(at=datetime.fromisoformat(request.param).replace(tzinfo=OSLO))
    with ExitStack() as stack:
        yield Room(sandbox, router, stack)
    router.stop()
    assert sandbox.left_behind() == []


@pytest.mark.parametrize(
    ("room", "nb", "en"), [row[1:] for row in MOMENTS], ids=[row[0] for row in MOMENTS], indirect=["room"]
)
def test_hours_are_told_as_they_are_when_somebody_calls(room: Room, nb: str, en: str) -> None:
    for language, text in (("nb", nb), ("en", en)):
        caller = room.calls(CLIENTS[language], INVITE_HEARING, ANSWERED, HUNG_UP_ON)
        record = room.record(CLIENTS[language], 1)
        assert (record.disposition, record.flags) == (Disposition.INFORMED, ())
        assert caller.heard(room.prompt(Speak(text, language)))
