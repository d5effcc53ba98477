"""What commands share: the options, and the way from them to settings and rules, with errors told plainly."""

from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from router.core.asteriskqueues import not_followed
from router.core.dialling import Dialling
from router.core.followupneeds import not_sent
from router.core.remarks import RuleWarning
from router.core.ruleset import RuleSet
from router.edge.feedcopies import FeedCopies
from router.edge.prompts import Prompts
from router.edge.rulesfile import RulesFile
from router.edge.voices import voice_of
from router.settings import Settings
from router.settingsfile import FILE_NAME, WrongSettingsError, load

WRONG = 2
"""Exit status: the settings or what was typed cannot be used."""
FAILED = 1
"""Exit status: the rules have errors, or it could not be done, or was not found."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help=f"Settings file; else ./{FILE_NAME} or /etc/callrouter/{FILE_NAME}.",
        show_default=False,
    ),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules", help="Directory with the rules, or one file; else as in the settings.", show_default=False
    ),
]
MOST_LISTED = 1_000_000
LAST_ID = 2**63 - 1
"""What a database counts to."""
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def read_settings(config: Path | None, *, to_run: bool = False) -> Settings:
    """The settings; ends the command with all that is wrong with them, `to_run` also with what is missing."""
    try:
        return load(config, to_run=to_run)
    except WrongSettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG) from error


def prompts(settings: Settings) -> Prompts:
    """The prompts as the settings have them made and played."""
    speech, folder = settings.speech, settings.prompts
    voices = cache(lambda language: voice_of(language, speech.voices, speech.speed))
    return Prompts(folder, speech.seen_as or str(folder), voices)


def unmet(settings: Settings, rules: RuleSet) -> tuple[RuleWarning, ...]:
    """What the rules want that takes settings which are not there."""
    mail, secret, mqtt = settings.mail.host, settings.webhooks.secret, settings.mqtt.host
    follow_ups = not_sent(rules, mail=bool(mail), secret=bool(secret), mqtt=bool(mqtt))
    return follow_ups if settings.ami.user else tuple(sorted((*not_followed(rules), *follow_ups)))


def rules_file(settings: Settings, rules: Path | None = None) -> RulesFile:
    """The rules that the settings name, or those in `rules`, with the settings' bounds on dialling."""
    dialling = Dialling(settings.trunk, settings.destinations)
    return RulesFile(rules or settings.rules, dialling, copies=FeedCopies(settings.calendars))
