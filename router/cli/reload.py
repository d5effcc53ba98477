"""`callrouter reload`: has the running router read its rules again."""

import json
import urllib.error
import urllib.request
from typing import Any

import typer

from router.cli.options import FAILED, Config, Json, read_settings
from router.edge.web.health import RELOAD, RELOAD_HEADER

PATIENCE = 60.0
"""Seconds that reading a large set of rules may take."""


def reload(as_json: Json = False, config: Config = None) -> None:
    """Have the running router read its rules again: all or nothing, and calls in flight keep theirs.

    Exit status 1 if the rules have errors (the old ones stay), or if no router answers.
    """
    web = read_settings(config).web
    address = f"http://{web.host}:{web.port}{RELOAD}"
    answer = _ask(address)
    if as_json:
        typer.echo(json.dumps(answer))
    elif answer["loaded"]:
        typer.echo(f"rules {answer['version']} are in use: {answer['clients']} client(s)")
        for warning in answer["warnings"]:
            typer.echo(f"warning: {warning}", err=True)
    else:
        for error in answer["errors"]:
            typer.echo(error, err=True)
        typer.echo("the old rules stay in use", err=True)
    if not answer["loaded"]:
        raise typer.Exit(FAILED)


def _ask(address: str) -> Any:
    request = urllib.request.Request(address, method="POST", headers=RELOAD_HEADER)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        if error.code == 422:
            return json.load(error)
        why = f"it answers {error.code}"
    except (OSError, ValueError) as error:
        why = str(getattr(error, "reason", error))
    typer.echo(f"no router at {address} ({why}); start it, or set `web` as it has it", err=True)
    raise typer.Exit(FAILED)
