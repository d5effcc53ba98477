"""A caller in a queue of Asterisk's own, told of by two lines that keep their own order and no common one.

What really happens is drawn; ARI and AMI tell of it, mixed at random, some of AMI's words are lost, and the
router may die and be replaced by one that knows the journal. Whatever comes: one record, and a true one. What
may have been missed is `unobserved` at worst, and never something else.
"""

from datetime import datetime, timedelta
from random import Random

import pytest

from router.core import machine
from router.core.call import CALLER, Over
from router.core.commands import AskIfFollowed, CallCommand, FindTransfer, Finish, HangUpLeg
from router.core.events import (
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentHungUp,
    AsteriskAgentLeft,
    AsteriskAgentMissed,
    AsteriskQueueAbandoned,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    AsteriskQueueLed,
    AsteriskQueueLeft,
    AsteriskQueueReturned,
    CallEvent,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    RouterReturned,
    TimerFired,
    TransferLed,
)
from router.core.plan import AsteriskQueue, HangUp
from router.core.record import CallRecord, Disposition, Party
from router.core.steps import asteriskqueue
from tests.unit.story import ARRIVAL, INFO, plan

HISTORIES = 2000
"""Of each kind."""

PLAN = plan(AsteriskQueue("desk", 60.0))
KARI, OLA = ("Kari", "PJSIP/160"), ("Ola", "PJSIP/161")
BYE, PBX_ENDS = HangupRequested(CALLER, 16), HangupRequested(CALLER, 16, soft=True)
GONE = LegEnded(CALLER, 16)

Told = tuple[list[CallEvent], list[CallEvent]]
"""What ARI tells, and what AMI does."""
TRUTHS: dict[str, tuple[Told, Disposition, Party | None]] = {
    "abandoned": (
        ([BYE, PBX_ENDS, GONE], [AsteriskQueueAbandoned(), AsteriskQueueLeft()]),
        Disposition.ABANDONED,
        Party.CALLER,
    ),
    "ended by the agent": (
        (
            [AsteriskAgentHungUp(), PBX_ENDS, GONE],
            [
                AsteriskAgentCalled(*KARI),
                AsteriskQueueLeft(),
                AsteriskAgentConnected(*KARI),
                AsteriskAgentLeft("agent", "Kari", 1.0),
            ],
        ),
        Disposition.ANSWERED,
        Party.CALLEE,
    ),
    "ended by the caller": (
        (
            [BYE, PBX_ENDS, GONE],
            [
                AsteriskAgentCalled(*KARI),
                AsteriskQueueLeft(),
                AsteriskAgentConnected(*KARI),
                AsteriskAgentLeft("caller", "Kari", 1.0),
            ],
        ),
        Disposition.ANSWERED,
        Party.CALLER,
    ),
    "led elsewhere by a key": (
        ([BYE, PBX_ENDS, GONE], [AsteriskQueueLeft()]),
        Disposition.TRANSFERRED,
        Party.CALLER,
    ),
    "led to a number of ours by a key": (
        ([AsteriskQueueLed("+4722334450")], [AsteriskQueueLeft()]),
        Disposition.NO_ANSWER,
        Party.ROUTER,
    ),
    "too long": (
        ([AsteriskQueueReturned(0, "timeout")], [AsteriskQueueAbandoned(), AsteriskQueueLeft()]),
        Disposition.NO_ANSWER,
        Party.ROUTER,
    ),
}


class History:
    """One visit, told at random."""

    def __init__(self, truth: Told, seed: int, *, loses: bool, dies: bool) -> None:
        self.random = Random(seed)
        ari, ami = truth
        tried = (AsteriskAgentCalled(*OLA), AsteriskAgentMissed(*OLA))
        self.ari: list[CallEvent] = [LegLeft(CALLER), LegAnswered(CALLER), *ari]
        self.ami: list[CallEvent] = [AsteriskQueueJoined(), *tried * self.random.randrange(3), *ami]
        self.lost = 0
        if loses:
            first = self.random.randrange(len(self.ami))
            self.lost = self.random.randint(1, len(self.ami) - first)
            del self.ami[first : first + self.lost]
        self.dies = dies
        self.asked = False
        self.records: list[CallRecord] = []
        self.journal: list[tuple[CallEvent, datetime]] = []
        self.now = ARRIVAL
        self.call, _ = machine.begin(INFO, PLAN, ARRIVAL)

    def live(self) -> CallRecord:
        """Until all is told."""
        while event := self._next():
            self.now += timedelta(seconds=self.random.random())
            self.journal.append((event, self.now))
            self.call, commands = machine.step(self.call, event, self.now)
            self._obey(commands)
            if self.dies and self.random.random() < 0.2:
                self._die()
        assert isinstance(self.call.state, Over)
        [record] = self.records
        return record

    def _next(self) -> CallEvent | None:
        lines = [line for line in (self.ari, self.ami) if line]
        if lines:
            return self.random.choice(lines).pop(0)
        if self.asked:  # Of all that AMI told it is the last.
            self.asked = False
            return AsteriskQueueFollowed(not self.lost) if self.random.random() < 0.9 else self._time_is_up()
        return None

    def _time_is_up(self) -> CallEvent:
        self.lost += 1
        return TimerFired(asteriskqueue.TIMER)

    def _obey(self, commands: tuple[CallCommand, ...]) -> None:
        for command in commands:
            if isinstance(command, AskIfFollowed):
                self.asked = True
            elif isinstance(command, FindTransfer):
                self.ari.insert(0, TransferLed(command.to, plan(HangUp())))
            elif isinstance(command, HangUpLeg):
                self.ari += [HangupRequested(CALLER, 32, soft=True), LegLeft(CALLER), GONE]
            elif isinstance(command, Finish):
                self.records.append(command.record)

    def _die(self) -> None:
        """The successor replays the journal; nothing was missed but what AMI told meanwhile."""
        self.dies = False
        call, commands = machine.begin(INFO, PLAN, ARRIVAL)
        for event, at in self.journal:
            call, commands = machine.step(call, event, at)
        assert call == self.call, "the journal alone makes the same call"
        self.journal.append((RouterReturned(), self.now))
        self.call, commands = machine.step(call, RouterReturned(), self.now)
        self._obey(commands)


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
@pytest.mark.parametrize("loses", [False, True], ids=["all is told", "some is lost"])
@pytest.mark.parametrize(("truth", "disposition", "party"), TRUTHS.values(), ids=TRUTHS)
def test_one_true_record(
    truth: Told, disposition: Disposition, party: Party | None, loses: bool, dies: bool
) -> None:
    for seed in range(HISTORIES):
        history = History(truth, seed, loses=loses, dies=dies)
        record = history.live()
        told = (record.disposition, record.hung_up_by)
        if not history.lost:
            assert told == (disposition, party), f"seed {seed}"
            continue
        assert record.disposition in (disposition, Disposition.UNOBSERVED), f"seed {seed}"
        assert record.hung_up_by in (party, None), f"seed {seed}"
        if record.answered_by:
            assert record.answered_by == "Kari"
