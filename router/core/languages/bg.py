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
        Phrase.LEAVE_MESSAGE: Toned(
            "Моля, оставете съобщение след сигнала и натиснете диез, когато свършите. За да продължите без "
            "съобщение, натиснете 0.",
            "Остави съобщение след сигнала и натисни диез, когато свършиш. Без съобщение натисни 0.",
        ),
        Phrase.NOT_HEARD: Toned("Съжаляваме, не чухме съобщение.", "Не чухме нищо."),
        Phrase.SEND_MESSAGE: Toned(
            "За да изпратите съобщението, натиснете 1. За да го чуете, натиснете 2. За да го запишете "
            "отново, натиснете 3.",
            "За да го изпратиш, натисни 1. За да го чуеш, 2. За да го запишеш отново, 3.",
        ),
        Phrase.MESSAGE_LEFT: Toned(
            "Благодарим Ви. Съобщението е прието. Дочуване.", "Благодарим, получихме съобщението. Чао!"
        ),
        Phrase.SPEAK_PROMPT: "Говорете след сигнала и натиснете диез, когато свършите.",
        Phrase.KEEP_PROMPT: "За да запазите записа, натиснете 1. За да го чуете, 2. За нов запис, 3.",
        Phrase.PROMPT_KEPT: "Записът е запазен. Дочуване.",
        Phrase.OFFER_CALLBACK: Toned(
            "Ако желаете да Ви се обадим, моля, натиснете 1.", "Натисни 1 и ще ти се обадим."
        ),
        Phrase.CALLBACK_TAKEN: Toned(
            "Благодарим Ви. Ще Ви се обадим. Дочуване.", "Благодарим, ще ти се обадим. Чао!"
        ),
        Phrase.KEY_IN_NUMBER: Toned(
            "Моля, въведете номера, на който да Ви се обадим, и натиснете диез.",
            "Въведи номера, на който да ти се обадим, и натисни диез.",
        ),
        Phrase.OWN_NUMBER: "Това е наш номер и на него не можем да се обадим.",
        Phrase.NO_NUMBER: Toned(
            "Съжаляваме, не можем да се обадим на този номер.", "Не можем да се обадим на този номер."
        ),
        Phrase.NUMBER_IS: "Ще се обадим на",
        Phrase.NUMBER_RIGHT: Toned(
            "Ако е вярно, моля, натиснете 1. За друг номер натиснете 2.",
            "Ако е вярно, натисни 1. За друг номер натисни 2.",
        ),
        Phrase.FIND_PERSON: Toned(
            "Моля, въведете вътрешния номер или първите букви от името и натиснете диез. За да продължите "
            "без търсене, въведете 0.",
            "Въведи вътрешния номер или първите букви от името и натисни диез. Без търсене въведи 0.",
        ),
        Phrase.NOBODY_FOUND: Toned("Съжаляваме, не открихме никого.", "Не открихме никого."),
        Phrase.MANY_FOUND: Toned(
            "Мнозина са с това име. Моля, въведете още букви.", "Мнозина са с това име. Въведи още букви."
        ),
        Phrase.PRESS_FOR: Toned("Моля, натиснете {key} за", "Натисни {key} за"),
        Phrase.SEARCH_AGAIN: Toned(
            "За да търсите отново, натиснете {key}.", "За да търсиш отново, натисни {key}."
        ),
        Phrase.QUEUE_NEXT: Toned("Вие сте следващият на опашката.", "Ти си следващият на опашката."),
        Phrase.QUEUE_PLACE: Toned("Вие сте номер {number} на опашката.", "Ти си номер {number} на опашката."),
        Phrase.QUEUE_FAR: Toned(
            "Пред Вас чакат повече от {number} души.", "Пред теб чакат повече от {number} души."
        ),
        Phrase.QUEUE_SOON: "Очакваното време е до една минута.",
        Phrase.QUEUE_WAIT: "Очакваното време е около {minutes} минути.",
        Phrase.QUEUE_LEAVE: Toned(
            "Ако не желаете да чакате повече, натиснете 0.", "Ако не искаш да чакаш повече, натисни 0."
        ),
        Phrase.WAITED_LITTLE: "по-малко от минута",
        Phrase.WAITED_MINUTE: "една минута",
        Phrase.WAITED_MINUTES: "{minutes} минути",
        Phrase.QUEUE_CALLBACK: Toned(
            "Натиснете {key}, за да запазите реда си и да Ви се обадим.",
            "Натисни {key}, за да запазиш реда си и да ти се обадим.",
        ),
        Phrase.PLACE_KEPT: Toned(
            "Благодарим. Редът Ви е запазен и ще Ви се обадим, когато дойде. Дочуване.",
            "Благодарим, редът ти е запазен и ще ти се обадим, когато дойде. Чао!",
        ),
        Phrase.CALLS_BACK: "Обратно обаждане за {client}. Обаждате се на {caller}.",
        Phrase.NOT_REACHED: "Търсеният не отговаря.",
        Phrase.AGENT_IN: "Влязохте в системата.",
        Phrase.AGENT_OUT: "Излязохте от системата.",
        Phrase.AGENT_PAUSED: "В почивка сте и не получавате обаждания.",
        Phrase.AGENT_BACK: "Върнахте се и отново получавате обаждания.",
        Phrase.CODE_KEPT: "{tag}. Отбелязано е.",
        Phrase.NO_CODE: "Няма такъв код.",
        Phrase.NO_CALL: "Нямате обаждане, към което да се отбележи.",
        Phrase.MORE_TIME: "Имате още време.",
        Phrase.NO_WRAP_UP: "Нямате обаждане за довършване.",
        Phrase.NO_AGENT: "Този телефон не е на никой агент.",
        Phrase.YOU_LISTEN: "Слушате.",
        Phrase.YOU_WHISPER: "Агентът Ви чува.",
        Phrase.YOU_BARGE: "И двамата Ви чуват.",
        Phrase.NO_TALK: "В момента никой не разговаря. Изчакайте следващия разговор или натиснете диез "
        "за край.",
        Phrase.TALK_OVER: "Разговорът приключи.",
        Phrase.NOT_SUPERVISOR: "Нямате право да слушате това.",
        Phrase.NO_SUCH_AGENT: "Няма агент с този номер.",
        Phrase.PLUS: "плюс",
        Phrase.MAIL_MESSAGE: "Съобщение от {caller} за {to}",
        Phrase.MAIL_CALLBACK: "{caller} моли {to} да се обади",
        Phrase.MAIL_CALLED: "{caller} се обади на {dialled} в {time}.",
        Phrase.MAIL_CALL_BACK: "Обадете се на {number}.",
        Phrase.MAIL_NOT_TO_CALL: "Никой не бива да се обажда на {number}.",
        Phrase.MAIL_SECONDS: "Съобщението от {seconds} секунди е приложено.",
        Phrase.MAIL_LOST: "Записът на съобщението е изгубен.",
        Phrase.WITHHELD: "скрит номер",
        Phrase.OPEN_UNTIL: "Работим до {time}.",
        Phrase.OPEN_UNTIL_DAY: "Работим до {time} {day}.",
        Phrase.OPENS: "В момента не работим. Отваряме отново {day} в {time}.",
        Phrase.CLOSED: "Не работим.",
        Phrase.ALWAYS_OPEN: "Работим.",
        Phrase.DISPOSITION_BLOCKED: "Блокирано",
        Phrase.DISPOSITION_ANSWERED: "Отговорено",
        Phrase.DISPOSITION_DROPPED: "Прекъснато",
        Phrase.DISPOSITION_MESSAGE_LEFT: "Оставено съобщение",
        Phrase.DISPOSITION_CALLBACK_REQUESTED: "Поискано обратно обаждане",
        Phrase.DISPOSITION_TRANSFERRED: "Прехвърлено",
        Phrase.DISPOSITION_ABANDONED: "Затворено от обаждащия се",
        Phrase.DISPOSITION_INFORMED: "Изслушана информация",
        Phrase.DISPOSITION_BUSY: "Заето",
        Phrase.DISPOSITION_NO_ANSWER: "Без отговор",
        Phrase.DISPOSITION_FAILED: "Неуспешно",
        Phrase.DISPOSITION_UNOBSERVED: "Ненаблюдавано",
        Phrase.TAG_CALLBACK: "Обратно обаждане",
        Phrase.TAG_MESSAGE_LEFT: "Оставено съобщение",
        Phrase.TAG_INTERESTED: "Интересува се",
        Phrase.TAG_NOT_INTERESTED: "Не се интересува",
        Phrase.TAG_DEMO_BOOKED: "Уговорена демонстрация",
        Phrase.TAG_APPOINTMENT_MADE: "Уговорен час",
        Phrase.TAG_DEAL_CLOSED: "Сключена сделка",
        Phrase.TAG_FOLLOW_UP_NEEDED: "Да се проследи",
        Phrase.TAG_DO_NOT_CONTACT: "Да не се търси",
        Phrase.TAG_WRONG_NUMBER: "Грешен номер",
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
