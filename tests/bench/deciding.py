"""What a decision costs, alone: no Asterisk, no calls. Each figure is the best of several repeats."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
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

DIALLING = Dialling("PJSIP/{number}@trunk")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
REPEATS = 7
TURNS = 500
"""Decisions in one repeat."""

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
    decide_us = _decide_us(_compiled({"bench.yaml": RULES}), DIALLED)
    with_patterns = _compiled({"bench.yaml": RULES.replace(', "+4781500000"', blocked)})
    regexes = "".join(f", {{regex: '^\\+4781{number:04d}[0-9]{{2}}$'}}" for number in range(REGEXES))
    with_regexes = _compiled({"bench.yaml": RULES.replace(', "+4781500000"', f', "+4781500000"{regexes}')})
    without = _arrive_us(_compiled({"bench.yaml": RULES}))
    one = _decide_us(_compiled(dict(map(_client, range(1)))), "+4722000000")
    many = _decide_us(_compiled(dict(map(_client, range(MANY_CLIENTS)))), LAST_NUMBER)
    return {
        "decide_us": decide_us,
        "patterns_add_us": _decide_us(with_patterns, DIALLED) - decide_us,
        "regexes_add_us": _arrive_us(with_regexes) - without,
        "decide_many_clients_us": many,
        "decide_clients_ratio": many / one,
        "load_s": _load_seconds(),
    }


def _client(number: int) -> tuple[str, str]:
    """A client of NUMBERS_EACH numbers and the bench's ten routes: its file's name and text."""
    first = number * NUMBERS_EACH
    numbers = ", ".join(f'"+4722{first + offset:06d}"' for offset in range(NUMBERS_EACH))
    text = RULES.replace("client: bench", f"client: c{number}").replace('"+472200000x"', numbers)
    routes = text.index("routes:")
    return f"c{number}.yaml", text[:routes] + text[routes:].replace(
        'dialled: "+47220000', 'caller: "+47930000'
    )


def _compiled(texts: Mapping[str, str]) -> RuleSet:
    rules = compile_rules(texts, DIALLING)
    assert isinstance(rules, RuleSet), rules
    return rules


def _decide_us(rules: RuleSet, dialled: str) -> float:
    """Microseconds of one decision whose last route matches."""
    caller = CallerId.read("+4790000009", "", "NO")
    facts = Facts(NOW, dialled, PhoneNumber.parse(dialled), caller)
    assert decide(rules, facts).route == "main"

    def turns() -> None:
        for _ in range(TURNS):
            decide(rules, facts)

    return min(_seconds(turns) for _ in range(REPEATS)) / TURNS * 1e6


def _arrive_us(rules: RuleSet) -> float:
    """Microseconds of reading what the caller's side sent, and the decision."""
    arriving = Arriving(DIALLED, "+4790000009", "Kari Nordmann")

    def turns() -> None:
        for _ in range(TURNS):
            decide(rules, read_facts(arriving, rules, NOW))

    return min(_seconds(turns) for _ in range(REPEATS)) / TURNS * 1e6


def _load_seconds() -> float:
    """Seconds to read and check a folder of CLIENTS files."""
    with TemporaryDirectory(prefix="bench-") as folder:
        for name, text in map(_client, range(CLIENTS)):
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return _seconds(RulesFile(Path(folder), DIALLING).load)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
