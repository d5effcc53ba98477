"""`callrouter`: the commands."""

from typing import Annotated

import typer

from router.app import VERSION
from router.cli.block import allow, block, blocked, unblock
from router.cli.call import show_call
from router.cli.calls import list_calls
from router.cli.check import check
from router.cli.diff import diff
from router.cli.explain import explain
from router.cli.reload import reload
from router.cli.run import run
from router.cli.scenarios import run_scenarios
from router.cli.schema import print_schema
from router.cli.settings import list_settings
from router.cli.show import show

app = typer.Typer(
    name="callrouter",
    help="Answers the phone for companies, beside Asterisk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("run")(run)
app.command("check")(check)
app.command("test")(run_scenarios)
app.command("explain")(explain)
app.command("show")(show)
app.command("diff")(diff)
app.command("reload")(reload)
app.command("block")(block)
app.command("allow")(allow)
app.command("unblock")(unblock)
app.command("blocked")(blocked)
app.command("calls")(list_calls)
app.command("call")(show_call)
app.command("schema")(print_schema)
app.command("settings")(list_settings)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callrouter {VERSION}")
        raise typer.Exit


@app.callback()
def callrouter(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop."),
    ] = False,
) -> None:
    """Answers the phone for companies, beside Asterisk."""
