"""The OpenAPI 3.1 document, made from the routes: nothing in it is written twice.

Types come from msgspec, which has them in JSON Schema as OpenAPI 3.1 does. What fields mean is in the strings
below them in the source, for whoever reads that, and is taken from there (fielddocs.py).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

import msgspec

from router.core.notices import Notice
from router.edge.web.api.fielddocs import field_docs, structs_in
from router.edge.web.api.problems import (
    BAD_REQUEST,
    BUSY,
    FORBIDDEN,
    MEDIA,
    NO_TOKEN,
    NOT_FOUND,
    NOT_JSON,
    TOO_LARGE,
    TOO_SLOW,
    Kind,
    Problem,
)
from router.edge.web.api.routes import Nothing, Resource, Route

PATH = "/openapi.json"

REF = "#/components/schemas/{name}"

ABOUT = """\
What the router knows and does, for other programs. Show a token with each request, as in
`Authorization: Bearer TOKEN`; `callrouter token create` makes one. Times are RFC 3339, numbers E.164. Fields
of answers and types of events may be added at any time: pass over what you do not know. What is removed, or
comes to mean something else, gets a new version in the path."""

_EVERYWHERE = (BAD_REQUEST, NO_TOKEN, FORBIDDEN, BUSY)
_OF_A_BODY = (TOO_SLOW, TOO_LARGE, NOT_JSON)

Schema = dict[str, Any]


def document(resources: Iterable[Resource], path: str) -> Schema:
    """The document of these resources, served below `path`."""
    resources = tuple(resources)
    types = _Types(route for resource in resources for route in resource.routes)
    paths: dict[str, Schema] = {}
    for resource in resources:
        for route in resource.routes:
            operation = {"tags": [resource.name], **_operation(route, types)}
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "callrouter",
            "version": version("callrouter"),
            "description": _words(ABOUT),
        },
        "servers": [{"url": path}],
        "tags": [{"name": one.name, "description": one.about} for one in resources],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": types.components,
        },
    }


class _Types:
    """All types of the routes, as JSON Schema."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._kinds: list[Any] = [Problem, Notice]
        for route in routes:
            named = [route.answer] if route.body is Nothing else [route.answer, route.body]
            self._kinds += [kind for kind in named if kind is not None]
            self._kinds += [field.type for field in msgspec.structs.fields(route.asked)]
        schemas, self.components = msgspec.json.schema_components(self._kinds, ref_template=REF)
        self._schemas = dict(zip(self._kinds, schemas, strict=True))
        for struct in structs_in(self._kinds):
            self._describe(struct)
        for component in self.components.values():
            if "description" in component:
                component["description"] = _words(component["description"])

    def of(self, kind: Any) -> Schema:
        """One of them."""
        return dict(self._schemas[kind])

    def _describe(self, struct: type[msgspec.Struct]) -> None:
        """Say what its fields mean."""
        docs = field_docs(struct)
        properties = self.components[struct.__name__].get("properties", {})
        for field in msgspec.structs.fields(struct):
            schema = properties[field.encode_name]
            if field.name in docs:
                schema.setdefault("description", docs[field.name])
            if field.type in (datetime, datetime | None):
                _date(schema)


def _date(schema: Schema) -> None:
    """Say of a text that it is a moment: msgspec does so only where one must have a zone."""
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") == "string":
            one["format"] = "date-time"


def _operation(route: Route, types: _Types) -> Schema:
    done: Schema = {"description": "Done."}
    if route.answer is not None:
        done["content"] = {route.media: {"schema": types.of(route.answer)}}
    told = [route.handle.__doc__ or "", f"Takes a token with the role {route.role}."]
    operation: Schema = {
        "operationId": route.handle.__name__,
        "summary": route.summary,
        "description": "\n\n".join(_words(one) for one in told if one),
        "parameters": list(_parameters(route, types)),
        "responses": {str(route.status): done, **_refusals(route)},
    }
    if route.body is not Nothing:
        content = {"application/json": {"schema": types.of(route.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _refusals(route: Route) -> Schema:
    found: list[Kind] = [*_EVERYWHERE, *route.refusals]
    found += [NOT_FOUND] if "{" in route.path else []
    found += _OF_A_BODY if route.body is not Nothing else ()
    schema = {"schema": {"$ref": REF.format(name=Problem.__name__)}}
    return {
        str(kind.status): {"description": kind.title, "content": {MEDIA: schema}}
        for kind in sorted(set(found), key=lambda kind: kind.status)
    }


def _parameters(route: Route, types: _Types) -> Iterator[Schema]:
    docs = field_docs(route.asked)
    for field in msgspec.structs.fields(route.asked):
        schema = _without_null(types.of(field.type))
        description = docs.get(field.name) or schema.pop("description", "")
        if field.default not in (msgspec.NODEFAULT, None, ()):
            schema["default"] = msgspec.to_builtins(field.default)
        yield {
            "name": field.encode_name,
            "in": _place(route, field.encode_name),
            "required": field.required,
            "description": description,
            "schema": schema,
        }


def _place(route: Route, name: str) -> str:
    if name in route.headers:
        return "header"
    return "path" if f"{{{name}}}" in route.path else "query"


def _without_null(schema: Schema) -> Schema:
    """What is left out of a query is none; nobody writes `null` there."""
    others = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(others) != 1:
        return schema
    first: Schema = others[0]
    return {key: value for key, value in schema.items() if key != "anyOf"} | first


def _words(text: str) -> str:
    """A docstring as running text."""
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
