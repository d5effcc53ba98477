"""The map in `router/__init__.py` names every module, and nothing that is not there."""

import re
from pathlib import Path

import router

PACKAGE = Path(router.__file__).parent
LINE = re.compile(r"^ *(?P<path>[\w/]+(?:\.py|/)) {2,}(?P<what>\S.*)$", re.MULTILINE)
"""A path from the package on, two spaces or more, and what it is: `core/machine.py  the call machine`."""


def _mapped() -> list[str]:
    return [match["path"].removeprefix("router/") for match in LINE.finditer(router.__doc__ or "")]


def _modules() -> list[str]:
    return sorted(
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
    )


def _named(module: str, mapped: list[str]) -> bool:
    """A line names a module, or a folder of generated history such as the migrations."""
    return module in mapped or any(path.endswith("/") and module.startswith(path) for path in mapped)


def test_every_module_is_on_the_map() -> None:
    mapped = _mapped()
    assert [module for module in _modules() if not _named(module, mapped)] == []


def test_all_on_the_map_is_there_and_named_once() -> None:
    mapped = _mapped()
    assert [path for path in mapped if not (PACKAGE / path).exists()] == []
    assert sorted(set(mapped)) == sorted(mapped)
