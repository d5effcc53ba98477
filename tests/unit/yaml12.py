"""YAML as an editor reads it: the core schema of YAML 1.2.2 (10.3), where 101 is a number. Keys are text."""

import re
from typing import Any

import yaml


class CoreLoader(yaml.SafeLoader):
    """Scalars by the core schema; nothing of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _integer(loader: CoreLoader, node: yaml.ScalarNode) -> object:
    text = node.value
    base = 8 if "o" in text else 16 if "x" in text else 10
    return int(text, base) if len(text) < 1000 else float(text)


def _mapping(loader: CoreLoader, node: yaml.MappingNode) -> dict[str, Any]:
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


for _tag, _pattern, _make in (
    ("null", r"~|null|Null|NULL|", lambda loader, node: None),
    ("bool", r"[tT]rue|TRUE|[fF]alse|FALSE", lambda loader, node: node.value.lower() == "true"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", _integer),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        lambda loader, node: float(node.value),
    ),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), None)
    CoreLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _make)
CoreLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(text: str) -> Any:
    """The document as plain data."""
    return yaml.load(text, CoreLoader)
