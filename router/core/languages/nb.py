"""Norwegian, bokmål."""

from router.core.languages.catalogue import Catalogue, Clock, Phrase, Toned

CATALOGUE = Catalogue(
    language="nb",
    name="norsk bokmål",
    texts={
        Phrase.NOBODY: Toned(
            "Vi beklager at ingen kan ta imot samtalen nå. Vennligst ring igjen senere. På gjenhør.",
            "Beklager, ingen kan ta telefonen akkurat nå. Ring gjerne igjen senere. Ha det!",
        ),
        Phrase.NO_SUCH_KEY: Toned("Beklager, det er ikke et av valgene.", "Det er ikke et av valgene."),
        Phrase.PRESS_KEY: Toned("Vennligst tast {key} for å gå videre.", "Tast {key} for å gå videre."),
        Phrase.TAKE_CALL: "En samtale til {client}. Tast 1 for å ta den, eller 2 for å avvise.",
        Phrase.OPEN_UNTIL: "Vi har åpent til {time}.",
        Phrase.OPEN_UNTIL_DAY: "Vi har åpent til {day} {time}.",
        Phrase.OPENS: "Vi har stengt nå. Vi åpner igjen {day} {time}.",
        Phrase.CLOSED: "Vi har stengt.",
        Phrase.ALWAYS_OPEN: "Vi har åpent.",
    },
    weekdays=("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"),
    months=(
        "januar",
        "februar",
        "mars",
        "april",
        "mai",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "desember",
    ),
    today="i dag",
    tomorrow="i morgen",
    date="{weekday} {day}. {month}",
    clock=Clock("klokken {hour}", "klokken {hour} {minute}", "klokken {hour} null {minute}"),
)
