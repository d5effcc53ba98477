"""Danish."""

from router.core.languages.catalogue import Catalogue, Clock, Phrase, Toned

CATALOGUE = Catalogue(
    language="da",
    name="dansk",
    texts={
        Phrase.NOBODY: Toned(
            "Vi beklager, at ingen kan tage imod opkaldet nu. Ring venligst igen senere. Tak for opkaldet.",
            "Beklager, ingen kan tage telefonen lige nu. Ring gerne igen senere. Hej hej!",
        ),
        Phrase.NO_SUCH_KEY: Toned("Beklager, det er ikke et af valgene.", "Det er ikke et af valgene."),
        Phrase.PRESS_KEY: Toned("Tryk venligst {key} for at gå videre.", "Tryk {key} for at gå videre."),
        Phrase.TAKE_CALL: "Et opkald til {client}. Tryk 1 for at tage det, eller 2 for at afvise.",
        Phrase.OPEN_UNTIL: "Vi har åbent til {time}.",
        Phrase.OPEN_UNTIL_DAY: "Vi har åbent til {day} {time}.",
        Phrase.OPENS: "Vi har lukket nu. Vi åbner igen {day} {time}.",
        Phrase.CLOSED: "Vi har lukket.",
        Phrase.ALWAYS_OPEN: "Vi har åbent.",
    },
    weekdays=("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"),
    months=(
        "januar",
        "februar",
        "marts",
        "april",
        "maj",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "december",
    ),
    today="i dag",
    tomorrow="i morgen",
    date="{weekday} den {day}. {month}",
    clock=Clock("klokken {hour}", "klokken {hour} {minute}", "klokken {hour} nul {minute}"),
)
