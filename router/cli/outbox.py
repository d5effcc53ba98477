"""`callrouter outbox`: what waits to be sent, what is given up, and sending it again."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from router.cli.daemon import NoDaemonError, tell
from router.cli.options import FAILED, LAST_ID, MOST_LISTED, Config, Json, read_settings
from router.cli.words import ago, in_columns, moment
from router.edge.store.errors import StoreError
from router.edge.store.jobs import Job, Jobs, Standing
from router.edge.store.messages import Messages
from router.edge.store.outbox import Outbox
from router.edge.web.health import OUTBOX
from router.settings import Settings

app = typer.Typer(name="outbox", add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def show_outbox(
    context: typer.Context,
    dead: Annotated[bool, typer.Option("--dead", help="What is given up, one by one.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="What waits, one by one.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many, the oldest.")] = 100,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show what has yet to be sent, by where it goes: follow-ups, messages and, to the broker, events.

    A post or mail of a follow-up that nobody has taken for three days is given up, and kept for ninety days,
    in which `callrouter outbox resend` sends it again.
    """
    if context.invoked_subcommand is not None:
        return
    if dead and waiting:
        raise typer.BadParameter("write --dead or --waiting", param_hint="--dead")
    settings = read_settings(config)
    with _jobs(settings) as jobs:
        if dead or waiting:
            _show_jobs(jobs.dead(limit) if dead else jobs.waiting(limit), as_json, dead=dead)
            return
        standing = [*jobs.standing(), *_messages(settings), *_notices(settings)]
        given_up = jobs.figures()[1]
    if as_json:
        for one in standing:
            typer.echo(msgspec.json.encode(one).decode())
        typer.echo(msgspec.json.encode({"dead": given_up}).decode())
        return
    if standing:
        head = ("waiting", "oldest", "by", "to", "why not yet")
        for line in in_columns([head, *map(_row, standing)]):
            typer.echo(line)
    else:
        typer.echo("nothing waits to be sent")
    if given_up:
        typer.echo(f"given up: {given_up}; `callrouter outbox --dead` lists them")


@app.command()
def resend(
    id: Annotated[
        int | None, typer.Argument(min=1, max=LAST_ID, metavar="[ID]", help="What is sent again.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that waits, and all that is given up.")] = False,
    config: Config = None,
) -> None:
    """Send at once what waits or is given up: one, by its id, or all. Exit status 1 if there is none."""
    if (id is None) is not every:
        raise typer.BadParameter("write an ID, or --all", param_hint="[ID]")
    settings = read_settings(config)
    now = datetime.now(UTC)
    with _jobs(settings) as jobs:
        count = jobs.again(now, id)
    if every:
        with closing(Messages(settings.database_url)) as messages:
            count += messages.again(now)
    if not count:
        what = (
            "nothing waits, and nothing is given up" if every else f"nothing with the id {id} is to be sent"
        )
        typer.echo(f"{what}; see `callrouter outbox --waiting` and `--dead`", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{count} to be sent again")
    try:
        tell(settings.web, OUTBOX)
    except NoDaemonError as error:
        typer.echo(f"written down; sent when the router runs: {error}", err=True)


def _messages(settings: Settings) -> list[Standing]:
    """What messages have yet to send."""
    with closing(Messages(settings.database_url)) as messages:
        return messages.standing()


def _notices(settings: Settings) -> list[Standing]:
    """What the broker has not taken yet, if there is one."""
    if not settings.mqtt.host:
        return []
    with closing(Outbox(settings.database_url)) as outbox:
        count, oldest = outbox.waiting_for_all()
    return [Standing("mqtt", settings.mqtt.host, count, oldest, None)] if oldest else []


@contextmanager
def _jobs(settings: Settings) -> Iterator[Jobs]:
    """Those of the router's database; ends the command if there is none."""
    try:
        with closing(Jobs(settings.database_url)) as jobs:
            yield jobs
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


def _row(one: Standing) -> tuple[str, ...]:
    return str(one.waiting), ago(one.oldest, datetime.now(UTC)), one.way, one.address, one.error or "-"


def _show_jobs(jobs: list[Job], as_json: bool, *, dead: bool) -> None:
    if as_json:
        for job in jobs:
            row = msgspec.to_builtins(job) | {"body": msgspec.Raw(job.body.encode())}
            typer.echo(msgspec.json.encode(row).decode())
        return
    if not jobs:
        typer.echo("nothing is given up" if dead else "nothing of follow-ups waits to be sent")
        return
    head = ("id", "call", "client", "follow-up", "due", "by", "to", "tries", "why not")
    for line in in_columns([head, *map(_job_row, jobs)]):
        typer.echo(line)


def _job_row(job: Job) -> tuple[str, ...]:
    return (
        str(job.id),
        job.call_id,
        job.client,
        job.follow_up,
        moment(job.made_at),
        job.way,
        job.address,
        str(job.tries),
        job.error or "-",
    )
