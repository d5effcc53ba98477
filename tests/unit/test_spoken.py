"""Every text that a client's callers, and who is rung, may hear."""

from datetime import UTC, datetime, timedelta

from router.core.dialling import Dialling
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.spoken import of_hours, recordings, texts

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
tone: informal
greeting: Hei.
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
exceptions:
  - {title: a, from: 2026-11-01, until: 2026-11-02, owner: o, say: Kurs.}
  - {title: b, from: 2026-11-03, until: 2026-11-04, owner: o, do: [{say: Flytting.}]}
screening:
  block: [{name: ads, numbers: "+4781549xxx"}]
  treatment: {challenge: Hvem er det?}
people:
  kari:
    rings: "+47 900 00 001"
    spoken: {file: recorded/kari}
    numbers: "+4722334461"
    do: [{say: Kari.}, {ring: self, announce: En kunde.}]
last_resort: [{say: Ingen.}, {say: {file: bye}}, {say: {file: recorded/sorry}}]
routes:
  - name: main
    do:
      - menu: {say: Tast 1., choices: {1: [{ring: kari, confirm: Vil du?}]}}
      - say: hours
"""
KEYS = {f"Tast {key} for å gå videre." for key in range(10)}


def rules(text: str) -> RuleSet:
    compiled = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def test_all_are_found_wherever_they_are_written() -> None:
    found = texts(rules(RULES))
    assert {text.text for text in found} == {
        "Hei.", "Kurs.", "Flytting.", "Hvem er det?", "Kari.", "En kunde.", "Ingen.", "Tast 1.", "Vil du?",
        "En samtale til Fjord. Tast 1 for å ta den, eller 2 for å avvise.", "Det er ikke et av valgene.",
        *KEYS,
    }  # fmt: skip
    assert found[Speak("Hei.", "nb")] == "fjord.yaml:8"


def test_what_was_recorded_for_the_router_is_found_by_name() -> None:
    text = RULES.replace("say: hours", "directory").replace("kari:\n", "kari:\n    extension: 101\n")
    assert recordings(rules(text)) == {"sorry": "fjord.yaml:23", "kari": "fjord.yaml:18"}


def test_a_treatment_may_speak() -> None:
    said = rules(RULES.replace("challenge: Hvem er det?", "say: Ring ikke."))
    assert Speak("Ring ikke.", "nb") in texts(said)


def test_a_whisper_is_the_clients_name_and_what_the_callers_number_is_put_together_of() -> None:
    text = RULES.replace("announce: En kunde.", "announce: 'Til {client}, fra {caller}. Vær blid.'")
    text = text.replace("confirm: Vil du?", "confirm: 'Ta {caller}?'")
    said = {one.text for one in texts(rules(text)) if one.language == "nb"}
    assert {"Til Fjord, fra", ". Vær blid.", "Ta", "skjult nummer", "pluss", *"0123456789"} <= said
    assert not [one for one in said if "{" in one]


def test_what_is_said_in_a_queue_to_callers_and_agents() -> None:
    queues = "queues: {desk: {agents: kari, announce: {wait: true}, whisper: 'En til {client}.'}}\n"
    said = {one.text for one in texts(rules(RULES.replace("- say: hours", "- queue: desk") + queues))}
    assert {"Ventetiden er trolig under ett minutt.", "Tast 0 hvis du ikke vil vente lenger."} <= said
    assert {"En til Fjord.", "En samtale til Fjord. Tast 1 for å ta den, eller 2 for å avvise."} <= said


def test_what_is_said_where_no_last_resort_is_written() -> None:
    text = RULES.replace(
        "last_resort: [{say: Ingen.}, {say: {file: bye}}, {say: {file: recorded/sorry}}]\n", ""
    )
    assert phrase("nb", "informal", Phrase.NOBODY) in texts(rules(text))


def test_hours_are_told_by_what_they_will_be() -> None:
    start = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    found = of_hours(rules(RULES), start, start + timedelta(days=1))
    assert {text.text for text in found} == {
        "Vi har åpent til klokken 16.",
        "Vi har stengt nå. Vi åpner igjen mandag klokken 8.",
    }
    assert set(found.values()) == {"fjord.yaml:27"}
