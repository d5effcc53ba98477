"""The OpenAPI document is what the API does: requests made from it are answered as it says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema
from typer.testing import CliRunner

from router.cli.main import app
from router.edge.web.api.resources import RESOURCES
from router.edge.web.api.serving import document
from tests.edge.api_server import ApiServer
from tests.edge.stories import PLAN, TRACE, a_call, abandoned, eventually, talked

DOCUMENT: dict[str, Any] = json.loads(document())

CONFIG: dict[str, Any] = {
    "auth": {"openapi": {"token": {"bearer": "admin"}}},
    # What a schema can say of a request is not all: the number of nobody, or a client that there is not.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "403", "404", "409", "422"]}},
}
THERE = {
    "client": "fjord",
    "person": "kari",
    "queue": "desk",
    "id": "a7",
    "number": "+4781549000",
    "tag": "callback",
}
"""What there is, by the names of parameters;"""
GONE = ("/messages/", "/contacts/", "/do-not-contact/", "/numbers/", "/tags/")
"""but no message, and what is undone is not there any more."""


def made_from_it(**more: Any) -> BaseSchema:
    """All that can be asked for; events, which never end, are in test_api_events.py."""
    config = SchemathesisConfig.from_dict(CONFIG | more)
    return schemathesis.openapi.from_dict(DOCUMENT, config=config).exclude(path="/events")


anything = made_from_it()
of_what_is_there = made_from_it(
    parameters={f"path.{name}": value for name, value in THERE.items()},
    phases={"coverage": {"enabled": False}},
).exclude(path_regex="/obligations/")  # whose ids are numbers
some = settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path_factory.mktemp("document"))
    server.start()
    for number in range(20):
        call = a_call(f"a{number}", client="fjord" if number % 2 else "sund")
        server.writer.arrived(call, PLAN, TRACE)
        if number % 5:
            server.writer.ended(talked(call) if number % 3 else abandoned(call))
    eventually(lambda: server.writer.queued == 0)
    yield server
    server.stop()


@anything.parametrize()
@some
def test_requests_are_answered_as_it_says(api: ApiServer, case: Case[Any]) -> None:
    case.call_and_validate(base_url=f"http://127.0.0.1:{api.port}/api/v1")


@of_what_is_there.include(path_regex="[{]").parametrize()
@some
def test_requests_for_what_is_there_are_answered_as_it_says(api: ApiServer, case: Case[Any]) -> None:
    answer = case.call_and_validate(base_url=f"http://127.0.0.1:{api.port}/api/v1")
    assert answer.status_code != 404 or any(name in case.path for name in GONE), case.path


def test_the_command_prints_what_is_served(api: ApiServer) -> None:
    printed = CliRunner().invoke(app, ["openapi"])
    assert json.loads(printed.stdout) == DOCUMENT == api.ask("/openapi.json", None).body


def test_every_route_is_in_it_with_what_it_takes() -> None:
    for resource in RESOURCES:
        for route in resource.routes:
            operation = DOCUMENT["paths"][route.path][route.method.lower()]
            assert operation["summary"] == route.summary
            assert f"role {route.role}" in operation["description"], route.path


def test_what_a_value_means_is_in_it() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    limit = next(one for one in DOCUMENT["paths"]["/calls"]["get"]["parameters"] if one["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}
    assert limit["description"] == "At most so many."
    assert schemas["Call"]["properties"]["caller"]["description"].startswith("E.164")
    assert schemas["WholeCall"]["properties"]["caller"]["description"].startswith("E.164"), (
        "of what it is made"
    )
    ended = schemas["Call"]["properties"]["ended_at"]
    assert ended["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "null"}]
    assert schemas["Decision"]["additionalProperties"] is False
    assert schemas["CallEnded"]["properties"]["type"] == {"enum": ["call.ended"]}
