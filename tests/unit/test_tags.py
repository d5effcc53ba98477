"""Which tags a client has, what people call them, and how a call stands after all that was said of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from router.core import labels
from router.core.corrections import Correction, corrected
from router.core.dialling import Dialling
from router.core.languages import CATALOGUES
from router.core.record import Disposition
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.tagging import not_offered
from router.core.tags import SHIPPED, CallTag, Origin, Tag, Way, standing

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FJORD = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
routes: [{name: main, do: [{ring: PJSIP/100}]}]
"""


def compiled(own: str = "", shared: str = "") -> RuleSet | RuleErrors:
    files = {"fjord.yaml": FJORD + own, "shared.yaml": shared or "lists: {}\n"}
    return compile_rules(files, Dialling())


def rules(own: str = "", shared: str = "") -> RuleSet:
    made = compiled(own, shared)
    assert isinstance(made, RuleSet), made
    return made


def row(tag: str, who: str = "kari", *, removed: bool = False, note: str = "") -> CallTag:
    return CallTag("c1", tag, who, Way.COMMAND, TEN, removed, note=note)


# How a call stands

STANDING: dict[str, tuple[Sequence[CallTag], list[tuple[str, str]]]] = {
    "nothing was said": ([], []),
    "two tags, in the order they came": (
        [row("callback"), row("booking", "ola")],
        [("callback", "kari"), ("booking", "ola")],
    ),
    "one was taken off": (
        [row("callback"), row("booking"), row("callback", removed=True)],
        [("booking", "kari")],
    ),
    "it was put there again": (
        [row("callback"), row("callback", removed=True), row("callback", "ola")],
        [("callback", "ola")],
    ),
    "who says it again is not who said it first": (
        [row("callback"), row("callback", "ola", note="before noon")],
        [("callback", "kari")],
    ),
    "taken off without ever being there": ([row("callback", removed=True)], []),
}


@pytest.mark.parametrize(("rows", "has"), STANDING.values(), ids=STANDING)
def test_what_a_call_is_tagged_with(rows: Sequence[CallTag], has: list[tuple[str, str]]) -> None:
    assert [(one.tag, one.who) for one in standing(rows)] == has


CORRECTED: dict[str, tuple[list[Disposition], Disposition | None]] = {
    "never": ([], None),
    "once": ([Disposition.BUSY], Disposition.BUSY),
    "twice": ([Disposition.BUSY, Disposition.FAILED], Disposition.FAILED),
    "back to what was derived": ([Disposition.BUSY, Disposition.ANSWERED], None),
}


@pytest.mark.parametrize(("said", "stands"), CORRECTED.values(), ids=CORRECTED)
def test_what_became_of_a_call_after_all(said: list[Disposition], stands: Disposition | None) -> None:
    rows = [
        Correction("c1", one, "why", "kari", Way.COMMAND, TEN + timedelta(seconds=at))
        for at, one in enumerate(said)
    ]
    assert corrected(Disposition.ANSWERED, rows) is stands


# Which tags there are


def test_a_client_has_those_that_ship_and_shared_ones_and_its_own() -> None:
    made = rules("tags: {viewing: {label: {en: Viewing}}}\n", "tags: {emergency: {code: 9}}\n")
    fjord = made.tags_of("fjord")
    assert list(fjord) == [*SHIPPED, "emergency", "viewing"]
    assert (fjord["viewing"].origin, fjord["viewing"].place) == (Origin.OWN, "fjord.yaml:8")
    assert (fjord["emergency"].origin, fjord["emergency"].place) == (Origin.SHARED, "shared.yaml:1")
    assert fjord["callback"] == Tag("callback")
    others = [*SHIPPED, "emergency"]
    assert [list(made.tags_of(client)) for client in (None, "nobody")] == [others, others]


def test_what_a_document_leaves_out_of_a_tag_stays() -> None:
    shared = "tags: {sale: {label: {en: Sale, nb: Salg}, code: 1, hidden: true}}\n"
    sale = rules("tags: {sale: {label: {nb: Solgt}}}\n", shared).tags_of("fjord")["sale"]
    assert (sale.labels, sale.code, sale.hidden) == ({"en": "Sale", "nb": "Solgt"}, "1", True)
    shown = rules("tags: {sale: {hidden: false, code: 2}}\n", shared).tags_of("fjord")["sale"]
    assert (shown.labels["nb"], shown.code, shown.hidden) == ("Salg", "2", False)


def test_clients_without_tags_of_their_own_share_one_list() -> None:
    made = rules(shared="tags: {sale: {code: 1}}\n")
    assert made.tags_of("fjord") is made.tags_of(None)


CODES = [
    ("a tag that ships gets one", "tags: {callback: {code: 3}}", "", {"3": ("callback", "Ring tilbake")}),
    ("a hidden one has none", "tags: {sale: {hidden: true}}", "tags: {sale: {code: 1}}", {}),
    ("another than shared", "tags: {sale: {code: 2}}", "tags: {sale: {code: 1}}", {"2": ("sale", "sale")}),
    (
        "the client's own comes before what it only names",
        "tags: {sale: {label: {nb: Salg}}, booking: {code: 1}}",
        "tags: {sale: {code: 1}}",
        {"1": ("booking", "booking")},
    ),
    (
        "the client's own comes first",
        "tags: {booking: {label: {nb: Bestilling}, code: 1}}",
        "tags: {sale: {code: 1}}",
        {"1": ("booking", "Bestilling")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "shared", "codes"), [one[1:] for one in CODES], ids=[one[0] for one in CODES]
)
def test_what_agents_key_in(own: str, shared: str, codes: dict[str, tuple[str, str]]) -> None:
    found = rules(own, shared).clients["fjord"].codes
    assert {code: (one.tag, one.label) for code, one in found.items()} == codes


OFFERED = [
    ("one that ships", "callback", None),
    ("an own one", "viewing", None),
    ("a misspelt one", "viewng", "no tag of fjord is called `viewng`; did you mean `viewing`?"),
    ("none like it", "x", "no tag of fjord is called `x`; `callrouter tags` lists what there is"),
    (
        "a hidden one",
        "fair",
        "the tag `fair` of fjord is hidden (fjord.yaml:8); `callrouter tags` lists what there is",
    ),
]


@pytest.mark.parametrize(("tag", "why_not"), [one[1:] for one in OFFERED], ids=[one[0] for one in OFFERED])
def test_which_tags_people_may_put_on_calls(tag: str, why_not: str | None) -> None:
    tags = rules("tags: {viewing: {}, fair: {hidden: true}}\n").tags_of("fjord")
    assert not_offered(tags, "fjord", tag) == why_not


def test_on_calls_of_nobody_people_put_what_all_clients_have() -> None:
    assert not_offered(rules("tags: {viewing: {}}\n").tags_of(None), None, "viewing") == (
        "no tag is called `viewing`; `callrouter tags` lists what there is"
    )


def test_a_shared_code_is_one_tags_only() -> None:
    wrong = compiled(shared="tags: {won: {code: 1}, lost: {code: 1}}\n")
    assert isinstance(wrong, RuleErrors)
    assert [str(error) for error in wrong.errors] == [
        "shared.yaml:1:37: code `1` is already at shared.yaml:1; give each its own"
    ]


def test_a_code_of_a_hidden_tag_is_warned_of() -> None:
    assert [str(one) for one in rules("tags: {won: {code: 1, hidden: true}}\n").warnings] == [
        "fjord.yaml:8:20: `won` is hidden, so its code puts it on no call; leave out `code` or `hidden`"
    ]


# What people call them


def test_every_disposition_and_tag_has_a_name_in_every_language() -> None:
    for catalogue in CATALOGUES.values():
        for names in (labels.DISPOSITIONS.values(), labels.TAGS.values()):
            said = [catalogue.text(one, "formal") for one in names]
            assert len(set(said)) == len(said), catalogue.language
    assert labels.of_disposition(Disposition.NO_ANSWER, "nb") == "Ikke svar"
    assert labels.of_disposition(Disposition.NO_ANSWER, "de-AT") == "No answer"


NB_ONLY, BOTH = {"nb": "Visning avtalt"}, {"en": "Viewing", "nb": "Visning"}
NAMES: list[tuple[str, Tag, str, str]] = [
    ("one that ships", Tag("callback"), "da", "Ring tilbage"),
    ("... for a country", Tag("callback"), "en-GB", "Call back"),
    ("... where nothing is in that language", Tag("callback"), "de", "Call back"),
    ("... in the client's words", Tag("callback", {"nb": "Ring opp"}), "nb", "Ring opp"),
    ("... in the client's words, for a country", Tag("callback", {"nb": "Ring opp"}), "nb-NO", "Ring opp"),
    ("... named in another language", Tag("callback", {"en": "Ring back"}), "nb", "Ring tilbake"),
    ("... named in English, in none that is known", Tag("callback", {"en": "Ring back"}), "de", "Ring back"),
    ("an own one", Tag("viewing", BOTH), "nb", "Visning"),
    ("... in English for want of another", Tag("viewing", BOTH), "bg", "Viewing"),
    ("... in any language for want of English", Tag("viewing", NB_ONLY), "en", "Visning avtalt"),
    ("... without a name", Tag("viewing_booked"), "nb", "viewing booked"),
]


@pytest.mark.parametrize(
    ("tag", "language", "name"), [one[1:] for one in NAMES], ids=[one[0] for one in NAMES]
)
def test_what_a_tag_is_called(tag: Tag, language: str, name: str) -> None:
    assert labels.of_tag(tag, language) == name
