"""What follow-ups need of the daemon's settings."""

from collections.abc import Iterator

from router.core.followups import FollowUp
from router.core.remarks import RuleWarning
from router.core.ruleset import RuleSet


def not_sent(rules: RuleSet, *, mail: bool, secret: bool, mqtt: bool) -> tuple[RuleWarning, ...]:
    """A warning at each follow-up that needs what is not set: a mail server, the secret that signs what is
    posted, a broker."""
    every = (one for client in rules.clients.values() for one in client.follow_ups.all)
    found = {warning for one in every for warning in _missing(one, mail=mail, secret=secret, mqtt=mqtt)}
    return tuple(sorted(found))


def _missing(one: FollowUp, *, mail: bool, secret: bool, mqtt: bool) -> Iterator[RuleWarning]:
    if one.mails and not mail:
        yield _warning(one, "is mailed by nobody", "set `mail.host` in the settings")
    if one.webhooks and not secret:
        yield _warning(one, "is posted unsigned", "set `webhooks.secret_file` in the settings")
    if one.topics and not mqtt:
        yield _warning(one, "is published nowhere", "set `mqtt:` in the settings")


def _warning(one: FollowUp, what: str, instead: str) -> RuleWarning:
    file, _, line = one.place.rpartition(":")
    return RuleWarning(file, int(line), 1, f"follow-up `{one.name}` {what}", instead)
