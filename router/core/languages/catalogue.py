"""What a catalogue has: the texts of one language, and how days and times are said in it."""

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter
from typing import Literal

import msgspec

Tone = Literal["formal", "informal"]


class Phrase(StrEnum):
    """The product's own texts. A place in braces stands for what is only known in a call."""

    NOBODY = "nobody"
    """Nobody can take the call now; the last that a caller hears where the rules say nothing else."""
    NO_SUCH_KEY = "no_such_key"
    """The caller pressed a key that leads nowhere; the question follows once more."""
    PRESS_KEY = "press_key"
    """A caller under suspicion is to press `{key}` to show that somebody is there."""
    TAKE_CALL = "take_call"
    """Somebody who answered a phone hears it: a call for `{client}`; 1 takes it, 2 declines."""
    LEAVE_MESSAGE = "leave_message"
    """A message can be left after the tone; # ends it, and 0 leaves without one."""
    NOT_HEARD = "not_heard"
    """Nothing was heard of a message."""
    SEND_MESSAGE = "send_message"
    """1 sends the message, 2 plays it, 3 takes it back to speak again."""
    MESSAGE_LEFT = "message_left"
    """Thanks, and goodbye: the message is left."""
    SPEAK_PROMPT = "speak_prompt"
    """Who records a prompt speaks after the tone; # ends it."""
    KEEP_PROMPT = "keep_prompt"
    """1 keeps what was recorded, 2 plays it, 3 takes it back to speak again."""
    PROMPT_KEPT = "prompt_kept"
    """Goodbye: it is kept."""
    OFFER_CALLBACK = "offer_callback"
    """1 has somebody call back."""
    CALLBACK_TAKEN = "callback_taken"
    """Thanks, and goodbye: somebody will call back."""
    KEY_IN_NUMBER = "key_in_number"
    """The number at which to call back is to be keyed in, and then #."""
    OWN_NUMBER = "own_number"
    """The number keyed in is one of the client's own, where nobody could call back."""
    NO_NUMBER = "no_number"
    """What was keyed in is no number that can be called."""
    NUMBER_IS = "number_is"
    """The number at which somebody will call back; its digits follow,"""
    NUMBER_RIGHT = "number_right"
    """and then: 1 if it is right, 2 for another."""
    FIND_PERSON = "find_person"
    """An extension, or the first letters of a name, is to be keyed in, and then #; 0 goes on without."""
    NOBODY_FOUND = "nobody_found"
    """Nobody goes by what was keyed in; the question follows once more."""
    MANY_FOUND = "many_found"
    """More people go by it than can be told; more letters are to be keyed in."""
    PRESS_FOR = "press_for"
    """`{key}` is to be pressed for somebody, whose name follows."""
    SEARCH_AGAIN = "search_again"
    """`{key}` searches for somebody else."""
    QUEUE_NEXT = "queue_next"
    """The caller is the next who is put through."""
    QUEUE_PLACE = "queue_place"
    """... is number `{number}` in the queue."""
    QUEUE_FAR = "queue_far"
    """... has more than `{number}` callers before them."""
    QUEUE_SOON = "queue_soon"
    """The wait will probably be a minute or less,"""
    QUEUE_WAIT = "queue_wait"
    """or about `{minutes}` minutes, two or more."""
    QUEUE_LEAVE = "queue_leave"
    """0 ends the waiting."""
    WAITED_LITTLE = "waited_little"
    """How long a caller has waited, as said within a text to an agent: less than a minute,"""
    WAITED_MINUTE = "waited_minute"
    """... a minute,"""
    WAITED_MINUTES = "waited_minutes"
    """... `{minutes}` minutes."""
    QUEUE_CALLBACK = "queue_callback"
    """`{key}` keeps the place, and the caller is called back."""
    PLACE_KEPT = "place_kept"
    """Thanks, and goodbye: the place is kept, and the caller is called when it is their turn."""
    CALLS_BACK = "calls_back"
    """Said to an agent: they are about to call `{caller}` back for `{client}`."""
    NOT_REACHED = "not_reached"
    """Said to an agent: whom they were to call back does not answer."""
    AGENT_IN = "agent_in"
    """Said to an agent who keyed it in: you are logged in,"""
    AGENT_OUT = "agent_out"
    """... logged out,"""
    AGENT_PAUSED = "agent_paused"
    """... paused, and get no calls,"""
    AGENT_BACK = "agent_back"
    """... and back."""
    CODE_KEPT = "code_kept"
    """Said to an agent who keyed in a code: `{tag}` is noted of the call,"""
    NO_CODE = "no_code"
    """... there is no such code,"""
    NO_CALL = "no_call"
    """... or no call that it could be of."""
    MORE_TIME = "more_time"
    """... You have more time before the next call,"""
    NO_WRAP_UP = "no_wrap_up"
    """... or no call to wrap up."""
    NO_AGENT = "no_agent"
    """This phone is no agent's."""
    YOU_LISTEN = "you_listen"
    """Said to a supervisor: you hear the talk of the agent whose number follows, and nobody hears you,"""
    YOU_WHISPER = "you_whisper"
    """... the agent hears you,"""
    YOU_BARGE = "you_barge"
    """... the agent and the caller hear you."""
    NO_TALK = "no_talk"
    """There is no talk to hear; whoever waits hears the next, and # ends it."""
    TALK_OVER = "talk_over"
    """The talk has ended."""
    NOT_SUPERVISOR = "not_supervisor"
    """Who keyed it in may not hear that talk."""
    NO_SUCH_AGENT = "no_such_agent"
    """No agent has the number that was keyed in."""
    PLUS = "plus"
    """How the + of a number is said."""
    MAIL_MESSAGE = "mail_message"
    """Subject of a mail with a message from `{caller}` for `{to}`."""
    MAIL_CALLBACK = "mail_callback"
    """Subject of a mail: `{caller}` wants to be called back by `{to}`."""
    MAIL_CALLED = "mail_called"
    """A line of it: the call came from `{caller}` to `{dialled}`, at `{time}` (a date and a time)."""
    MAIL_CALL_BACK = "mail_call_back"
    """... call back at `{number}`."""
    MAIL_NOT_TO_CALL = "mail_not_to_call"
    """... or nobody is to call `{number}`."""
    MAIL_SECONDS = "mail_seconds"
    """... the message, of `{seconds}` seconds, is attached."""
    MAIL_LOST = "mail_lost"
    """... the message could not be fetched, and is lost."""
    WITHHELD = "withheld"
    """Stands for the number of who withholds it."""
    OPEN_UNTIL = "open_until"
    """The client is open, until `{time}` today."""
    OPEN_UNTIL_DAY = "open_until_day"
    """... until `{time}` on `{day}`."""
    OPENS = "opens"
    """The client is closed, and opens on `{day}` at `{time}`."""
    CLOSED = "closed"
    """The client is closed, and nobody knows until when."""
    ALWAYS_OPEN = "always_open"
    """The client is open, and nobody knows until when."""
    DISPOSITION_BLOCKED = "disposition_blocked"
    """Labels of dispositions (record.Disposition), as people read them in lists and reports; all below."""
    DISPOSITION_ANSWERED = "disposition_answered"
    DISPOSITION_DROPPED = "disposition_dropped"
    DISPOSITION_MESSAGE_LEFT = "disposition_message_left"
    DISPOSITION_CALLBACK_REQUESTED = "disposition_callback_requested"
    DISPOSITION_TRANSFERRED = "disposition_transferred"
    DISPOSITION_ABANDONED = "disposition_abandoned"
    DISPOSITION_INFORMED = "disposition_informed"
    DISPOSITION_BUSY = "disposition_busy"
    DISPOSITION_NO_ANSWER = "disposition_no_answer"
    DISPOSITION_FAILED = "disposition_failed"
    DISPOSITION_UNOBSERVED = "disposition_unobserved"
    TAG_CALLBACK = "tag_callback"
    """Labels of the tags that ship (tags.SHIPPED); all below."""
    TAG_MESSAGE_LEFT = "tag_message_left"
    TAG_INTERESTED = "tag_interested"
    TAG_NOT_INTERESTED = "tag_not_interested"
    TAG_DEMO_BOOKED = "tag_demo_booked"
    TAG_APPOINTMENT_MADE = "tag_appointment_made"
    TAG_DEAL_CLOSED = "tag_deal_closed"
    TAG_FOLLOW_UP_NEEDED = "tag_follow_up_needed"
    TAG_DO_NOT_CONTACT = "tag_do_not_contact"
    TAG_WRONG_NUMBER = "tag_wrong_number"


PLACES: Mapping[Phrase, frozenset[str]] = {
    Phrase.PRESS_KEY: frozenset({"key"}),
    Phrase.TAKE_CALL: frozenset({"client"}),
    Phrase.PRESS_FOR: frozenset({"key"}),
    Phrase.QUEUE_PLACE: frozenset({"number"}),
    Phrase.QUEUE_FAR: frozenset({"number"}),
    Phrase.QUEUE_WAIT: frozenset({"minutes"}),
    Phrase.WAITED_MINUTES: frozenset({"minutes"}),
    Phrase.CODE_KEPT: frozenset({"tag"}),
    Phrase.QUEUE_CALLBACK: frozenset({"key"}),
    Phrase.CALLS_BACK: frozenset({"caller", "client"}),
    Phrase.SEARCH_AGAIN: frozenset({"key"}),
    Phrase.MAIL_MESSAGE: frozenset({"caller", "to"}),
    Phrase.MAIL_CALLBACK: frozenset({"caller", "to"}),
    Phrase.MAIL_CALLED: frozenset({"caller", "dialled", "time"}),
    Phrase.MAIL_CALL_BACK: frozenset({"number"}),
    Phrase.MAIL_NOT_TO_CALL: frozenset({"number"}),
    Phrase.MAIL_SECONDS: frozenset({"seconds"}),
    Phrase.OPEN_UNTIL: frozenset({"time"}),
    Phrase.OPEN_UNTIL_DAY: frozenset({"day", "time"}),
    Phrase.OPENS: frozenset({"day", "time"}),
}
"""What stands in braces; of those not named, nothing."""


class Toned(msgspec.Struct, frozen=True):
    """A text that differs by how callers are addressed."""

    formal: str
    informal: str


class Clock(msgspec.Struct, frozen=True):
    """How a time of day is said. Numbers are written as digits: the voice reads them in its language."""

    full: str
    """At a full `{hour}`."""
    minutes: str
    """At an `{hour}` and a `{minute}` of two digits."""
    few_minutes: str
    """At an `{hour}` and a `{minute}` of one digit."""
    halves: tuple[str, str] | None = None
    """What stands for `{half}` before and after noon, where hours are counted to twelve."""

    def say(self, hour: int, minute: int) -> str:
        """The time `hour` (0 to 23) and `minute`."""
        pattern = self.full if not minute else self.few_minutes if minute < 10 else self.minutes
        if self.halves is None:
            return pattern.format(hour=hour, minute=minute)
        return pattern.format(hour=hour % 12 or 12, minute=minute, half=self.halves[hour >= 12])


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """One language."""

    language: str
    """Its code, as in rules."""
    name: str
    """What its speakers call it."""
    texts: Mapping[Phrase, str | Toned]
    weekdays: tuple[str, str, str, str, str, str, str]
    """Monday first, as said after `opens`."""
    months: tuple[str, str, str, str, str, str, str, str, str, str, str, str]
    today: str
    tomorrow: str
    date: str
    """A day further off, of `{weekday}`, `{day}` (a number) and `{month}`."""
    clock: Clock

    def __post_init__(self) -> None:
        """Raises ValueError, naming what is missing or wrong."""
        for phrase in Phrase:
            if phrase not in self.texts:
                raise ValueError(f"{self.language} has no text for {phrase.value}")
            for tone in ("formal", "informal"):
                places = _places(self.text(phrase, tone))
                if places != PLACES.get(phrase, frozenset()):
                    raise ValueError(f"{self.language}, {phrase.value}: {sorted(places)} in braces")

    def text(self, phrase: Phrase, tone: Tone) -> str:
        """A text in one of the two tones."""
        text = self.texts[phrase]
        if isinstance(text, str):
            return text
        return text.formal if tone == "formal" else text.informal


def _places(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)
