"""Whose phone dialled a feature code, and what is said there."""

from router.core.agents import AgentId, Change
from router.core.dialling import Dialling
from router.core.featurecodes import CONFIRMED, Reply, agents_at, confirmation, texts
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import HangUp, QueueRules
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.tags import Code

FJORD = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
people: {kari: {rings: PJSIP/100}, ola: {rings: [PJSIP/101, PJSIP/100]}, per: {rings: PJSIP/102}}
queues: {desk: {agents: [ola, kari]}}
last_resort: [{queue: desk}]
"""
NOBODYS = (
    FJORD.replace("fjord", "sund")
    .replace("4455", "4466")
    .replace("queues: {desk: {agents: [ola, kari]}}\n", "")
)
NOBODYS = NOBODYS.replace("[{queue: desk}]", "[hangup]")


def rules(**files: str) -> RuleSet:
    compiled = compile_rules({f"{name}.yaml": text for name, text in files.items()}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def test_a_phone_is_all_of_theirs_whom_it_rings() -> None:
    both = rules(fjord=FJORD, sund=NOBODYS)
    kari, ola = AgentId("fjord", "kari"), AgentId("fjord", "ola")
    assert agents_at(both, "PJSIP/100") == [kari, ola]
    assert agents_at(both, "PJSIP/101") == [ola]
    assert agents_at(both, "PJSIP/102") == [], "who is nobody's agent"


def test_it_is_said_in_the_language_of_the_client() -> None:
    both = rules(fjord=FJORD, sund=NOBODYS)
    for change, which in ((Change.PAUSED, Phrase.AGENT_PAUSED), (Change.LOGGED_IN, Phrase.AGENT_IN)):
        said, end = confirmation(both, agents_at(both, "PJSIP/101"), Reply(CONFIRMED[change])).nodes
        assert said.step == phrase("nb", "formal", which)
        assert end.step == HangUp()
    assert confirmation(both, [], Reply(Phrase.NO_AGENT)).nodes[0].step == phrase(
        "nb", "formal", Phrase.NO_AGENT
    )
    none = rules(sund=NOBODYS)
    assert confirmation(none, [], Reply(Phrase.NO_AGENT)).nodes[0].step == phrase(
        "en", "formal", Phrase.NO_AGENT
    )


def test_all_of_it_is_spoken_beforehand() -> None:
    client = rules(fjord=FJORD + "tags: {booking: {label: {nb: Bestilling}, code: 7}}\n").clients["fjord"]
    said = list(texts(client, QueueRules(language="nb")))
    assert phrase("nb", "formal", Phrase.AGENT_BACK) in said
    assert phrase("nb", "formal", Phrase.CODE_KEPT, tag="Bestilling") in said


def test_a_code_is_the_clients_own_before_one_that_all_share() -> None:
    booking = "booking: {label: {nb: Bestilling, en: Booking}, code: 7}"
    own = f"{FJORD}tags: {{{booking}, other_thing: {{code: 08}}}}\n"
    shared = "tags: {spam: {code: 7}, sale: {label: {en: Sale}, code: 1}}\n"
    assert rules(fjord=own, shared=shared).clients["fjord"].codes == {
        "7": Code("booking", "Bestilling"),
        "08": Code("other_thing", "other thing"),
        "1": Code("sale", "Sale"),
    }
