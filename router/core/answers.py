"""What a call asks the rules in the middle of it, and what they answer at once.

It is the rules in use that answer, whichever the call arrived by: a number, people and how queues stand are
asked for because they matter at this moment.
"""

from typing import assert_never

from router.core.call import Call
from router.core.commands import ChoosePerson, FindPeople, FindTransfer, ReadNumber
from router.core.events import NumberRead, PeopleFound, PersonChosen, TransferLed
from router.core.finding import choose_person, find_people
from router.core.plan import Queue
from router.core.returning import dialled_by_us, read_number
from router.core.transferring import Ways, find_transfer

Asked = ReadNumber | FindPeople | ChoosePerson | FindTransfer

Answer = NumberRead | PeopleFound | PersonChosen | TransferLed


def answer(call: Call, asked: Asked, ways: Ways) -> Answer:
    """What the call is told next."""
    client = call.info.client
    match asked:
        case ReadNumber(text):
            read = read_number(text, client, ways.rules)
            if not isinstance(call.step, Queue):
                return read
            return dialled_by_us(read, client, ways.rules, ways.spared, ways.now)
        case FindPeople(keys):
            return find_people(keys, client, ways.rules)
        case ChoosePerson(person):
            return choose_person(person, client, ways.rules, ways.now, ways.turn, ways.language)
        case FindTransfer():
            return find_transfer(call, asked, ways)
        case _:
            assert_never(asked)
