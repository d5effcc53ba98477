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
        Phrase.LEAVE_MESSAGE: Toned(
            "Læg venligst en besked efter tonen, og tryk på firkant, når De er færdig. Tryk 0 for at gå "
            "videre uden besked.",
            "Læg en besked efter tonen, og tryk på firkant, når du er færdig. Tryk 0 for at gå videre uden.",
        ),
        Phrase.NOT_HEARD: Toned("Beklager, vi hørte ingen besked.", "Vi hørte ikke noget."),
        Phrase.SEND_MESSAGE: Toned(
            "Tryk 1 for at sende beskeden, 2 for at høre den, eller 3 for at indtale den igen.",
            "Tryk 1 for at sende den, 2 for at høre den, eller 3 for at tage den om.",
        ),
        Phrase.MESSAGE_LEFT: Toned(
            "Tak. Beskeden er modtaget. Farvel.", "Tak, vi har fået din besked. Hej hej!"
        ),
        Phrase.SPEAK_PROMPT: "Tal efter tonen, og tryk på firkant, når du er færdig.",
        Phrase.KEEP_PROMPT: "Tryk 1 for at beholde den, 2 for at høre den, eller 3 for at tage den om.",
        Phrase.PROMPT_KEPT: "Optagelsen er gemt. Hej hej!",
        Phrase.OFFER_CALLBACK: Toned(
            "Ønsker De, at vi ringer tilbage, så tryk 1.", "Tryk 1, så ringer vi tilbage til dig."
        ),
        Phrase.CALLBACK_TAKEN: Toned("Tak. Vi ringer tilbage. Farvel.", "Tak, vi ringer til dig. Hej hej!"),
        Phrase.KEY_IN_NUMBER: Toned(
            "Indtast venligst det nummer, vi kan ringe tilbage til, og tryk derefter på firkant.",
            "Indtast det nummer, vi kan få fat i dig på, og tryk på firkant.",
        ),
        Phrase.OWN_NUMBER: "Det er et af vores egne numre, og der kan vi ikke ringe tilbage.",
        Phrase.NO_NUMBER: Toned(
            "Beklager, det nummer kan vi ikke ringe til.", "Det nummer kan vi ikke ringe til."
        ),
        Phrase.NUMBER_IS: "Vi ringer tilbage til",
        Phrase.NUMBER_RIGHT: "Tryk 1, hvis det er rigtigt, eller 2 for et andet nummer.",
        Phrase.FIND_PERSON: Toned(
            "Indtast venligst lokalnummeret eller de første bogstaver i navnet, og tryk derefter på firkant. "
            "Tast 0 for at gå videre uden.",
            "Indtast lokalnummeret eller de første bogstaver i navnet, og så firkant. Tast 0 "
            "for at gå videre.",
        ),
        Phrase.NOBODY_FOUND: Toned("Beklager, vi fandt ingen.", "Vi fandt ingen."),
        Phrase.MANY_FOUND: Toned(
            "Der er mange med det navn. Indtast venligst flere bogstaver.",
            "Der er mange med det navn. Indtast flere bogstaver.",
        ),
        Phrase.PRESS_FOR: "Tryk {key} for",
        Phrase.SEARCH_AGAIN: "Tryk {key} for at søge igen.",
        Phrase.QUEUE_NEXT: Toned("De er den næste i køen.", "Du er den næste i køen."),
        Phrase.QUEUE_PLACE: Toned("De er nummer {number} i køen.", "Du er nummer {number} i køen."),
        Phrase.QUEUE_FAR: Toned(
            "Der er mere end {number} foran Dem i køen.", "Der er mere end {number} foran dig i køen."
        ),
        Phrase.QUEUE_SOON: "Ventetiden er formentlig under et minut.",
        Phrase.QUEUE_WAIT: "Ventetiden er formentlig omkring {minutes} minutter.",
        Phrase.QUEUE_LEAVE: Toned(
            "Tryk 0, hvis De ikke vil vente længere.", "Tryk 0, hvis du ikke vil vente længere."
        ),
        Phrase.WAITED_LITTLE: "under et minut",
        Phrase.WAITED_MINUTE: "et minut",
        Phrase.WAITED_MINUTES: "{minutes} minutter",
        Phrase.QUEUE_CALLBACK: Toned(
            "Tryk {key} for at beholde Deres plads og blive ringet op.",
            "Tryk {key}, så beholder du pladsen, og vi ringer til dig.",
        ),
        Phrase.PLACE_KEPT: Toned(
            "Tak. De beholder Deres plads, og vi ringer, når det er Deres tur. Farvel.",
            "Tak, du beholder pladsen, og vi ringer, når det er din tur. Hej hej!",
        ),
        Phrase.CALLS_BACK: "En, der vil ringes op, for {client}. Du ringer til {caller}.",
        Phrase.NOT_REACHED: "Den, der ringede, svarer ikke.",
        Phrase.AGENT_IN: "Du er logget ind.",
        Phrase.AGENT_OUT: "Du er logget ud.",
        Phrase.AGENT_PAUSED: "Du holder pause og får ingen opkald.",
        Phrase.AGENT_BACK: "Du er tilbage og får opkald igen.",
        Phrase.CODE_KEPT: "{tag}. Det er noteret.",
        Phrase.NO_CODE: "Den kode findes ikke.",
        Phrase.NO_CALL: "Du har ikke haft nogen samtale at notere det på.",
        Phrase.MORE_TIME: "Du har fået mere tid.",
        Phrase.NO_WRAP_UP: "Du har ingen samtale at gøre færdig.",
        Phrase.NO_AGENT: "Denne telefon tilhører ingen agent.",
        Phrase.YOU_LISTEN: "Du lytter.",
        Phrase.YOU_WHISPER: "Agenten hører dig.",
        Phrase.YOU_BARGE: "Begge hører dig.",
        Phrase.NO_TALK: "Ingen taler nu. Vent på næste samtale, eller tryk på firkant for at slutte.",
        Phrase.TALK_OVER: "Samtalen er slut.",
        Phrase.NOT_SUPERVISOR: "Du har ikke lov til at lytte til det.",
        Phrase.NO_SUCH_AGENT: "Ingen agent har det nummer.",
        Phrase.PLUS: "plus",
        Phrase.MAIL_MESSAGE: "Besked fra {caller} til {to}",
        Phrase.MAIL_CALLBACK: "{caller} beder {to} om at ringe tilbage",
        Phrase.MAIL_CALLED: "{caller} ringede til {dialled} {time}.",
        Phrase.MAIL_CALL_BACK: "Ring tilbage til {number}.",
        Phrase.MAIL_SECONDS: "Beskeden på {seconds} sekunder er vedhæftet.",
        Phrase.MAIL_LOST: "Optagelsen af beskeden er gået tabt.",
        Phrase.WITHHELD: "hemmeligt nummer",
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
