"""`callrouter reload`: has the running router read its rules again."""

import json

import typer

from router.cli.daemon import NoDaemonError, tell
from router.cli.options import FAILED, Config, Json, read_settings
from router.edge.web.health import RELOAD


def reload(as_json: Json = False, config: Config = None) -> None:
    """Have the running router read its rules again: all or nothing, and calls in flight keep theirs.

    Exit status 1 if the rules have errors (the old ones stay), or if no router answers.
    """
    try:
        answer = tell(read_settings(config).web, RELOAD)
    except NoDaemonError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    if as_json:
        typer.echo(json.dumps(answer))
    elif answer["loaded"]:
        typer.echo(f"rules {answer['version']} are in use: {answer['clients']} client(s)")
        for warning in answer["warnings"]:
            typer.echo(f"warning: {warning}", err=True)
    else:
        for wrong in answer["errors"]:
            typer.echo(wrong, err=True)
        typer.echo("the old rules stay in use", err=True)
    if not answer["loaded"]:
        raise typer.Exit(FAILED)
