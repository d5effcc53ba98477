"""The reference page of the rules: every document, key, kind of value, default and meaning, in Markdown.

It is written from the JSON Schema (jsonschema.py), so the two cannot differ.
"""

import math
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic.json_schema import JsonSchemaValue

from router.core.jsonschema import DOCUMENTS, Document, json_schema

FILE = "REFERENCE.md"
"""Where it is shipped, beside the rules."""

INTRO = """\
# The rules, key by key

Written by `callrouter schema --write` from what the program reads; do not edit. The README has a first rules
file, and `fjord.yaml` and `fjord.test.yaml` here are rules to start from.

The files are YAML 1.2 without anchors, aliases and tags. Only `true`, `false` and nothing at all are not
text, so `NO`, `101` and `+4722334455` need no quotes; a text with `: ` or ` #` in it, or with one of
`*&!{[|>@%` or a quote in front, does. A key that is not listed here is a mistake, and is told.

An editor with a YAML language server completes and checks while you type, if the first line of a file names
the schema beside it:

```yaml
# yaml-language-server: $schema=callrouter.schema.json
```
"""
VALUES = """\
## Values

How single values are written.

| value | written |
|---|---|
"""
TABLE = "| key | value | default | meaning |\n|---|---|---|---|\n"
_KINDS = {
    "null": "nothing",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
}


def reference_page() -> str:
    """The whole page."""
    described: dict[str, str] = {}
    parts = [INTRO, *(part for one in DOCUMENTS.values() for part in _document(one, described))]
    values = sorted(text for text in described.values() if text)
    return "\n".join([*parts, VALUES + "".join(values)])


def _document(document: Document, described: dict[str, str]) -> Iterator[str]:
    """The sections of one kind of file: first the file, then what is in it, level by level.

    `described` is what has been described already, with the rows of those that are values.
    """
    schema = json_schema(document)
    defs: dict[str, JsonSchemaValue] = schema.get("$defs", {})
    yield _section(f"## `{document.files}`", schema, defs)
    queue = list(_refs({**schema, "$defs": None}))
    for name in queue:
        if name in described:
            continue
        target = defs[name]
        described[name] = ""
        queue += _refs(target)
        if "properties" in target or "anyOf" in target:
            yield _section(f"### {target['title']}", target, defs)
        elif "enum" not in target:
            described[name] = f"| {target['title'].lower()} | {_cell(target['description'])} |\n"


def _refs(schema: Any) -> Iterator[str]:
    """The definitions that a schema refers to itself, in order."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name(schema)
        for value in schema.values():
            yield from _refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _refs(value)


def _name(ref: JsonSchemaValue) -> str:
    return str(ref["$ref"]).removeprefix("#/$defs/")


def _section(heading: str, schema: JsonSchemaValue, defs: dict[str, JsonSchemaValue]) -> str:
    text = f"{heading}\n\n{schema.get('markdownDescription') or schema['description']}\n"
    if "anyOf" in schema:
        return text + "\n" + "".join(f"- {_written(form, defs)}\n" for form in schema["anyOf"])
    rows = [_row(key, schema, defs) for key in schema["properties"]]
    return text + ("\n" + TABLE + "".join(rows) if rows else "")


def _row(key: str, schema: JsonSchemaValue, defs: dict[str, JsonSchemaValue]) -> str:
    value = schema["properties"][key]
    default = "*required*" if key in schema.get("required", ()) else _default(value)
    return f"| `{key}` | {_written(value, defs)} | {default} | {_cell(value.get('description', ''))} |\n"


def _default(schema: JsonSchemaValue) -> str:
    """As it would be written; nothing where it is empty."""
    default = schema.get("default")
    if default is None or (isinstance(default, list | dict) and not any(default)):
        return ""
    if isinstance(default, str):
        return f"`{default}`"
    shown = yaml.safe_dump(default, default_flow_style=True, width=math.inf)
    return f"`{shown.splitlines()[0]}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _either(words: list[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _written(schema: JsonSchemaValue, defs: dict[str, JsonSchemaValue]) -> str:
    """What can be written, in words."""
    if "$ref" in schema:
        target = defs[_name(schema)]
        if "enum" in target:
            return _written(target, defs)
        title = target["title"].lower()
        has_section = "properties" in target or "anyOf" in target
        return f"[{title}](#{title.replace(' ', '-') if has_section else 'values'})"
    if "anyOf" in schema:
        forms = [form for form in schema["anyOf"] if form.get("type") != "null"]
        single = [form for form in forms if form.get("type") != "array"] or forms
        words = [word for form in single for word in _words(form, defs)]
        return _either(words) + (", or a list of them" * (single != forms))
    if "enum" in schema:
        return _either(_words(schema, defs))
    if schema["type"] == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_written(item, defs) for item in schema['prefixItems'])}]"
        return f"a list: {_written(schema['items'], defs)}"
    if schema["type"] == "object":
        return _mapping(schema, defs)
    return _KINDS[schema["type"]]


def _words(schema: JsonSchemaValue, defs: dict[str, JsonSchemaValue]) -> list[str]:
    """The alternatives of what can be written."""
    return [f"`{value}`" for value in schema["enum"]] if "enum" in schema else [_written(schema, defs)]


def _mapping(schema: JsonSchemaValue, defs: dict[str, JsonSchemaValue]) -> str:
    if "properties" in schema:
        keys = _either([f"`{key}`" for key in schema["properties"]])
        value = next(iter(schema["properties"].values()))
    else:
        keys, value = _written(schema["propertyNames"], defs), schema["additionalProperties"]
    return f"a mapping: {keys} to {_written(value, defs)}"
