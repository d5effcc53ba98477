"""Bulgarian."""

from router.core.languages.catalogue import Catalogue, Clock, Phrase, Toned

CATALOGUE = Catalogue(
    language="bg",
    name="български",
    texts={
        Phrase.NOBODY: Toned(
            "Съжаляваме, никой не може да приеме обаждането Ви сега. Моля, обадете се по-късно. Дочуване.",
            "Съжаляваме, в момента никой не може да вдигне. Обади се пак по-късно. Чао!",
        ),
        Phrase.NO_SUCH_KEY: Toned("Съжаляваме, няма такъв избор.", "Няма такъв избор."),
        Phrase.PRESS_KEY: Toned(
            "Моля, натиснете {key}, за да продължите.", "Натисни {key}, за да продължиш."
        ),
        Phrase.TAKE_CALL: "Обаждане за {client}. Натиснете 1, за да го приемете, или 2, за да откажете.",
        Phrase.OPEN_UNTIL: "Работим до {time}.",
        Phrase.OPEN_UNTIL_DAY: "Работим до {time} {day}.",
        Phrase.OPENS: "В момента не работим. Отваряме отново {day} в {time}.",
        Phrase.CLOSED: "Не работим.",
        Phrase.ALWAYS_OPEN: "Работим.",
    },
    weekdays=(
        "в понеделник",
        "във вторник",
        "в сряда",
        "в четвъртък",
        "в петък",
        "в събота",
        "в неделя",
    ),
    months=(
        "януари",
        "февруари",
        "март",
        "април",
        "май",
        "юни",
        "юли",
        "август",
        "септември",
        "октомври",
        "ноември",
        "декември",
    ),
    today="днес",
    tomorrow="утре",
    date="{weekday}, {day} {month},",
    clock=Clock("{hour} часа", "{hour} часа и {minute} минути", "{hour} часа и {minute} минути"),
)
