"""`callrouter openapi`: what other programs can ask the router for, as an OpenAPI document."""

import json

import typer

from router.edge.web.api.serving import document


def print_document() -> None:
    """Print the OpenAPI 3.1 document of the API, for those who make programs that use it."""
    typer.echo(json.dumps(json.loads(document()), indent=1))
