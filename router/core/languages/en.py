"""English."""

from router.core.languages.catalogue import Catalogue, Clock, Phrase, Toned

CATALOGUE = Catalogue(
    language="en",
    name="English",
    texts={
        Phrase.NOBODY: Toned(
            "We are sorry: nobody can take your call at the moment. Please call again later. Goodbye.",
            "Sorry, nobody can take your call right now. Please try again later. Bye!",
        ),
        Phrase.NO_SUCH_KEY: Toned(
            "I am sorry, that is not one of the choices.", "That is not one of the choices."
        ),
        Phrase.PRESS_KEY: "Please press {key} to go on.",
        Phrase.TAKE_CALL: "A call for {client}. Press 1 to take it, or 2 to decline.",
        Phrase.OPEN_UNTIL: "We are open until {time}.",
        Phrase.OPEN_UNTIL_DAY: "We are open until {day} at {time}.",
        Phrase.OPENS: "We are closed now, and open again {day} at {time}.",
        Phrase.CLOSED: "We are closed.",
        Phrase.ALWAYS_OPEN: "We are open.",
    },
    weekdays=(
        "on Monday",
        "on Tuesday",
        "on Wednesday",
        "on Thursday",
        "on Friday",
        "on Saturday",
        "on Sunday",
    ),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    today="today",
    tomorrow="tomorrow",
    date="{weekday}, {month} {day},",
    clock=Clock("{hour} {half}", "{hour} {minute} {half}", "{hour} oh {minute} {half}", ("a.m", "p.m")),
)
