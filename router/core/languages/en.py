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
        Phrase.LEAVE_MESSAGE: Toned(
            "Please leave a message after the tone, and press hash when you have finished. To go on without "
            "one, press 0.",
            "Leave a message after the tone, and press hash when you are done. To go on without, press 0.",
        ),
        Phrase.NOT_HEARD: Toned("I am sorry, I did not hear a message.", "I did not hear anything."),
        Phrase.SEND_MESSAGE: Toned(
            "To send your message, please press 1. To hear it, press 2. To record it again, press 3.",
            "To send it, press 1. To hear it, 2. To record it again, 3.",
        ),
        Phrase.MESSAGE_LEFT: Toned(
            "Thank you. Your message has been left. Goodbye.", "Thanks, we have your message. Bye!"
        ),
        Phrase.SPEAK_PROMPT: "Speak after the tone, and press hash when you are done.",
        Phrase.KEEP_PROMPT: "To keep it, press 1. To hear it, 2. To record it again, 3.",
        Phrase.PROMPT_KEPT: "It is kept. Goodbye.",
        Phrase.OFFER_CALLBACK: Toned(
            "If you would like us to call you back, please press 1.", "Press 1, and we will call you back."
        ),
        Phrase.CALLBACK_TAKEN: Toned(
            "Thank you. We will call you back. Goodbye.", "Thanks, we will call you back. Bye!"
        ),
        Phrase.KEY_IN_NUMBER: Toned(
            "Please key in the number at which we can call you back, and then press hash.",
            "Key in the number where we can reach you, then press hash.",
        ),
        Phrase.OWN_NUMBER: "That is one of our own numbers, where we could not call you back.",
        Phrase.NO_NUMBER: Toned("I am sorry, we cannot call that number.", "We cannot call that number."),
        Phrase.NUMBER_IS: "We will call you back at",
        Phrase.NUMBER_RIGHT: Toned(
            "If that is right, please press 1. For another number, press 2.",
            "If that is right, press 1. For another number, 2.",
        ),
        Phrase.FIND_PERSON: Toned(
            "Please key in the extension, or the first letters of the name, and then press hash. To go on "
            "without, key in 0.",
            "Key in the extension, or the first letters of the name, then hash. To go on without, key in 0.",
        ),
        Phrase.NOBODY_FOUND: Toned("I am sorry, nobody was found.", "Nobody was found."),
        Phrase.MANY_FOUND: Toned(
            "Many people have such a name. Please key in more letters.",
            "Many have that name. Key in more letters.",
        ),
        Phrase.PRESS_FOR: Toned("Please press {key} for", "Press {key} for"),
        Phrase.SEARCH_AGAIN: Toned("To search again, please press {key}.", "To search again, press {key}."),
        Phrase.QUEUE_NEXT: "You are next in line.",
        Phrase.QUEUE_PLACE: "You are number {number} in line.",
        Phrase.QUEUE_FAR: "More than {number} callers are in line before you.",
        Phrase.QUEUE_SOON: "You will probably wait for a minute or less.",
        Phrase.QUEUE_WAIT: "You will probably wait for about {minutes} minutes.",
        Phrase.QUEUE_LEAVE: Toned(
            "If you do not want to wait any longer, please press 0.", "To stop waiting, press 0."
        ),
        Phrase.WAITED_LITTLE: "less than a minute",
        Phrase.WAITED_MINUTE: "a minute",
        Phrase.WAITED_MINUTES: "{minutes} minutes",
        Phrase.QUEUE_CALLBACK: "Press {key} to keep your place and be called back.",
        Phrase.PLACE_KEPT: Toned(
            "Thank you. You keep your place, and we will call you when it is your turn. Goodbye.",
            "Thanks, you keep your place, and we'll call you when it's your turn. Bye!",
        ),
        Phrase.CALLS_BACK: "A callback for {client}. You are calling {caller}.",
        Phrase.NOT_REACHED: "The caller does not answer.",
        Phrase.AGENT_IN: "You are logged in.",
        Phrase.AGENT_OUT: "You are logged out.",
        Phrase.AGENT_PAUSED: "You are paused, and get no calls.",
        Phrase.AGENT_BACK: "You are back, and get calls again.",
        Phrase.CODE_KEPT: "{tag}. It is noted.",
        Phrase.NO_CODE: "There is no such code.",
        Phrase.NO_CALL: "You have had no call to note that of.",
        Phrase.MORE_TIME: "You have more time.",
        Phrase.NO_WRAP_UP: "You are not wrapping up a call.",
        Phrase.NO_AGENT: "This phone belongs to no agent.",
        Phrase.YOU_LISTEN: "You are listening.",
        Phrase.YOU_WHISPER: "The agent hears you.",
        Phrase.YOU_BARGE: "Both hear you.",
        Phrase.NO_TALK: "Nobody is talking now. Please wait for the next call, or press hash to end.",
        Phrase.TALK_OVER: "That call has ended.",
        Phrase.NOT_SUPERVISOR: "You may not listen to that.",
        Phrase.NO_SUCH_AGENT: "No agent has that number.",
        Phrase.PLUS: "plus",
        Phrase.MAIL_MESSAGE: "Message from {caller} for {to}",
        Phrase.MAIL_CALLBACK: "{caller} asks {to} to call back",
        Phrase.MAIL_CALLED: "{caller} called {dialled} at {time}.",
        Phrase.MAIL_CALL_BACK: "Call back at {number}.",
        Phrase.MAIL_SECONDS: "The message, of {seconds} seconds, is attached.",
        Phrase.MAIL_LOST: "The recording of the message is lost.",
        Phrase.WITHHELD: "a withheld number",
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
