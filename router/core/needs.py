"""What rules and settings need of Asterisk: phones, sounds and modules."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import msgspec
from msgspec.structs import replace

from router.core.plan import (
    OWN_RECORDINGS,
    AsteriskQueue,
    Callback,
    Delivery,
    Message,
    Queue,
    Ring,
    Say,
    Target,
    prompts_of,
)
from router.core.ruleset import ClientRules, RuleSet
from router.core.spoken import nodes

TRUNK = re.compile(r"PJSIP/(?:(?P<before>[^/{]+)/sip:)?\{number\}@(?P<behind>.+)")
SOUND = "sound:"


class Endpoint(msgspec.Struct, frozen=True, order=True):
    """What Asterisk calls an endpoint: the account of a phone, or of a trunk."""

    technology: str
    resource: str

    def __str__(self) -> str:
        return f"{self.technology}/{self.resource}"


def endpoint_of(dial: str) -> Endpoint | None:
    """The endpoint that a dial string rings; None where it names none, as `Local/...` does."""
    technology, is_dial, rest = dial.partition("/")
    if not is_dial or technology.lower() == "local":
        return None
    before, is_uri, _ = rest.partition("/")
    return Endpoint(technology, before if is_uri else rest.rpartition("@")[2])


def endpoints_of(dials: str) -> list[Endpoint]:
    """Those of several dial strings, `PJSIP/100&PJSIP/101`, with options for Dial() behind them or not."""
    found = (endpoint_of(one.strip()) for one in dials.partition(",")[0].split("&"))
    return [one for one in found if one is not None]


def trunk_of(trunk: str) -> Endpoint | None:
    """The endpoint of the settings' `trunk`; None where there is none."""
    found = TRUNK.fullmatch(trunk)
    return Endpoint("PJSIP", found["before"] or found["behind"]) if found else None


class Named(msgspec.Struct, frozen=True):
    """Where the rules name a phone or a sound, and for whom."""

    who: str
    place: str
    """`file:line`, of the first place."""


def phones(rules: RuleSet) -> dict[str, Named]:
    """Every phone that rules ring, but for those outside, by its dial string."""
    found: dict[str, Named] = {}
    for client in rules.clients.values():
        for target, place in _targets(client):
            if not target.outside:
                found.setdefault(target.dial, Named(target.name, place))
    return found


def _targets(client: ClientRules) -> Iterator[tuple[Target, str]]:
    for who, person in client.people.items():
        yield from ((replace(phone, name=who), person.place) for phone in person.phones)
    for node in nodes(client):
        match node.step:
            case Ring(rounds=rounds):
                yield from ((target, node.place) for target in chain.from_iterable(rounds))
            case Queue(phones=of_agents):
                yield from ((target, node.place) for target in chain.from_iterable(of_agents.values()))
            case _:
                pass


def agents_phones(rules: RuleSet) -> dict[str, Named]:
    """The phones of agents of queues, by dial string: they come and go by codes from these."""
    agents = {one.id: {*chain.from_iterable(q.agents for q in one.queues.values())} for one in _all(rules)}
    return dict(_phones_of(rules, agents))


def supervisors_phones(rules: RuleSet) -> dict[str, Named]:
    """The phones of those who may supervise talks."""
    return dict(
        _phones_of(rules, {one.id: {*chain.from_iterable(one.supervisors.values())} for one in _all(rules)})
    )


def _all(rules: RuleSet) -> Iterable[ClientRules]:
    return rules.clients.values()


def _phones_of(rules: RuleSet, people: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, Named]]:
    for client in _all(rules):
        for who in sorted(people[client.id]):
            person = client.people[who]
            yield from ((one.dial, Named(who, person.place)) for one in person.phones if not one.outside)


def sounds(rules: RuleSet) -> dict[str, str]:
    """The sounds of Asterisk's own that rules play, by id, each with where it is first named."""
    found: dict[str, str] = {}
    for node in (node for client in _all(rules) for node in nodes(client)):
        for prompt in prompts_of(node.step):
            if isinstance(prompt, Say) and not prompt.media.startswith(OWN_RECORDINGS):
                found.setdefault(prompt.media.removeprefix(SOUND), node.place)
    return found


def deliveries(rules: RuleSet) -> Iterator[tuple[Delivery, str]]:
    """Where messages, wishes to be called back and what follow-ups send go, with where that is written."""
    for client in _all(rules):
        for node in nodes(client):
            match node.step:
                case Message(delivery=delivery) | Callback(delivery=delivery):
                    yield delivery, node.place
                case Queue(rules=queue) if queue.keeps is not None:
                    yield queue.keeps.wish.delivery, node.place
                case _:
                    pass
        for one in client.follow_ups.all:
            yield Delivery(mail=one.mails), one.place
            yield from ((Delivery(webhook=url), one.place) for url in one.webhooks)


class Feature(msgspec.Struct, frozen=True):
    """What callrouter does with modules of Asterisk's, by name without `.so`."""

    what: str
    """In a sentence: `WHAT needs them`."""
    modules: tuple[str, ...]


EVERY_CALL = Feature(
    "every call",
    (
        "app_stasis",
        "app_verbose",
        "bridge_holding",
        "bridge_simple",
        "chan_pjsip",
        "func_callerid",
        "func_channel",
        "func_export",
        "func_logic",
        "func_strings",
        "func_timeout",
        "res_ari_applications",
        "res_ari_asterisk",
        "res_ari_bridges",
        "res_ari_channels",
        "res_ari_endpoints",
        "res_ari_events",
        "res_ari_playbacks",
        "res_http_websocket",
        "res_pjsip_sdp_rtp",
        "res_rtp_asterisk",
        "res_stasis",
        "res_stasis_answer",
        "res_stasis_playback",
    ),
)
BREAK_GLASS = Feature("break-glass, without a router,", ("app_dial", "app_playback"))
PROMPTS = Feature("playing prompts", ("format_wav",))
FETCHED = Feature("fetching prompts (`speech.seen_as`)", ("res_curl", "res_http_media_cache"))
ASKED = Feature(
    "a dialplan of your own that asks (`agi.port`, dialplan/route.conf)", ("app_read", "app_stack", "res_agi")
)
RECORDING = Feature("taking messages", ("res_ari_recordings", "res_stasis_recording"))
MUSIC = Feature("music for callers who wait", ("res_musiconhold",))
QUEUES = Feature("queues of Asterisk's own", ("app_queue",))
SUPERVISION = Feature("supervising talks", ("bridge_softmix", "res_stasis_snoop"))
TRANSFERS = Feature("transfers by phones", ("res_pjsip_refer",))

HARMFUL = {
    "res_stasis_device_state": "a websocket that closes while the state of a device changes can lock its "
    "application for ever (https://github.com/asterisk/asterisk/issues/2170)",
}
"""Modules that are better not loaded, and why; callrouter uses none of them."""


def features(rules: RuleSet | None, *, fetched: bool, asked: bool = False) -> list[Feature]:
    """What is wanted by any rules, and by these; `fetched` where Asterisk fetches prompts, `asked` where a
    dialplan asks by AGI."""
    found = [EVERY_CALL, BREAK_GLASS, PROMPTS, TRANSFERS] + [FETCHED] * fetched + [ASKED] * asked
    if rules is None:
        return found
    steps = [node.step for client in _all(rules) for node in nodes(client)]
    if any(isinstance(step, Message) for step in steps):
        found.append(RECORDING)
    if any(isinstance(step, Queue) or (isinstance(step, Ring) and step.music) for step in steps):
        found.append(MUSIC)
    if any(isinstance(step, AsteriskQueue) for step in steps):
        found.append(QUEUES)
    if any(client.supervisors for client in _all(rules)):
        found.append(SUPERVISION)
    return found
