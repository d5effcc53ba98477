"""Log lines as they come out."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from router.edge.logs import set_up


class Terminal(io.StringIO):
    """Standard error where somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_the_call_on_it() -> None:
    out = io.StringIO()
    set_up("info", "auto", "masked", out)
    log = structlog.get_logger("router.engine").bind(call_id="c1")
    log.info("call ended", disposition="answered", seconds=1.5, at={1})
    [line] = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "call ended",
        "level": "info",
        "call_id": "c1",
        "disposition": "answered",
        "seconds": 1.5,
        "at": [1],
    }


NUMBERS = [
    ("masked", {"caller": "+47900***01", "dialled": "+47223***55", "number": "1***", "client": "fjord"}),
    ("full", {"caller": "+4790000001", "dialled": "+4722334455", "number": "101", "client": "fjord"}),
]


@pytest.mark.parametrize(("numbers", "shown"), NUMBERS, ids=["masked", "full"])
def test_numbers(numbers: Literal["masked", "full"], shown: dict[str, str]) -> None:
    out = io.StringIO()
    set_up("info", "json", numbers, out)
    structlog.get_logger().info(
        "call arrived", caller="+4790000001", dialled="+4722334455", number="101", client="fjord"
    )
    logging.getLogger("aiohttp").warning("of the library", extra={})
    first, second = lines(out)
    assert {key: first[key] for key in shown} == shown
    assert second["event"] == "of the library"


def test_an_anonymous_caller_is_no_number() -> None:
    out = io.StringIO()
    set_up("info", "json", "masked", out)
    structlog.get_logger().info("call arrived", caller=None)
    assert lines(out)[0]["caller"] is None


LEVELS = [
    ("debug", ["debug", "info", "warning", "error"]),
    ("warning", ["warning", "error"]),
    ("error", ["error"]),
]


@pytest.mark.parametrize(("level", "written"), LEVELS, ids=[row[0] for row in LEVELS])
def test_levels_hold_for_both_kinds_of_logging(
    level: Literal["debug", "warning", "error"], written: list[str]
) -> None:
    out = io.StringIO()
    set_up(level, "json", "masked", out)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), name)("ours")
        getattr(logging.getLogger("library"), name)("theirs")
    assert [(line["event"], line["level"]) for line in lines(out)] == [
        (whose, name) for name in written for whose in ("ours", "theirs")
    ]


def test_a_fault_is_one_line_with_its_traceback() -> None:
    out = io.StringIO()
    set_up("info", "json", "masked", out)
    secret = "+4790000001"
    try:
        raise ValueError("odd")
    except ValueError:
        structlog.get_logger().exception("event not handled")
        logging.getLogger("library").exception("theirs")
    assert secret not in out.getvalue()
    for line in lines(out):
        [fault] = line["exception"]
        assert (fault["exc_type"], fault["exc_value"]) == ("ValueError", "odd")


FORMATS = [
    ("a terminal gets text", Terminal(), "auto", False),
    ("a pipe gets JSON", io.StringIO(), "auto", True),
    ("JSON may be asked for", Terminal(), "json", True),
    ("text may be asked for", io.StringIO(), "console", False),
]


@pytest.mark.parametrize(
    ("out", "format", "is_json"), [row[1:] for row in FORMATS], ids=[row[0] for row in FORMATS]
)
def test_form(out: io.StringIO, format: Literal["auto", "json", "console"], is_json: bool) -> None:
    set_up("info", format, "masked", out)
    secret = "+4790000001"
    try:
        raise ValueError("odd")
    except ValueError:
        structlog.get_logger().exception("event not handled", caller=secret)
    assert secret not in out.getvalue()
    assert out.getvalue().startswith("{") is is_json
    assert "+47900***01" in out.getvalue()
