"""What a caller hears of a client's hours, in several languages, at telling moments."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from router.core import openings
from router.core.dialling import Dialling
from router.core.hours import Hours
from router.core.languages.catalogue import Tone
from router.core.plan import CallPlan, Challenge, HangUp, Menu, Message, PlanNode, Ring, SayHours, Speak
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.times import Spans

OSLO = ZoneInfo("Europe/Oslo")
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours:
  office:
    week: {mon-thu: "08:00-15:30", fri: "08:00-12:00 12:30-14:00"}
    holidays: NO
    dates: {2026-12-23: "08:05-12:00"}
  night: {week: {sat: "22:00-03:00"}}
  always: {week: {mon-sun: "00:00-24:00"}}
  never: {dates: {2020-01-01: "08:00-12:00"}}
routes: [{name: main, do: [hangup]}]
"""


@pytest.fixture(scope="module")
def hours() -> dict[str, Hours]:
    rules = compile_rules({"fjord.yaml": RULES}, Dialling())
    assert isinstance(rules, RuleSet), rules
    return dict(rules.clients["fjord"].hours)


SAID: list[tuple[str, str, str, str, str]] = [
    # moment, name of the hours, when, language, what is said
    ("open", "office", "2026-11-23 10:00", "nb", "Vi har åpent til klokken 15 30."),
    ("before opening", "office", "2026-11-23 07:59", "nb",
     "Vi har stengt nå. Vi åpner igjen i dag klokken 8."),
    ("in the evening", "office", "2026-11-23 18:00", "nb",
     "Vi har stengt nå. Vi åpner igjen i morgen klokken 8."),
    ("on a Friday evening", "office", "2026-11-27 18:00", "nb",
     "Vi har stengt nå. Vi åpner igjen mandag klokken 8."),
    ("at lunch", "office", "2026-11-27 12:10", "nb",
     "Vi har stengt nå. Vi åpner igjen i dag klokken 12 30."),
    ("on the eve of a special day", "office", "2026-12-22 18:00", "nb",
     "Vi har stengt nå. Vi åpner igjen i morgen klokken 8 null 5."),
    ("on a holiday", "office", "2026-12-25 10:00", "nb",
     "Vi har stengt nå. Vi åpner igjen mandag klokken 8."),
    ("before Easter", "office", "2027-03-24 18:00", "nb",
     "Vi har stengt nå. Vi åpner igjen tirsdag klokken 8."),
    ("on the eve of summer time", "office", "2027-03-27 23:30", "nb",
     "Vi har stengt nå. Vi åpner igjen tirsdag klokken 8."),
    ("across midnight", "night", "2026-11-28 23:00", "nb", "Vi har åpent til i morgen klokken 3."),
    ("after a week without hours", "night", "2026-11-29 04:00", "nb",
     "Vi har stengt nå. Vi åpner igjen lørdag klokken 22."),
    ("always", "always", "2026-11-23 10:00", "nb", "Vi har åpent."),
    ("never", "never", "2026-11-23 10:00", "nb", "Vi har stengt."),
    ("in English", "office", "2026-11-23 10:00", "en", "We are open until 3 30 p.m."),
    ("in English, on a Friday", "office", "2026-11-27 18:00", "en",
     "We are closed now, and open again on Monday at 8 a.m."),
    ("in Danish", "office", "2026-11-27 18:00", "da", "Vi har lukket nu. Vi åbner igen mandag klokken 8."),
    ("in Vietnamese", "office", "2026-11-27 18:00", "vi",
     "Hiện tại chúng tôi đóng cửa. Chúng tôi mở cửa lại lúc 8 giờ thứ hai."),
    ("in Bulgarian", "office", "2026-11-27 18:00", "bg",
     "В момента не работим. Отваряме отново в понеделник в 8 часа."),
    ("in a language without texts", "office", "2026-11-23 10:00", "de", "We are open until 3 30 p.m."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "at", "language", "text"), [row[1:] for row in SAID], ids=[r[0] for r in SAID]
)
def test_what_is_said(hours: dict[str, Hours], name: str, at: str, language: str, text: str) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=OSLO)
    assert openings.sentence(hours[name], now, language, "formal").text == text


def test_a_day_far_off_is_told_by_its_date() -> None:
    week: dict[tuple[int, ...], Spans] = {(0,): ((8 * 60, 9 * 60),)}
    hours = Hours.build(OSLO, week, {}, ["NO"])
    now = datetime(2027, 5, 10, 12, 0, tzinfo=OSLO)  # the Monday after is Whit Monday
    assert openings.sentence(hours, now, "nb", "formal").text.endswith(
        "åpner igjen mandag 24. mai klokken 8."
    )


@pytest.mark.brute
@pytest.mark.parametrize("tone", ["formal", "informal"])
def test_all_that_will_be_said_is_known_beforehand(hours: dict[str, Hours], tone: Tone) -> None:
    start = datetime(2026, 12, 21, 9, 17, tzinfo=UTC)
    end = start + timedelta(days=9)
    known = set(openings.sentences(hours["office"], start, end, "nb", tone))
    minutes = (start + timedelta(minutes=count) for count in range(9 * 24 * 60))
    assert {openings.sentence(hours["office"], now, "nb", tone) for now in minutes} <= known


HOURS = SayHours("office", "nb")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=OSLO)
OPEN = Speak("Vi har åpent til klokken 15 30.", "nb")


def test_hours_in_a_plan_are_put_into_words(hours: dict[str, Hours]) -> None:
    plan = CallPlan(
        (
            PlanNode(HOURS, 1),
            PlanNode(Menu(HOURS, ("1",)), 2),
            PlanNode(Message(say=HOURS), 3),
            PlanNode(Challenge(HOURS), 4),
            PlanNode(Ring((), 1.0, announce=HOURS), 5),
            PlanNode(Menu(OPEN, ("1",)), 6),
            PlanNode(HangUp()),
        )
    )
    told = openings.told(plan, hours, NOW)
    assert [node.step for node in told.nodes] == [
        OPEN,
        Menu(OPEN, ("1",)),
        Message(say=OPEN),
        Challenge(OPEN),
        Ring((), 1.0, announce=OPEN),
        Menu(OPEN, ("1",)),
        HangUp(),
    ]
    assert [node.then for node in told.nodes] == [1, 2, 3, 4, 5, 6, None]


def test_a_plan_without_hours_stays_what_it_is(hours: dict[str, Hours]) -> None:
    plan = CallPlan((PlanNode(OPEN, 1), PlanNode(HangUp())))
    assert openings.told(plan, hours, NOW) is plan
