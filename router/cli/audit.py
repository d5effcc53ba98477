"""`callrouter agents audit`: who supervised which talk, how, and who was refused."""

from contextlib import closing
from typing import Annotated

import msgspec
import typer

from router.cli.options import FAILED, MOST_LISTED, Config, Json, read_settings
from router.cli.words import in_columns, length, moment
from router.core.supervision import Outcome, Stretch
from router.edge.store.errors import StoreError
from router.edge.store.supervisions import SupervisionAudit

HEAD = ("began", "client", "supervisor", "phone", "mode", "agent", "call", "lasted", "end")

_ENDS = {
    None: "still on",
    Outcome.TALK_OVER: "the talk ended",
    Outcome.LEFT: "the supervisor left",
    Outcome.CHANGED: "went on in another mode",
    Outcome.NEXT: "went on to another talk",
    Outcome.FAILED: "could not be heard",
    Outcome.UNOBSERVED: "not seen",
}


def audit(
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many, the latest.")] = 50,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List who listened to talks of agents, whispered or barged in, and who was refused; the latest first."""
    try:
        with closing(SupervisionAudit(read_settings(config).database_url)) as kept:
            stretches = kept.latest(client, limit)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    if as_json:
        for stretch in stretches:
            typer.echo(msgspec.json.encode(stretch).decode())
        return
    for line in in_columns([HEAD, *map(_row, stretches)]) if stretches else ("nobody has supervised",):
        typer.echo(line)


def _row(stretch: Stretch) -> tuple[str, ...]:
    lasted = length((stretch.ended - stretch.began).total_seconds()) if stretch.ended else ""
    refused = f"refused: {stretch.reason.replace('_', ' ')}"
    return (
        moment(stretch.began),
        stretch.client or "-",
        stretch.supervisor or "-",
        stretch.endpoint,
        stretch.mode.value,
        stretch.agent or "-",
        stretch.call_id or "-",
        lasted or "-",
        refused if stretch.outcome is Outcome.REFUSED else _ENDS[stretch.outcome],
    )
