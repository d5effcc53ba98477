"""The page of a report: its charts, its tables, what it looks like, and that it needs no network."""

import re
import socket
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from router.cli import charts
from router.cli.charts import Group, Part
from router.cli.reportforms import Names
from router.cli.reportpage import page
from router.core.counted import CountedCall, Rung
from router.core.record import AttemptOutcome, Disposition, Talk, TalkEnd
from router.core.report import By, Counting, Report, Wanted
from router.core.visits import Visit
from tests.harness.browser import Browser

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\" onload='x'"
VOID = ("meta", "br")

BLUE, LIGHT_BLUE, ORANGE, GREY = "#0a6aa8", "#6db5e0", "#d9601a", "#b3bac4"


def a_call(day: int, hour: int, wait: float | None, who: str = "kari", **changes: object) -> CountedCall:
    """Answered after so long; None: given up after a minute."""
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    then = at + timedelta(seconds=60 if wait is None else wait)
    made = CountedCall(client="fjord", arrived_at=at, disposition=Disposition.ABANDONED, wait_seconds=60.0)
    talks: tuple[Talk, ...] = ()
    outcome = AttemptOutcome.CANCELLED
    if wait is not None:
        talks = (Talk(1, who, then, then + timedelta(seconds=90), TalkEnd.HUNG_UP),)
        made = replace(made, disposition=Disposition.ANSWERED, wait_seconds=wait, talks=talks)
        outcome = AttemptOutcome.ANSWERED
    visit = Visit("desk", at, then, "answered" if talks else "abandoned", talks[0] if talks else None)
    rung = (Rung(who, outcome, "", 3.0),)
    return replace(made, visits=(visit,), rung=rung, **changes)


CALLS = (
    *(a_call(23, 9, 5.0) for _ in range(6)),
    *(a_call(23, 10, 45.0, "ola") for _ in range(3)),
    *(a_call(24, 9, None) for _ in range(2)),
    a_call(26, 14, 5.0, tags=(EVIL,)),
    CountedCall(client="fjord", arrived_at=datetime(2026, 11, 26, 18, tzinfo=UTC),
                disposition=Disposition.INFORMED),
)  # fmt: skip


def report(calls: tuple[CountedCall, ...] = CALLS, **wanted: object) -> Report:
    counting = Counting(replace(Wanted(tuple(By)), **wanted), {}, ZoneInfo("UTC"))
    for call in calls:
        counting.add(call)
    return counting.report()


class Page(HTMLParser):
    """The page as a tree, read as strictly as XML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._builder = ET.TreeBuilder()
        self.feed(text)
        self.root = self._builder.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self._builder.end(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        self._builder.end(tag)

    def handle_data(self, data: str) -> None:
        self._builder.data(data)

    def section(self, by: By) -> ET.Element:
        (found,) = (one for one in self.root.iter("section") if one.get("id") == by.value)
        return found


@pytest.fixture
def shown() -> Page:
    return Page(page(report(), Names(), NOW))


GROUPS = [
    (By.DAY, 4, {"s0": 2, "s1": 1, "s2": 1, "s3": 1}),
    (By.HOUR, 24, {"s0": 2, "s1": 1, "s2": 1, "s3": 1}),
    (By.WEEKDAY, 7, {"s0": 2, "s1": 1, "s2": 1, "s3": 1}),
    (By.DISPOSITION, 3, {"s0": 3}),
    (By.QUEUE, 1, {"s0": 1, "s1": 1, "s2": 1}),
    (By.PERSON, 2, {"s0": 2, "s2": 1}),
    (By.TAG, 2, {"s0": 2}),
]


@pytest.mark.parametrize(("by", "groups", "parts"), GROUPS, ids=[row[0] for row in GROUPS])
def test_each_chart_has_its_bars_and_each_bar_its_parts(
    shown: Page, by: By, groups: int, parts: dict[str, int]
) -> None:
    (chart,) = shown.section(by).iter("svg")
    bars = [one for one in chart.iter("g") if one.get("class") == "group"]
    assert len(bars) == groups
    assert Counter(one.get("class") for one in chart.iter("rect")) == parts
    assert all(float(one.get("height", "")) > 0 and float(one.get("width", "")) > 0
               for one in chart.iter("rect"))  # fmt: skip


def test_bars_are_as_long_as_their_numbers(shown: Page) -> None:
    (chart,) = shown.section(By.DISPOSITION).iter("svg")
    widths = [float(one.get("width", "")) for one in chart.iter("rect")]
    assert [round(width / widths[-1]) for width in widths] == [10, 2, 1]


def test_charts_and_tables_have_names(shown: Page) -> None:
    for section in (one for one in shown.root.iter("section") if one.get("id")):
        (chart,) = section.iter("svg")
        title = chart.find("title")
        assert title is not None
        assert (chart.get("role"), chart.get("aria-labelledby")) == ("img", title.get("id"))
        (table,) = section.iter("table")
        heads = [one.get("scope") for one in table.iter("th")]
        assert set(heads) == {"col", "row"}
        assert section.find(".//h2") is not None


def test_the_table_below_has_the_numbers(shown: Page) -> None:
    rows = [["".join(cell.itertext()) for cell in row] for row in shown.section(By.QUEUE).iter("tr")]
    assert rows[1][:5] == ["desk", "12", "92.3 %", "12", "10"]


def test_what_people_wrote_is_text(shown: Page) -> None:
    assert list(shown.root.iter("script")) == []
    assert EVIL in ["".join(one.itertext()) for one in shown.section(By.TAG).iter("th")]
    assert not any(name.startswith("on") for one in shown.root.iter() for name in one.keys())  # noqa: SIM118


def test_the_page_names_no_address() -> None:
    text = page(report(), Names(), NOW)
    assert re.findall(r"https?:|//\w|\bsrc=|\bhref=|url\(|@import", text) == []


def test_one_client_has_the_title() -> None:
    text = Page(page(report(client="fjord"), Names(), NOW))
    assert "".join(next(text.root.iter("h1")).itertext()) == "fjord"
    assert "by its clocks" in "".join(next(text.root.iter("header")).itertext())


def test_without_calls_it_says_so() -> None:
    text = page(report(()), Names(), NOW)
    assert "There are no such calls." in text


def test_of_many_the_largest_are_drawn_and_all_are_told() -> None:
    calls = tuple(a_call(23, 9, 5.0, f"agent{number:02}") for number in range(25))
    section = Page(page(report(calls), Names(), NOW)).section(By.PERSON)
    assert len(list(section.iter("g"))) == 20
    assert len(list(section.iter("tr"))) == 1 + 25
    assert "The 20 largest; 5 more are in the table." in "".join(section.itertext())


def test_queues_of_several_clients_say_whose_they_are() -> None:
    shown = Page(page(report((*CALLS, a_call(23, 9, 5.0, client="acme"))), Names(), NOW))
    drawn = {by: shown.section(by).iter("text") for by in (By.QUEUE, By.CLIENT)}
    names = {by: [one.text for one in texts if one.get("class") == "name"] for by, texts in drawn.items()}
    assert names == {By.QUEUE: ["desk, fjord", "desk, acme"], By.CLIENT: ["fjord", "acme"]}


def test_one_client_is_not_told_once_more(shown: Page) -> None:
    assert [one.get("id") for one in shown.root.iter("section")][-2:] == ["tag", None]


TICKS = [
    (0, ["0", "1"]),
    (1, ["0", "1"]),
    (5, ["0", "1", "2", "3", "4", "5"]),
    (6, ["0", "2", "4", "6"]),
    (145, ["0", "50", "100", "150"]),
    (12_345, ["0", "5,000", "10,000", "15,000"]),
]


@pytest.mark.parametrize(("most", "ticks"), TICKS, ids=[str(row[0]) for row in TICKS])
def test_the_scale_has_round_numbers(most: int, ticks: list[str]) -> None:
    chart = charts.columns([Group("a", "a", (Part(0, most),))])
    assert [line.label.text for line in chart.grid] == ticks


def test_a_year_of_days_keeps_apart_what_is_written() -> None:
    days = [Group(f"day {number}", f"{number % 28 + 1} Nov", (Part(0, 1000),)) for number in range(365)]
    chart = charts.columns(days)
    places = [one.label.x for one in chart.drawn if one.label]
    assert min(b - a for a, b in pairwise(places)) > 6 * charts.LETTER
    assert all(one.total is None for one in chart.drawn)
    assert max(rect.x + rect.width for one in chart.drawn for rect in one.rects) <= charts.WIDTH


def test_a_long_name_is_cut() -> None:
    chart = charts.bars([Group("n" * 40, "n" * 40, (Part(0, 1),))])
    assert chart.drawn[0].label is not None
    assert chart.drawn[0].label.text == "n" * 29 + "\N{HORIZONTAL ELLIPSIS}"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    made = Browser(tmp_path)
    yield made
    made.close()


def test_in_a_browser_it_is_drawn_and_asks_for_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(report(), Names(), NOW), encoding="utf-8")
    light = browser.picture(file, 640, 640).colours()
    assert min(light[colour] for colour in (BLUE, LIGHT_BLUE, ORANGE, GREY)) > 200
    assert light.most_common(1)[0][0] == "#ffffff"
    dark = browser.picture(file, 640, 640, dark=True).colours()
    assert dark.most_common(1)[0][0] == "#14181e"
    assert browser.proxy.asked == []
    # That the proxy would have told; a connection at hand, with nothing on it, is nothing asked for:
    socket.create_connection(("127.0.0.1", browser.proxy.server_port)).close()
    file.write_text('<img src="http://pictures.example/one.png">')
    browser.picture(file, 100, 100)
    assert browser.proxy.asked == ["GET http://pictures.example/one.png HTTP/1.1"]
