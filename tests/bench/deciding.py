"""What a decision costs, alone: no Asterisk, no calls. Each figure is the best of several repeats."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from router.core.arrival import Arriving, read_facts
from router.core.decide import decide
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge.rulesfile import RulesFile
from tests.bench.peers import DIALLED, RULES

Work = Callable[[], object]

DIALLING = Dialling("PJSIP/{number}@trunk")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
REPEATS = 20
TURNS = 500
"""Decisions in one repeat."""
LOADS = 5

PATTERNS = 10_000
REGEXES = 1_000
CLIENTS = 1_000
MANY_CLIENTS = 10_000
NUMBERS_EACH = 10
LAST_NUMBER = f"+4722{MANY_CLIENTS * NUMBERS_EACH - 1:06d}"


def measure() -> dict[str, float]:
    """decide_us at ten routes, patterns_add_us with 10,000 block patterns, regexes_add_us with 1,000 regular
    expressions (from the caller's number as sent to the decision), decide_clients_ratio of 10,000 clients to
    one, load_s of 1,000 clients."""
    blocked = "".join(f', "+4681{number:05d}"' for number in range(PATTERNS))
    regexes = "".join(f", {{regex: '^\\+4781{number:04d}[0-9]{{2}}$'}}" for number in range(REGEXES))
    plain = _compiled({"bench.yaml": RULES})
    best = _best(
        {
            "decide": _decide(plain, DIALLED),
            "patterns": _decide(_blocking(blocked), DIALLED),
            "arrive": _arrive(plain),
            "regexes": _arrive(_blocking(f', "+4781500000"{regexes}')),
            "one": _decide(_compiled(dict(map(_client, range(1)))), "+4722000000"),
            "many": _decide(_compiled(dict(map(_client, range(MANY_CLIENTS)))), LAST_NUMBER),
        }
    )
    return {
        "decide_us": best["decide"],
        "patterns_add_us": best["patterns"] - best["decide"],
        "regexes_add_us": best["regexes"] - best["arrive"],
        "decide_many_clients_us": best["many"],
        "decide_clients_ratio": best["many"] / best["one"],
        "load_s": _load_seconds(),
    }


def _best(works: Mapping[str, Work]) -> Mapping[str, float]:
    """Microseconds of one turn of each. They take turns, so that a machine that drifts drifts for all."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, work in works.items():
            found[name].append(_seconds(partial(_turns, work)))
    return {name: min(seconds) / TURNS * 1e6 for name, seconds in found.items()}


def _client(number: int) -> tuple[str, str]:
    """A client of NUMBERS_EACH numbers and the bench's ten routes: its file's name and text."""
    first = number * NUMBERS_EACH
    numbers = ", ".join(f'"+4722{first + offset:06d}"' for offset in range(NUMBERS_EACH))
    text = RULES.replace("client: bench", f"client: c{number}").replace('"+472200000x"', numbers)
    routes = text.index("routes:")
    return f"c{number}.yaml", text[:routes] + text[routes:].replace(
        'dialled: "+47220000', 'caller: "+47930000'
    )


def _turns(work: Work) -> None:
    for _ in range(TURNS):
        work()


def _blocking(patterns: str) -> RuleSet:
    """The bench's rules with `patterns` in place of its only blocked number."""
    return _compiled({"bench.yaml": RULES.replace(', "+4781500000"', patterns)})


def _compiled(texts: Mapping[str, str]) -> RuleSet:
    rules = compile_rules(texts, DIALLING)
    assert isinstance(rules, RuleSet), rules
    return rules


def _decide(rules: RuleSet, dialled: str) -> Work:
    """One decision whose last route matches."""
    caller = CallerId.read("+4790000009", "", "NO")
    facts = Facts(NOW, dialled, PhoneNumber.parse(dialled), caller)
    assert decide(rules, facts).route == "main"
    return lambda: decide(rules, facts)


def _arrive(rules: RuleSet) -> Work:
    """Reading what the caller's side sent, and the decision."""
    arriving = Arriving(DIALLED, "+4790000009", "Kari Nordmann")
    return lambda: decide(rules, read_facts(arriving, rules, NOW))


def _load_seconds() -> float:
    """Seconds to read and check a folder of CLIENTS files, the best of LOADS."""
    with TemporaryDirectory(prefix="bench-") as folder:
        for name, text in map(_client, range(CLIENTS)):
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return min(_seconds(RulesFile(Path(folder), DIALLING).load) for _ in range(LOADS))


def _seconds(work: Work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
