"""`callrouter run`: the daemon."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import typer

from router.app import Daemon
from router.cli.check import print_remarks
from router.cli.options import FAILED, WRONG, Config, Rules, prompts, read_settings, rules_file, unmet
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.edge import logs
from router.edge.prompts import spoken
from router.edge.store.errors import StoreError
from router.edge.web.health import AddressTakenError
from router.settings import Settings


def run(rules: Rules = None, config: Config = None) -> None:
    """Answer calls until stopped. SIGTERM lets waiting callers be settled first; SIGHUP reads the rules
    again.

    Exit status 1 if the rules have an error or the router cannot go on, 2 if the settings cannot be used.
    """
    settings = read_settings(config, to_run=True)
    logs.set_up(settings.log.level, settings.log.format, settings.log.numbers)
    source = rules_file(settings, rules)
    voice = prompts(settings)
    loaded = source.load()
    if isinstance(loaded, RuleSet):
        loaded = spoken(loaded, voice, datetime.now(UTC))
    if isinstance(loaded, RuleErrors):
        print_remarks(loaded.errors)
        raise typer.Exit(FAILED)
    print_remarks((*loaded.warnings, *unmet(settings, loaded)))
    try:
        with asyncio.Runner(loop_factory=_loop_factory(settings)) as runner:
            status = runner.run(Daemon(settings, source, loaded, voice).run())
    except (StoreError, AddressTakenError) as error:
        typer.echo(f"callrouter: {error}", err=True)
        status = FAILED
    raise typer.Exit(status)


def _loop_factory(settings: Settings) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop takes a fifth to a half off every call; `auto` uses it where it is installed."""
    if settings.loop == "asyncio":
        return None
    try:
        import uvloop  # an optional extra
    except ImportError:
        if settings.loop == "uvloop":
            typer.echo(
                "callrouter: uvloop is not installed; `pip install callrouter[fast]`, or set `loop: auto`",
                err=True,
            )
            raise typer.Exit(WRONG) from None
        return None
    return uvloop.new_event_loop
