"""Warnings: rules that can be used, but probably do not do what was meant."""

from collections.abc import Iterator

from router.core.followupdocs import Actions
from router.core.layout import ENDING_STEPS, PathedSteps
from router.core.making import Phones
from router.core.plan import CallPlan, PlanNode, Ring, Target
from router.core.reading import SELF, PersonRef
from router.core.ruleset import ClientRules
from router.core.schema import ClientDoc, agents_of
from router.core.stepdocs import DirectoryStep, NumberDoc, PersonStep, QueueStep, RingStep
from router.core.times import Duration
from router.core.yamltext import Path

LONGEST_WAIT = Duration(2 * 60)
"""Callers who are rung for longer have mostly hung up."""

NAMED = 3
"""People that one warning on many names."""

Caution = tuple[Path, str]
"""Where in the client's document, and `what; what to write instead`."""


def cautions(
    doc: ClientDoc,
    steps: PathedSteps,
    rules: ClientRules,
    phones: Phones,
    from_table: frozenset[str] = frozenset(),
    *,
    has_trunk: bool = True,
) -> Iterator[Caution]:
    """All warnings on one client, with all `steps` of its document; some of its people may come
    `from_table`. Without a trunk nobody can be called back."""
    yield from _unreached_client(doc)
    yield from _shadowed_routes(rules)
    yield from _people_never_rung(doc, steps, from_table)
    yield from _unused_queues(doc, steps)
    yield from _unmet_needs(doc, steps)
    yield from _unknown_supervisors(doc, phones)
    yield from _hidden_codes(doc)
    yield from () if has_trunk else _no_callbacks(doc)
    yield from _nobodys_follow_ups(doc)
    yield from _steps(steps, phones)
    yield from _long_waits(rules)


def _no_callbacks(doc: ClientDoc) -> Iterator[Caution]:
    for name, queue in doc.queues.items():
        if queue.callback_key is not None:
            what = "nobody can be called back without a trunk"
            yield ("queues", name, "callback_key"), f"{what}; set one in the daemon's settings"


def _hidden_codes(doc: ClientDoc) -> Iterator[Caution]:
    for tag, written in doc.tags.items():
        if written.hidden and written.code is not None:
            what = f"`{tag}` is hidden, so its code puts it on no call"
            yield ("tags", tag, "code"), f"{what}; leave out `code` or `hidden`"


def _nobodys_follow_ups(doc: ClientDoc) -> Iterator[Caution]:
    actions: list[tuple[Path, Actions, str]] = [
        (("follow_ups", at, "do"), one.do, one.name) for at, one in enumerate(doc.follow_ups)
    ]
    actions += [(("tags", tag, "do"), one.do, tag) for tag, one in doc.tags.items() if one.do]
    for path, do, name in actions:
        if any(action.call_back and action.call_back.owner is None for action in do):
            what = f"nobody in particular is to call back after `{name}`"
            yield path, f"{what}; add `owner:` to its `call_back`, so that somebody does"


def _unreached_client(doc: ClientDoc) -> Iterator[Caution]:
    if not doc.numbers and not any(person.numbers for person in doc.people.values()):
        yield ("client",), f"no call can reach client `{doc.client}`; give it `numbers:`"


def _shadowed_routes(rules: ClientRules) -> Iterator[Caution]:
    taker: str | None = None
    for number, route in enumerate(rules.routes):
        if taker is not None:
            what = f"route `{route.name}` is never reached, since `{taker}` takes every call"
            yield ("routes", number), f"{what}; move it up, or give `{taker}` a `when:`"
        elif () in route.when:
            taker = route.name


def _people_never_rung(doc: ClientDoc, steps: PathedSteps, from_table: frozenset[str]) -> Iterator[Caution]:
    rung = {supervisor for queue in doc.queues.values() for supervisor in queue.supervisors}
    for _, step in steps:
        match step:
            case RingStep(ring=targets):
                rung |= {target.id for target in targets if isinstance(target, PersonRef)}
            case PersonStep(person=person):
                rung.add(person)
            case QueueStep(queue=queue):
                rung |= {*agents_of(doc.queues[queue])}
            case DirectoryStep():
                rung |= {who for who, one in doc.people.items() if one.name or one.extension}
    # Who has an extension is there for callers who dial it, or are transferred to it.
    alone = (who for who, written in doc.people.items() if not (written.numbers or written.extension))
    never = [who for who in alone if who not in rung]
    tabled = [who for who in never if who in from_table]
    if tabled:
        more = f" and {len(tabled) - NAMED} more" if len(tabled) > NAMED else ""
        what = f"nothing rings {len(tabled)} of the people in this table ({', '.join(tabled[:NAMED])}{more})"
        yield ("people_from",), f"{what}; give them an `extension` or `numbers`"
    for person in never:
        if person not in from_table:
            yield ("people", person), f"nothing rings `{person}`; name them in a `ring`, or add `numbers:`"


def _unmet_needs(doc: ClientDoc, steps: PathedSteps) -> Iterator[Caution]:
    for path, step in steps:
        if not isinstance(step, QueueStep):
            continue
        agents = [doc.people[agent] for agent in agents_of(doc.queues[step.queue])]
        for skill, value in step.needs.items():
            if not any(value in agent.skills.get(skill, ()) for agent in agents):
                what = f"no agent of queue `{step.queue}` has the skill `{skill}: {value}`"
                yield (*path, "needs", skill), f"{what}; add it to somebody's `skills`, or correct it"


def _unused_queues(doc: ClientDoc, steps: PathedSteps) -> Iterator[Caution]:
    used = {step.queue for _, step in steps if isinstance(step, QueueStep)}
    for queue in doc.queues:
        if queue not in used:
            yield ("queues", queue), f"no step leads to queue `{queue}`; add `queue: {queue}`, or remove it"


def _unknown_supervisors(doc: ClientDoc, phones: Phones) -> Iterator[Caution]:
    for name, queue in doc.queues.items():
        for person in queue.supervisors:
            if all(phone.outside for phone in phones[person]):
                what = f"`{person}` has no phone here by which they are known as a supervisor"
                yield ("queues", name, "supervisors"), f"{what}; give them one in `rings`, as PJSIP/ENDPOINT"


def _steps(steps: PathedSteps, phones: Phones) -> Iterator[Caution]:
    ended: set[Path] = set()
    for path, step in steps:
        *around, number = path
        if type(step) in ENDING_STEPS:
            ended.add((*around, int(number) + 1))
        if path in ended:
            what = "this step is never reached, since the call has ended or gone elsewhere"
            yield path, f"{what}; remove it, or move it up"
        if isinstance(step, RingStep) and not any(_phones(target, path, phones) for target in step.ring):
            yield path, "this step can ring nobody; name somebody who has `rings:`"


def _phones(target: Target | PersonRef | NumberDoc, path: Path, phones: Phones) -> tuple[object, ...]:
    """What rings for an entry of the `ring` at `path`."""
    if not isinstance(target, PersonRef):
        return (target,)
    return phones.get(str(path[1]) if target.id == SELF else target.id, ())


def _long_waits(rules: ClientRules) -> Iterator[Caution]:
    for number, route in enumerate(rules.routes):
        plan = route.layout.plan
        if sum(map(_ring_time, plan.nodes)) <= LONGEST_WAIT.seconds:
            continue  # No way is longer than all of it, and to look at each takes time.
        wait = Duration(int(longest_ring(plan)))
        if wait > LONGEST_WAIT:
            what = f"route `{route.name}` can ring for {wait}, longer than {LONGEST_WAIT}"
            yield ("routes", number), f"{what}; shorten `for:`, or ring fewer in turn"


def _ring_time(node: PlanNode) -> float:
    """The most seconds that a caller can be rung for in this step."""
    step = node.step
    return step.ring_for * len(step.rounds) if isinstance(step, Ring) else 0.0


def longest_ring(plan: CallPlan) -> float:
    """The most seconds that a caller can be rung for on any way through `plan`.

    Plans go forward only, so each way ends; the longest way onward is worked out once for each position.
    """
    longest: dict[int | None, float] = {None: 0.0}
    waiting = list(range(len(plan.nodes)))
    while waiting:
        here = waiting[-1]
        node = plan.nodes[here]
        onward = [node.then, *node.on.values()]
        unknown = [there for there in onward if there is not None and there not in longest]
        if unknown:
            waiting += unknown
            continue
        longest[here] = _ring_time(node) + max(longest[there] for there in onward)
        waiting.pop()
    return max(longest.values())
