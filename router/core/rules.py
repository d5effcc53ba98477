"""Text -> RuleSet, or every error that keeps it from being one.

Each file is read, checked and compiled by itself (yamltext.py, shapes.py), so one broken file hides nothing
of the others, and the text of one is let go before the next is read: with a thousand clients that halves the
time. Then comes what only shows between files: clients that come twice, numbers that two owners claim, and
numbers that are rung outside though they come back in.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from posixpath import basename
from types import MappingProxyType
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from router.core.calendardocs import CalendarUrl
from router.core.cautions import cautions
from router.core.claims import conflicts
from router.core.conditions import When, between, compile_when, more_than, until
from router.core.dialling import Dialling
from router.core.feeds import NOTHING_FETCHED, Calendars, Fetched, Source
from router.core.followups import clients_asked, follow_up_names, follow_ups_of
from router.core.hours import Hours
from router.core.keypad import Index, words
from router.core.layout import (
    PathedSteps,
    Sheet,
    TooManyStepsError,
    all_steps,
    lay_out,
    own_treatment,
)
from router.core.leads import misled
from router.core.making import phone, prompt, queue_rules, taking
from router.core.numbers import NumberIndex, NumberPattern, PhoneNumber
from router.core.peopletable import with_people
from router.core.phrases import spelled
from router.core.plan import FAILED, CallPlan, Challenge, HangUp, PlanNode, Prompt, Refuse, Say, Speak, Target
from router.core.reading import PersonRef
from router.core.remarks import RuleError, RuleErrors, RuleWarning, did_you_mean, told
from router.core.ruleset import (
    ClientRules,
    ExceptionRule,
    FeedUse,
    Owner,
    OwnNumber,
    PersonRules,
    Route,
    RuleSet,
)
from router.core.schema import SHARED_FILE, ClientDoc, PersonDoc
from router.core.screening import BlockRule, Screening
from router.core.screeningdocs import BlockDoc, ChallengeTreatment, SayTreatment
from router.core.shapes import check
from router.core.shared import Shared, read_shared
from router.core.stepdocs import DirectoryStep, RingStep, SayFile
from router.core.tables import NamedTables, Table, Tables
from router.core.tagging import changed, codes
from router.core.tags import Origin
from router.core.times import Rate
from router.core.yamltext import Path, YamlText, read_yaml

MOST_DAYS = 20_000
"""Days that the dates of one client's hours may be, all together."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One client's document with its text."""

    text: YamlText
    doc: ClientDoc
    steps: PathedSteps
    """All of the document: many look at them, and each walk to them takes time."""

    @classmethod
    def of(cls, text: YamlText, doc: ClientDoc) -> Self:
        return cls(text, doc, tuple(all_steps(doc)))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A number that somebody has, and where that is written."""

    owner: Owner
    pattern: str = field(compare=False)
    mark: tuple[str, int, int] = field(compare=False)


_Claimed = tuple[NumberPattern, _Claim]


@dataclass(frozen=True, slots=True)
class _Rung:
    """A number that is rung through the trunk, and where that is written."""

    number: PhoneNumber
    mark: tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A client that a condition names, and where that is written."""

    client: str
    mark: tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What is kept of one client's file."""

    rules: ClientRules
    mark: tuple[str, int, int]
    """Of its id."""
    claims: tuple[_Claimed, ...]
    rung: tuple[_Rung, ...]
    asked: tuple[_Asked, ...]
    warnings: tuple[RuleWarning, ...]


def compile_rules(
    files: Mapping[str, str],
    dialling: Dialling,
    tables: Tables = MappingProxyType({}),
    fetched: Fetched = NOTHING_FETCHED,
) -> RuleSet | RuleErrors:
    """The rules of all `files`, or all their errors, sorted by place.

    `files` is name -> text; names appear in errors and places as given, and `shared.yaml` is what clients
    share: where it cannot be read, nothing is known of what they mean, and its errors stand alone. `tables`
    are those beside the files, and calendars among them, of which only those are asked for that rules name;
    `fetched` are the calendars of the web.
    """
    named = NamedTables(tables)
    shared = read_shared(files, named, dialling, fetched)
    if not shared.whole:
        return RuleErrors(told(shared.errors))
    compiled: list[_Compiled] = []
    errors: list[RuleError] = list(shared.errors)
    for file in sorted(files):
        if basename(file) == SHARED_FILE:
            continue
        text = with_people(read_yaml(file, files[file]), named)
        client, wrong = _compile_file(shared.under(text), shared, dialling)
        compiled += client
        errors += wrong
    claims = [claim for client in compiled for claim in client.claims]
    rung = [one for client in compiled for one in client.rung]
    errors += [*_repeated_clients(compiled), *_disputes(claims), *_loops(rung, claims)]
    errors += [] if errors else _strangers(compiled)  # Of files that cannot be read nobody knows the clients.
    if errors:
        return RuleErrors(told(errors))
    warned = shared.lists.warnings() | shared.calendars.warnings()
    return RuleSet(
        _version(files, {**named.taken, **shared.calendars.copies()}),
        {client.rules.id: client.rules for client in compiled},
        NumberIndex((pattern, claim.owner) for pattern, claim in claims),
        tuple(sorted({client.rules.country for client in compiled})),
        dialling,
        tuple(sorted(warned.union(*(client.warnings for client in compiled)))),
        shared.tags,
    )


def _compile_file(
    text: YamlText, shared: Shared, dialling: Dialling
) -> tuple[tuple[_Compiled, ...], tuple[RuleError, ...]]:
    """The client of one file, if it has one that can be compiled, and the file's errors."""
    if not text.whole:
        return (), text.errors
    if text.data is None:
        nothing = RuleError(text.file, 0, 0, "nothing is written here", "begin with `client: ID`")
        return (), (*text.errors, nothing)
    doc = check(text, ClientDoc, shared.reading(text.data, dialling))
    if isinstance(doc, tuple):
        # What the text itself, or what is shared, has wrong at a place says all of it.
        places = {error.mark for error in (*text.errors, *shared.errors)}
        return (), (*text.errors, *(error for error in doc if error.mark not in places))
    source = _Source.of(text, doc)
    found = (*misled(doc, source.steps), *_many_days(doc))
    wrong = tuple(RuleError.of(text.mark(path), what) for path, what in found)
    if wrong:
        return (), (*text.errors, *wrong, *_repeats(source))
    sheet = Sheet(doc, _phones(doc), text.place)
    claims = tuple(_claims(source))
    try:
        rules = _client(source, sheet, shared, claims)
        rung = doc.people or any(isinstance(step, RingStep) for _, step in source.steps)
        if dialling.trunk and rung:  # By somebody who is rung it may be heard outside, after a transfer.
            rules = msgspec.structs.replace(rules, take=taking(doc))
    except TooManyStepsError as error:
        return (), (*text.errors, RuleError.of(text.mark(error.path), error.text))
    from_table = frozenset(str(path[1]) for path in text.files if path[0] == "people")
    trunk = bool(dialling.trunk)
    doubtful = cautions(doc, source.steps, rules, sheet.phones, from_table, has_trunk=trunk)
    warnings = (RuleWarning.of(text.mark(path), what) for path, what in doubtful)
    missing = (feed.missing for feed in rules.feeds if feed.missing)
    asked = tuple(_Asked(id, text.mark(path)) for path, id in clients_asked(doc))
    mark, rung_by = text.mark(("client",)), tuple(_rung(source))
    client = _Compiled(rules, mark, claims, rung_by, asked, (*warnings, *missing))
    return (client,), (*text.errors, *_repeats(source))


def _many_days(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    """More dates than anybody means, each of which is a day to look up."""
    days = 0
    for name, hours in doc.hours.items():
        days += sum(dates.count for dates in hours.dates)
        if days > MOST_DAYS:
            what = f"the dates of this client's hours are more than {MOST_DAYS} days, up to here"
            yield ("hours", name, "dates"), f"{what}; leave out what is past, or name every year's as 12-24"
            return


def _version(files: Mapping[str, str], tables: Tables) -> str:
    texts = [[basename(file), _hash(text)] for file, text in sorted(files.items())]
    texts += [[name, _hash(table)] for name, table in sorted(tables.items())]
    return hashlib.sha256(msgspec.json.encode(texts)).hexdigest()[:12]


def _hash(table: Table) -> str:
    text = table if isinstance(table, str) else table.what
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _repeats(source: _Source) -> Iterator[RuleError]:
    """Names within a client that must be one thing's only."""
    doc, blocks = source.doc, source.doc.screening.block
    lists: tuple[tuple[str, Iterable[tuple[Path, str | None]]], ...] = (
        ("route", ((("routes", at, "name"), route.name) for at, route in enumerate(doc.routes))),
        ("block rule", ((("screening", "block", at, "name"), one.name) for at, one in enumerate(blocks))),
        ("code", ((("tags", tag, "code"), one.code) for tag, one in doc.tags.items())),
        ("extension", ((("people", who, "extension"), one.extension) for who, one in doc.people.items())),
        ("follow-up", follow_up_names(doc)),
    )
    for kind, named in lists:
        first: dict[str, Path] = {}
        for path, name in named:
            if name is not None and first.setdefault(name, path) != path:
                where = source.text.place(first[name])
                what = f"{kind} `{name}` is already at {where}; give each its own"
                yield RuleError.of(source.text.mark(path), what)


def _repeated_clients(clients: Iterable[_Compiled]) -> Iterator[RuleError]:
    first: dict[str, _Compiled] = {}
    for client in clients:
        known = first.setdefault(client.rules.id, client)
        if known is not client:
            what = f"client `{client.rules.id}` is already in {known.rules.place}"
            yield RuleError.of(client.mark, f"{what}; give each client its own id")


def _strangers(clients: Sequence[_Compiled]) -> Iterator[RuleError]:
    known = {client.rules.id for client in clients}
    # What shared.yaml says is every client's.
    for one in dict.fromkeys(chain.from_iterable(client.asked for client in clients)):
        if one.client not in known:
            instead = did_you_mean(one.client, known, "write the id of one")
            yield RuleError.of(one.mark, f"there is no client `{one.client}`; {instead}")


def _claims(source: _Source) -> Iterator[_Claimed]:
    doc = source.doc

    def claim(owner: Owner, path: Path, numbers: tuple[NumberPattern, ...]) -> Iterator[_Claimed]:
        for at, pattern in enumerate(numbers):
            yield pattern, _Claim(owner, pattern.text, source.text.mark((*path, at)))

    yield from claim(Owner(doc.client), ("numbers",), doc.numbers)
    for person, written in doc.people.items():
        yield from claim(Owner(doc.client, person), ("people", person, "numbers"), written.numbers)


def _disputes(claims: Iterable[_Claimed]) -> Iterator[RuleError]:
    for pair in conflicts(claims, lambda claim: (claim.owner.client, claim.owner.person)):
        first, second = sorted(pair, key=lambda claim: claim.mark)
        (file, line, _), whose = first.mark, first.owner.person or first.owner.client
        what = f"`{second.pattern}` is also `{whose}`'s, by `{first.pattern}` at {file}:{line}"
        yield RuleError.of(second.mark, f"{what}; take it from one of them")


def _rung(source: _Source) -> Iterator[_Rung]:
    doc = source.doc
    written = [(("people", who, "rings"), person.rings) for who, person in doc.people.items()]
    steps = [((*path, "ring"), step.ring) for path, step in source.steps if isinstance(step, RingStep)]
    for path, targets in (*written, *steps):
        for at, target in enumerate(targets):
            rung = None if isinstance(target, PersonRef) else phone(target, doc)
            if rung is not None and rung.outside:
                yield _Rung(PhoneNumber(rung.name), source.text.mark((*path, at, "number")))


def _loops(rung: Iterable[_Rung], claims: Iterable[_Claimed]) -> Iterator[RuleError]:
    """Numbers that are rung through the trunk and come back by it, as new calls and maybe without end."""
    owners = NumberIndex(claims)
    for one in rung:
        claim = owners.find(one.number)
        if claim is not None:
            (file, line, _), whose = claim.mark, claim.owner.person or claim.owner.client
            what = f"`{one.number}` is `{whose}`'s own, by `{claim.pattern}` at {file}:{line}"
            instead = "ring the person or the endpoint itself"
            yield RuleError.of(one.mark, f"{what}, so the call would come back as a new one; {instead}")


def _phones(doc: ClientDoc) -> dict[str, tuple[Target, ...]]:
    return {
        person: tuple(msgspec.structs.replace(phone(one, doc), name=person) for one in written.rings)
        for person, written in doc.people.items()
    }


def _client(source: _Source, sheet: Sheet, shared: Shared, claims: Iterable[_Claimed]) -> ClientRules:
    doc, place = source.doc, source.text.place

    def route(number: int) -> Route:
        written, path = doc.routes[number], ("routes", number)
        layout = lay_out((written.do, (*path, "do")), sheet)
        return Route.of(written.name, place(path), compile_when(written.when, doc.timezone), layout)

    def person(name: str, written: PersonDoc) -> PersonRules:
        path = ("people", name)
        said = _said(written, doc) if has_directory else ()
        known = written.name or "", said, written.extension or "", sheet.phones[name], written.skills
        if not (written.numbers or said):
            alone = written.extension and written.do is not None
            given = lay_out(own_treatment(doc, name), sheet, name) if alone else None
            return PersonRules(place(path), written.hours, None, None, *known, given)
        layout = lay_out(own_treatment(doc, name), sheet, name)
        own = Route.of(name, place((*path, "numbers")), ((),), layout) if written.numbers else None
        return PersonRules(place(path), written.hours, own, layout, *known)

    has_directory = any(isinstance(step, DirectoryStep) for _, step in all_steps(doc))
    people = {name: person(name, written) for name, written in doc.people.items()}
    no_route = lay_out(((), ()), sheet)
    tags = changed(shared.tags, doc.tags, Origin.OWN, lambda tag: place(("tags", tag)))
    return ClientRules(
        id=doc.client,
        name=doc.name,
        place=place(("client",)),
        timezone=doc.timezone.key,
        country=doc.country,
        numbers=tuple(_own_number(*claimed) for claimed in claims),
        hours={name: _hours(source, name, shared.calendars) for name in doc.hours},
        feeds=tuple(_feeds(source, shared.calendars)),
        exceptions=tuple(_exception(number, sheet) for number in range(len(doc.exceptions))),
        screening=_screening(doc, shared, place),
        people=people,
        directory=Index.of((who, one.name, one.extension) for who, one in people.items() if one.said),
        queues={name: queue_rules(name, doc, place(("queues", name))) for name in doc.queues},
        supervisors={name: queue.supervisors for name, queue in doc.queues.items() if queue.supervisors},
        tags=tags,
        codes=codes(tags, doc.language),
        language=doc.language,
        follow_ups=follow_ups_of(doc, tags, place, shared.done_by_tag),
        routes=tuple(map(route, range(len(doc.routes)))),
        no_route=msgspec.structs.replace(
            no_route, plan=msgspec.structs.replace(no_route.plan, no_route=True)
        ),
    )


def _said(person: PersonDoc, doc: ClientDoc) -> tuple[Prompt, ...]:
    """How callers hear a person in a directory; empty of one that no keys find."""
    extension, name = person.extension or "", person.name or ""
    if not (extension or words(name)):
        return ()
    if isinstance(person.spoken, SayFile):
        return (Say(person.spoken.file),)
    said = person.spoken or name
    return (Speak(said, doc.language),) if any(map(str.isalnum, said)) else spelled(doc.language, extension)


def _hours(source: _Source, name: str, calendars: Calendars) -> Hours:
    written, zone = source.doc.hours[name], source.doc.timezone
    sources = tuple(
        Source(
            one.url if isinstance(one, CalendarUrl) else one.file,
            isinstance(one, CalendarUrl),
            one.means == "open",
        )
        for one in written.calendar
    )
    return Hours.build(
        zone,
        written.week,
        written.dates,
        written.holidays,
        calendars.occasions(sources, zone),
        source.text.place(("hours", name)),
    )


def _feeds(source: _Source, calendars: Calendars) -> Iterator[FeedUse]:
    for name, written in source.doc.hours.items():
        for at, one in enumerate(written.calendar):
            if isinstance(one, CalendarUrl):
                # A single value stands for a list of one, and has no place in a list.
                path = ("hours", name, "calendar")
                here = (*path, at) if (*path, at) in source.text.values else path
                why = calendars.missing(one.url)
                missing = RuleWarning.of(source.text.mark((*here, "url")), why) if why else None
                yield FeedUse(name, one.url, missing)


def _own_number(pattern: NumberPattern, claim: _Claim) -> OwnNumber:
    file, line, _ = claim.mark
    return OwnNumber(pattern, f"{file}:{line}", claim.owner.person)


def _exception(number: int, sheet: Sheet) -> ExceptionRule:
    written, path = sheet.doc.exceptions[number], ("exceptions", number)
    told = written.say is not None
    return ExceptionRule(
        written.title,
        written.owner,
        sheet.place(path),
        between((written.from_, written.until), sheet.doc.timezone),
        PlanNode(prompt(written.say, sheet.doc), None, {}, sheet.place((*path, "say")))
        if written.say is not None
        else None,
        None if written.do is None else lay_out((written.do, (*path, "do")), sheet, told=told),
    )


def _screening(client: ClientDoc, shared: Shared, place: Callable[[Path], str]) -> Screening:
    doc, at = client.screening, ("screening",)
    treatment = place((*at, "treatment"))

    def block(number: int, written: BlockDoc) -> BlockRule:
        return BlockRule(
            written.name,
            place((*at, "block", number)),
            None if written.numbers is None else shared.listed(written.numbers, client.country),
            _block_when(written, client.timezone),
            _blocked(client, written.name, treatment),
            written.shadow,
        )

    rates = [one.more_than for one in doc.block if one.more_than]
    return Screening(
        place(at),
        shared.listed(doc.allow, client.country),
        place((*at, "allow")),
        tuple(block(number, written) for number, written in enumerate(doc.block)),
        _treatment(client, treatment),
        Rate(max(rate.calls for rate in rates), max(rate.within for rate in rates)) if rates else None,
        shared.regexes(doc.entries),
    )


def _block_when(doc: BlockDoc, zone: ZoneInfo) -> When:
    also = (
        *((until(doc.until, zone),) if doc.until else ()),
        *((more_than(doc.more_than),) if doc.more_than else ()),
    )
    return tuple((*also, *alternative) for alternative in compile_when(doc.when, zone))


def _treatment(client: ClientDoc, place: str) -> tuple[PlanNode, ...]:
    """What a caller meets whom `block` refuses."""
    match client.screening.treatment:
        case SayTreatment(say=said):
            said_first = PlanNode(prompt(said, client), 1, {}, place)
            return (said_first, PlanNode(HangUp(), None, {}, place))
        case ChallengeTreatment():
            return (PlanNode(Refuse("decline"), None, {}, place),)
        case treatment:
            return (PlanNode(Refuse(treatment), None, {}, place),)


def _blocked(client: ClientDoc, rule: str, place: str) -> CallPlan:
    """What a caller meets whom a rule refuses, or challenges."""
    treatment = client.screening.treatment
    if isinstance(treatment, ChallengeTreatment):
        challenge = PlanNode(
            Challenge(prompt(treatment.challenge, client), client.language, client.tone),
            None,
            {FAILED: 1},
            place,
        )
        return CallPlan((challenge, PlanNode(Refuse("decline", rule), None, {}, place)))
    return CallPlan(_treatment(client, place), rule)
