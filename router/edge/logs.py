"""Logs: structlog to standard error, JSON lines or for people on a terminal, with the standard library's led
into it.

The caller binds `call_id`, so every line on a call names it. Telephone numbers are masked unless the
settings say otherwise: those under the keys in NUMBER_KEYS, which is why a number is always logged under one
of them.
"""

import logging
import sys
from collections.abc import Sequence
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from router.core.numbers import masked

NUMBER_KEYS = ("caller", "dialled", "number")

# Local variables are kept out of tracebacks: they hold numbers and passwords.
_EXCEPTIONS = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))


def set_up(
    level: Literal["debug", "info", "warning", "error"],
    format: Literal["auto", "json", "console"],
    numbers: Literal["masked", "full"],
    stream: TextIO | None = None,
) -> None:
    """Set up all logging of this process; `stream` is standard error unless given. May be called again."""
    out = stream or sys.stderr
    for_people = format == "console" or (format == "auto" and out.isatty())
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([mask_numbers] if numbers == "masked" else []),
    ]
    last: Sequence[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if for_people
        else [_EXCEPTIONS, structlog.processors.JSONRenderer(serializer=_as_json)]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(out),
        # A logger kept by a module follows a second set-up, as tests and `callrouter check` make one.
        cache_logger_on_first_use=False,
    )
    _lead_in_standard_library(least, out, shared, last)


def _lead_in_standard_library(
    least: int, out: TextIO, shared: list[Processor], last: Sequence[Processor]
) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(least)
    # Alembic tells at every start what it always does.
    logging.getLogger("alembic").setLevel(max(least, logging.WARNING))


def mask_numbers(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask the values under NUMBER_KEYS."""
    for key in NUMBER_KEYS:
        value = event.get(key)
        if value is not None:
            event[key] = masked(str(value))
    return event


def _as_json(event: EventDict, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
