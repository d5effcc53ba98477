"""What the rules come to, in words: the tree a caller meets, client by client.

It is made from the compiled rules and their plans, which are what a call will meet. A plan is a graph; here
it is told as a line of steps with its branches beside it, and what two ways lead to is told once.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import chain, islice
from typing import Literal, NamedTuple, assert_never

import msgspec
from msgspec.structs import replace

from router.core.conditions import When, when_in_words
from router.core.followups import FollowUp, actions_in_words, name_and_when
from router.core.hours import Hours
from router.core.layout import Layout
from router.core.numbers import PhoneNumber
from router.core.numbertexts import CONTACTS
from router.core.plan import (
    OTHERWISE,
    AsteriskQueue,
    Callback,
    Challenge,
    Dialplan,
    Directory,
    HangUp,
    Menu,
    Message,
    Prompt,
    Queue,
    Refuse,
    Ring,
    Say,
    SayHours,
    SetTags,
    SetVariables,
    Speak,
    Step,
    Target,
    Whisper,
)
from router.core.ruleset import ClientRules, Owner, OwnNumber, RuleSet
from router.core.screening import Listed
from router.core.tags import Origin
from router.core.times import WEEKDAYS, Duration, Spans, spans_in_words

MOST_LISTED = 5
"""Numbers of a screening rule that are told one by one; there can be a hundred thousand."""

DEEPEST = 40
"""Branches within branches that are told."""

Kind = Literal[
    "client",
    "clock",
    "number",
    "hours",
    "dates",
    "allow",
    "block",
    "queue",
    "tag",
    "person",
    "phone",
    "directory",
    "exception",
    "route",
    "last resort",
    "follow-up",
    "action",
    "step",
    "branch",
    "goes on",
    "end",
]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that the rules have, with what is inside it, in the order a call meets it."""

    kind: Kind
    words: str
    place: str = ""
    """`file:line`; empty where nothing is written."""
    inside: "tuple[Entry, ...]" = ()


class Treatment(NamedTuple):
    """Steps that calls can come to, and how."""

    kind: Literal["own number", "exception", "route", "last resort"]
    name: str
    """Of the person, exception or route; empty for the last resort."""
    place: str
    when: When
    layout: Layout
    numbers: tuple[OwnNumber, ...]
    """Those it is for; others are taken before."""
    before: tuple[str, ...]
    """Names of the routes that are looked at first, and may take the call."""
    met: bool
    """False where no call comes here, since another takes them all or there is no number."""


def treatments(rules: RuleSet, client: ClientRules) -> Iterator[Treatment]:
    """All of a client's, in the order in which a decision looks at them."""
    numbers_by = numbers_of(rules, client)
    for name, person in client.people.items():
        if person.own is not None:
            own = numbers_by.get(name, ())
            yield Treatment(
                "own number", name, person.own.place, person.own.when, person.own.layout, own, (), bool(own)
            )
    numbers = numbers_by[None]
    met = bool(numbers)
    for exception in client.exceptions:
        if exception.layout is not None:
            title, place, when = exception.title, exception.place, ((exception.when,),)
            yield Treatment("exception", title, place, when, exception.layout, numbers, (), met)
    before: tuple[str, ...] = ()
    for route in client.routes:
        yield Treatment("route", route.name, route.place, route.when, route.layout, numbers, before, met)
        met = met and () not in route.when
        before = (*before, route.name)
    yield Treatment("last resort", "", client.place, ((),), client.no_route, numbers, before, met)


def numbers_of(rules: RuleSet, client: ClientRules) -> dict[str | None, tuple[OwnNumber, ...]]:
    """By which calls come to each of the client's people, and (by None) to the client: a number that both
    have is the one's whose call it is."""
    found: dict[str | None, list[OwnNumber]] = {None: []}
    for number in client.numbers:
        one = PhoneNumber(number.pattern.text) if number.pattern.is_one_number else None
        if one is None or rules.numbers.find(one) == Owner(client.id, number.person):
            found.setdefault(number.person, []).append(number)
    return {person: tuple(numbers) for person, numbers in found.items()}


def targets_of(layouts: Iterable[Layout]) -> Iterator[Target]:
    """Everybody whom their steps ring."""
    for layout in layouts:
        for node in layout.plan.nodes:
            if isinstance(node.step, Ring):
                yield from chain.from_iterable(node.step.rounds)


def layouts_of(client: ClientRules, found: Iterable[Treatment]) -> tuple[Layout, ...]:
    """All that these treatments lead to, and a directory."""
    by_directory = (person.treatment for person in client.people.values() if person.said)
    return (*(one.layout for one in found), *(layout for layout in by_directory if layout is not None))


# Words


def step_in_words(step: Step, during: Mapping[str, str] | None = None) -> str:
    """One step: `ring kari (open: office) and ola, then +4790000001, 20 s each round`.

    `during` names the hours of people who are rung only then.
    """
    match step:
        case Say() | Speak() | SayHours():
            return f"say {prompt_in_words(step)}"
        case Menu(prompt):
            return f"menu: {prompt_in_words(prompt)}" if prompt else "menu"
        case Challenge(prompt):
            return f"challenge: {prompt_in_words(prompt)}"
        case Directory():
            return "directory"
        case Ring():
            return _ring_in_words(step, during)
        case Queue(queue, agents, wait_for, front):
            who = _people_in_words(agents, during) or "nobody"
            place = "the front of " if front else ""
            return f"{place}queue {queue} ({who}), {Duration(int(wait_for))}{_needs_in_words(step)}"
        case AsteriskQueue(queue, wait_for, answer):
            unanswered = "" if answer else ", unanswered until an agent is there"
            return f"queue {queue} of Asterisk, {Duration(int(wait_for))}{unanswered}"
        case Message(to, say):
            told = "" if say is None else f": {prompt_in_words(say)}"
            return f"message{_to_in_words(to)}{told}"
        case Callback(to):
            return f"callback{_to_in_words(to)}"
        case SetTags(tags):
            return f"tag {' and '.join(tags)}"
        case SetVariables(variables):
            return f"set {' and '.join(f'{name}={value}' for name, value in variables)}"
        case Refuse("decline"):
            return "decline"
        case Refuse(treatment):
            return f"decline: {treatment.replace('_', ' ')}"
        case HangUp():
            return "hangup"
        case Dialplan(context, extension):
            return f"dialplan {extension}@{context}"
        case _:
            assert_never(step)


def prompt_in_words(prompt: Prompt | Whisper) -> str:
    """What is heard: `sound:hello`, `"We are closed."`, `when office is open next`."""
    match prompt:
        case Say(media):
            return media
        case Speak(text) | Whisper(text):
            return f'"{text}"'
        case SayHours(hours):
            return f"when {hours} is open next"
        case _:
            assert_never(prompt)


def _ring_in_words(step: Ring, during: Mapping[str, str] | None) -> str:
    names = ", then ".join(names_in_words(targets, during) for targets in step.rounds) or "nobody"
    asks = ", who press 1" if step.confirm else ""
    told = f", told {prompt_in_words(step.announce)}" if step.announce else ""
    music = f", with music {step.music}" if step.music else ""
    return f"ring {names}, {step.ring_for:g} s each round{asks}{told}{music}"


def _to_in_words(people: tuple[str, ...]) -> str:
    return f" for {' and '.join(people)}" if people else ""


def way_in_words(step: Step, way: str) -> str:
    """A way on from a step: `on busy`, `on key 1`, `otherwise`."""
    if way == OTHERWISE:
        return way
    return f"on key {way}" if isinstance(step, Menu) else f"on {way}"


def names_in_words(targets: Iterable[Target], during: Mapping[str, str] | None = None) -> str:
    """`kari (open: office) and ola`; somebody with two phones is named once."""
    return _people_in_words(dict.fromkeys(target.name for target in targets), during)


def _people_in_words(names: Iterable[str], during: Mapping[str, str] | None) -> str:
    hours = during or {}
    return " and ".join(f"{name} (open: {hours[name]})" if name in hours else name for name in names)


def during_of(client: ClientRules) -> dict[str, str]:
    """The people who have hours, and which."""
    return {name: person.hours for name, person in client.people.items() if person.hours is not None}


def _week_in_words(week: tuple[Spans, ...]) -> str:
    """`mon-thu 08:00-15:30, fri 08:00-12:00 12:30-14:00`; days without hours are left out."""
    parts: list[str] = []
    day = 0
    while day < len(week):
        last = day
        while last + 1 < len(week) and week[last + 1] == week[day]:
            last += 1
        days = WEEKDAYS[day] if last == day else f"{WEEKDAYS[day]}-{WEEKDAYS[last]}"
        parts += [f"{days} {spans_in_words(week[day])}"] if week[day] else []
        day = last + 1
    return ", ".join(parts) or "closed"


def _dates(days: Mapping[date, Spans], form: str, after: str, place: str) -> Iterator[Entry]:
    """Days one after the other that have the same hours are told as one."""
    left = sorted(days)
    while left:
        run = 1
        while run < len(left) and left[run] - left[0] == timedelta(run) and days[left[run]] == days[left[0]]:
            run += 1
        first, last = (day.strftime(form) for day in (left[0], left[run - 1]))
        span = first if run == 1 else f"{first}..{last}"
        yield Entry("dates", f"{span}{after}: {spans_in_words(days[left[0]])}", place)
        left = left[run:]


# The tree


def tree(rules: RuleSet, client: ClientRules) -> Entry:
    """Everything that a call to one client can meet, and what is to be done after it."""
    during = during_of(client)
    found = tuple(treatments(rules, client))
    last_resort = replace(client.no_route, last_resort=None)
    inside = (
        Entry("clock", f"clocks of {client.timezone}; national numbers as in {client.country}", client.place),
        *(Entry("number", f"number {one.pattern.text}", one.place) for one in found[-1].numbers),
        *(_hours(name, hours) for name, hours in client.hours.items()),
        *_screening(client),
        *(_queue(client, name, during) for name in client.queues),
        *(
            Entry("tag", f"tag {tag.id}", client.place)
            for tag in client.tags.values()
            if tag.origin is Origin.OWN
        ),
        *_people(client, found),
        *_exceptions(client, during),
        *(_route(one, client, during) for one in found if one.kind == "route"),
        Entry(
            "last resort",
            "last resort",
            client.place,
            _Told(last_resort, during).line(0),
        ),
        *map(_follow_up, client.follow_ups.all),
    )
    return Entry("client", f"{client.id}: {client.name}", client.place, inside)


def _hours(name: str, hours: Hours) -> Entry:
    holidays = f"; closed on public holidays of {' and '.join(hours.holidays)}" if hours.holidays else ""
    # Every-year dates are kept as month and day; in a leap year they all exist.
    yearly = {date(2000, *day): spans for day, spans in hours.yearly.items()}
    dates = (
        *_dates(hours.dates, "%Y-%m-%d", "", hours.place),
        *_dates(yearly, "%m-%d", " every year", hours.place),
    )
    calendars = "".join(f"; {words}" for words in hours.occasions.words)
    said = f"hours {name}: {_week_in_words(hours.week)}{holidays}{calendars}"
    return Entry("hours", said, hours.place, dates)


def _screening(client: ClientRules) -> Iterator[Entry]:
    """Who is let through, and who is refused and how. The one place here that knows of screening."""
    screening = client.screening
    if screening.allow != Listed():
        allowed = _listed(screening.allow)
        yield Entry("allow", f"allow {allowed}: whatever is blocked", screening.allow_place)
    for rule in screening.block:
        numbers = f"caller: {_listed(rule.numbers)}" if rule.numbers is not None else ""
        asked = ", ".join(filter(None, (numbers, when_in_words(rule.when))))
        shadow = ", in shadow: the call goes on" if rule.shadow else ""
        then = () if rule.shadow else _Told(Layout(rule.plan), {}).line(0)
        yield Entry("block", f"block {rule.name}, when {asked}{shadow}", rule.place, then)


def _listed(listed: Listed) -> str:
    """The first of them, and how many more there are."""
    numbers = (pattern.text for index in listed.numbers for pattern, _ in index.rows())
    regexes = (str(one) for some in listed.regexes for one in sorted(some))
    contacts = [CONTACTS] * listed.contacts
    first = islice(chain(contacts, regexes, numbers), MOST_LISTED)
    more = len(contacts) + sum(map(len, listed.numbers)) + sum(map(len, listed.regexes)) - MOST_LISTED
    return " or ".join([*first, *([f"{more} more"] if more > 0 else [])])


def _needs_in_words(step: Queue) -> str:
    needs = " and ".join(f"{skill} {value}" for skill, value in step.needs)
    relaxed = f", the last of it for {Duration(int(step.relax))}" if step.relax is not None else ""
    return f", for those with {needs}{relaxed}" if needs else ""


def _queue(client: ClientRules, name: str, during: Mapping[str, str]) -> Entry:
    queue, supervisors = client.queues[name], client.supervisors.get(name, ())
    said = (("their position", queue.position), ("the wait", queue.wait))
    announced = " and ".join(what for what, is_said in said if is_said)
    parts = (
        f"{queue.strategy}, each rung for {Duration(queue.ring_for)}",
        f"then left alone for {Duration(queue.wrap_up)}" if queue.wrap_up else "",
        f"paused after {queue.pause_after} calls missed" if queue.pause_after is not None else "",
        f"at most {queue.max_waiting} waiting" if queue.max_waiting is not None else "",
        f"told {announced} every {Duration(queue.every)}" if announced else "",
        f"called back by key {queue.keeps.key}" if queue.keeps else "",
        f"music {queue.music}",
        f"supervised by {', '.join(supervisors)}" if supervisors else "",
    )
    words = f"queue {name}: {_people_in_words(queue.agents, during)}; {', '.join(filter(None, parts))}"
    return Entry("queue", words, queue.place)


def _people(client: ClientRules, found: tuple[Treatment, ...]) -> Iterator[Entry]:
    phones: dict[str, dict[str, Entry]] = {}
    layouts = layouts_of(client, found)
    agents = {
        agent
        for layout in layouts
        for node in layout.plan.nodes
        if isinstance(node.step, Queue)
        for agent in node.step.agents
    }
    for target in targets_of(layouts):
        phones.setdefault(target.name, {})[target.dial] = Entry("phone", f"phone {target.dial}")
    own = {one.name: one for one in found if one.kind == "own number"}
    during = during_of(client)
    for name, person in client.people.items():
        hours = f", rung only if open: {person.hours}" if person.hours else ""
        inside = [*phones.get(name, {}).values()]
        if name in own:
            met = _Told(own[name].layout, during).line(0)
            numbers = own[name].numbers
            inside += [Entry("number", f"own number {one.pattern.text}", one.place, met) for one in numbers]
        if person.said and person.treatment is not None:
            plan = person.treatment.plan
            met = _Told(person.treatment, during).line(plan.nodes[0].then if plan.greeted else 0)
            inside.append(Entry("directory", "in the directory", person.place, met))
        never = "" if name in phones or name in agents else ", never rung"
        yield Entry("person", f"person {name}{hours}{never}", person.place, tuple(inside))


def _exceptions(client: ClientRules, during: Mapping[str, str]) -> Iterator[Entry]:
    for exception in client.exceptions:
        words = f"exception {exception.title} ({exception.owner}), when {exception.when.failure}"
        said = exception.say
        first = (Entry("step", step_in_words(said.step), said.place),) if said else ()
        if exception.layout is not None:
            then = _Told(exception.layout, during).line(0)
        else:
            then = (Entry("goes on", "goes on with the routes"),)
        yield Entry("exception", words, exception.place, (*first, *then))


def _route(route: Treatment, client: ClientRules, during: Mapping[str, str]) -> Entry:
    asked = when_in_words(route.when)
    when = f"when {asked}" if asked else "always"
    words = f"route {route.name}, {when}{'' if route.met else ' (no call comes here)'}"
    return Entry("route", words, route.place, _Told(route.layout, during).line(0))


def _follow_up(one: FollowUp) -> Entry:
    actions = tuple(Entry("action", words) for words in actions_in_words(one))
    return Entry("follow-up", f"follow-up {name_and_when(one)}", one.place, actions)


class _Told:
    """A plan as it is told, each step once."""

    def __init__(self, layout: Layout, during: Mapping[str, str]) -> None:
        self.plan = layout.plan
        self.rotating = layout.rotating
        self.last = layout.last_resort
        self.during = during
        self.told: set[int] = set()

    def line(self, here: int | None, depth: int = 0) -> tuple[Entry, ...]:
        """The steps from a position on, until the call ends or comes to a step that is told elsewhere."""
        row: list[int] = []
        here = here if self.plan.nodes else None
        while here is not None and here not in self.told and here != self.last and depth <= DEEPEST:
            self.told.add(here)
            row.append(here)
            here = self.plan.nodes[here].then
        steps = [self.step(position, depth) for position in row]
        if here is not None and here == self.last:
            steps.append(Entry("goes on", "goes on with the last resort", self.plan.nodes[here].place))
        elif here is not None:
            node = self.plan.nodes[here]
            further = "" if here in self.told else ", deeper than is told here,"
            steps.append(Entry("goes on", f"goes on{further} with: {step_in_words(node.step)}", node.place))
        elif not row:
            steps.append(Entry("end", "the call ends"))
        return tuple(steps)

    def step(self, position: int, depth: int) -> Entry:
        node = self.plan.nodes[position]
        rotating = ", beginning one further on with each call" if position in self.rotating else ""
        branches = tuple(
            Entry("branch", way_in_words(node.step, way), node.place, self.line(at, depth + 1))
            for way, at in branches_of(node.on, node.then)
        )
        return Entry("step", f"{step_in_words(node.step, self.during)}{rotating}", node.place, branches)


def branches_of(on: Mapping[str, int | None], then: int | None) -> Iterator[tuple[str, int | None]]:
    """Those that lead elsewhere than `then`."""
    yield from ((way, at) for way, at in on.items() if at != then)
