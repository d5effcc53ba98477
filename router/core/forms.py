"""Which of its forms a value of the rules has, where it may have several: what tells pydantic one union's
members apart. Tags are never keys of a document."""

from collections.abc import Mapping
from typing import Any

from router.core.reading import KINDS
from router.core.remarks import UnknownNameError


def whole_list(value: object) -> object:
    """A list in shared.yaml, if it says where its numbers are."""
    if isinstance(value, dict) and not {"numbers", "file"} & value.keys():
        raise ValueError("this list has no numbers; give it `numbers:` or `file:`")
    return value


def form_of(value: object) -> str:
    """Tells pydantic which form of a union is written: its tag is never a key of a document. What is no plain
    data has been read before, from a mapping."""
    return "<text>" if value is None or isinstance(value, str | bool | list) else "<mapping>"


def queue_form(value: Any) -> str:
    """Tells the same of a `queue` step: one of the client's by its name, or `{asterisk: NAME}`."""
    return "<asterisk>" if isinstance(value.get("queue"), dict) else "<own>"


def entry_form(value: object) -> str:
    """The same for an entry of a screening list, `{file: ...}`, `{list: ...}`, `{regex: ...}`,
    `{display: ...}` or a pattern."""
    return "<list>" if isinstance(value, dict) and "list" in value else shared_form(value)


def shared_form(value: object) -> str:
    """The same for an entry of a list in shared.yaml, which has no list in it."""
    kinds = [kind for kind in ("regex", "display") if isinstance(value, dict) and kind in value]
    return f"<{kinds[0]}>" if kinds else form_of(value)


def list_form(value: object) -> str:
    """The same for a list in shared.yaml, `{numbers: ...}` or `{file: ...}`."""
    return "<numbers>" if isinstance(value, dict) and "numbers" in value else "<file>"


def calendar_form(value: object) -> str:
    """The same for a calendar, `{file: ...}` or `{url: ...}`."""
    return "<url>" if isinstance(value, dict) and "url" in value else "<file>"


def treatment_form(value: object) -> str:
    """The same for how a caller is refused, `{say: ...}` or `{challenge: ...}`."""
    return "<challenge>" if isinstance(value, dict) and "challenge" in value else form_of(value)


def confirm_form(value: object) -> str:
    """The same for `confirm`."""
    return "<bool>" if isinstance(value, bool) else "<text>"


def bare_step(value: object, steps: Mapping[str, Any]) -> object:
    """`hangup` is short for `{hangup: null}`. ValueError where `value` is not exactly one known step."""
    if isinstance(value, str):
        value = {value: None}
    if not isinstance(value, dict):
        raise ValueError(f"a step is needed here, not {KINDS[type(value)]}; write one of {', '.join(steps)}")
    named = [key for key in value if key in steps]
    if len(named) > 1:
        raise ValueError(f"two steps in one: {', '.join(named)}; write each as its own entry, with `- `")
    if not named:
        first, otherwise = next(iter(value), ""), f"write one of {', '.join(steps)}"
        raise UnknownNameError.among(f"`{first[:60]}` is not a step", first, steps, otherwise)
    return value
