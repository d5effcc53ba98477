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
        Phrase.LEAVE_MESSAGE: Toned(
            "Vennligst legg igjen en beskjed etter tonen, og tast firkant når De er ferdig. Tast 0 for å gå "
            "videre uten beskjed.",
            "Legg igjen en beskjed etter tonen, og tast firkant når du er ferdig. Tast 0 for å hoppe over.",
        ),
        Phrase.NOT_HEARD: Toned("Beklager, vi hørte ingen beskjed.", "Vi hørte ingenting."),
        Phrase.SEND_MESSAGE: Toned(
            "Tast 1 for å sende beskjeden, 2 for å høre den, eller 3 for å lese den inn på nytt.",
            "Tast 1 for å sende den, 2 for å høre den, eller 3 for å ta den om igjen.",
        ),
        Phrase.MESSAGE_LEFT: Toned(
            "Takk. Beskjeden er mottatt. På gjenhør.", "Takk, vi har fått beskjeden. Ha det!"
        ),
        Phrase.SPEAK_PROMPT: "Snakk etter tonen, og tast firkant når du er ferdig.",
        Phrase.KEEP_PROMPT: "Tast 1 for å beholde opptaket, 2 for å høre det, eller 3 for å ta det om igjen.",
        Phrase.PROMPT_KEPT: "Opptaket er lagret. Ha det!",
        Phrase.OFFER_CALLBACK: Toned(
            "Ønsker De at vi ringer tilbake, tast 1.", "Tast 1, så ringer vi deg tilbake."
        ),
        Phrase.CALLBACK_TAKEN: Toned("Takk. Vi ringer tilbake. På gjenhør.", "Takk, vi ringer deg. Ha det!"),
        Phrase.KEY_IN_NUMBER: Toned(
            "Vennligst tast nummeret vi kan ringe tilbake til, og deretter firkant.",
            "Tast nummeret vi kan nå deg på, og så firkant.",
        ),
        Phrase.OWN_NUMBER: "Det er et av våre egne numre, og der kan vi ikke ringe tilbake.",
        Phrase.NO_NUMBER: Toned(
            "Beklager, det nummeret kan vi ikke ringe.", "Det nummeret kan vi ikke ringe."
        ),
        Phrase.NUMBER_IS: "Vi ringer tilbake til",
        Phrase.NUMBER_RIGHT: "Tast 1 hvis det er riktig, eller 2 for et annet nummer.",
        Phrase.FIND_PERSON: Toned(
            "Vennligst tast internnummeret, eller de første bokstavene i navnet, og deretter firkant. Tast 0 "
            "for å gå videre uten.",
            "Tast internnummeret, eller de første bokstavene i navnet, og så firkant. Tast 0 "
            "for å hoppe over.",
        ),
        Phrase.NOBODY_FOUND: Toned("Beklager, vi fant ingen.", "Vi fant ingen."),
        Phrase.MANY_FOUND: Toned(
            "Det er mange med det navnet. Vennligst tast flere bokstaver.",
            "Det er mange med det navnet. Tast flere bokstaver.",
        ),
        Phrase.PRESS_FOR: "Tast {key} for",
        Phrase.SEARCH_AGAIN: "Tast {key} for å søke på nytt.",
        Phrase.QUEUE_NEXT: Toned("De er den neste i køen.", "Du er den neste i køen."),
        Phrase.QUEUE_PLACE: Toned("De er nummer {number} i køen.", "Du er nummer {number} i køen."),
        Phrase.QUEUE_FAR: Toned(
            "Det er mer enn {number} foran Dem i køen.", "Det er mer enn {number} foran deg i køen."
        ),
        Phrase.QUEUE_SOON: "Ventetiden er trolig under ett minutt.",
        Phrase.QUEUE_WAIT: "Ventetiden er trolig omtrent {minutes} minutter.",
        Phrase.QUEUE_LEAVE: Toned(
            "Tast 0 hvis De ikke vil vente lenger.", "Tast 0 hvis du ikke vil vente lenger."
        ),
        Phrase.WAITED_LITTLE: "under ett minutt",
        Phrase.WAITED_MINUTE: "ett minutt",
        Phrase.WAITED_MINUTES: "{minutes} minutter",
        Phrase.QUEUE_CALLBACK: Toned(
            "Tast {key} for å beholde plassen og bli ringt opp.",
            "Tast {key}, så beholder du plassen, og vi ringer deg.",
        ),
        Phrase.PLACE_KEPT: Toned(
            "Takk. De beholder plassen, og vi ringer når det er Deres tur. På gjenhør.",
            "Takk, du beholder plassen, og vi ringer når det er din tur. Ha det!",
        ),
        Phrase.CALLS_BACK: "En som vil ringes opp, for {client}. Du ringer {caller}.",
        Phrase.NOT_REACHED: "Innringeren svarer ikke.",
        Phrase.AGENT_IN: "Du er logget inn.",
        Phrase.AGENT_OUT: "Du er logget ut.",
        Phrase.AGENT_PAUSED: "Du har pause, og får ingen samtaler.",
        Phrase.AGENT_BACK: "Du er tilbake, og får samtaler igjen.",
        Phrase.CODE_KEPT: "{tag}. Det er notert.",
        Phrase.NO_CODE: "Den koden finnes ikke.",
        Phrase.NO_CALL: "Du har ikke hatt noen samtale å notere det på.",
        Phrase.MORE_TIME: "Du har fått mer tid.",
        Phrase.NO_WRAP_UP: "Du har ingen samtale å gjøre ferdig.",
        Phrase.NO_AGENT: "Denne telefonen tilhører ingen agent.",
        Phrase.YOU_LISTEN: "Du lytter.",
        Phrase.YOU_WHISPER: "Agenten hører deg.",
        Phrase.YOU_BARGE: "Begge hører deg.",
        Phrase.NO_TALK: "Ingen snakker nå. Vent på neste samtale, eller tast firkant for å avslutte.",
        Phrase.TALK_OVER: "Samtalen er over.",
        Phrase.NOT_SUPERVISOR: "Du har ikke lov til å lytte til det.",
        Phrase.NO_SUCH_AGENT: "Ingen agent har det nummeret.",
        Phrase.PLUS: "pluss",
        Phrase.MAIL_MESSAGE: "Beskjed fra {caller} til {to}",
        Phrase.MAIL_CALLBACK: "{caller} ber {to} om å ringe tilbake",
        Phrase.MAIL_CALLED: "{caller} ringte {dialled} {time}.",
        Phrase.MAIL_CALL_BACK: "Ring tilbake til {number}.",
        Phrase.MAIL_SECONDS: "Beskjeden på {seconds} sekunder er vedlagt.",
        Phrase.MAIL_LOST: "Opptaket av beskjeden er gått tapt.",
        Phrase.WITHHELD: "skjult nummer",
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
