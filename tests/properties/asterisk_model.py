"""A model of Asterisk in the core's own words: it carries out commands and answers with events.

One object is one run of Asterisk with one caller in it. Time is virtual and everything is drawn from one
seed, so a seed is a trace. What it may do was measured on Asterisk 22: creates that are refused or get no
reply, answers that cross cancels, hangups with and without a request before them, prompts that fail, dead-man
timers that fire when nobody sets them anew, events told twice or late, and gaps in which events and commands
are lost.

The model keeps the truth (`channels`, `bridge`, `ended_by`), which a router can only learn of by events, or
after a gap by a `sighting`.
"""

import heapq
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from router.core.call import CALLER, Call, Talking
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CallCommand,
    CreateLeg,
    DestroyBridge,
    DestroyLegBridge,
    DialLeg,
    DiscardRecording,
    HangUpLeg,
    IndicateRinging,
    LiftDeadMan,
    OpenBridge,
    Play,
    PlayToLeg,
    Record,
    RemoveChannel,
    ReturnToDialplan,
    SetChannelVariables,
    SetDeadMan,
    StartMusic,
    StopMusic,
    StopPlayback,
    StopRecording,
    StopRinging,
)
from router.core.events import (
    AsteriskLost,
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegLeft,
    LegReady,
    LegReplaced,
    LegRinging,
    LegUnheld,
    PlaybackEnded,
    RecordingEnded,
    TransferAsked,
)
from router.core.reconcile import InPlace, Sighting

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""When the model's time is 0."""

DEAD_MAN = 12.0
SOFT_ARI = 32
SOFT_DEVICE = 1

FATES = (
    ("answers", 0, 0),
    ("answers", 0, 0),
    ("answers at once", 0, 0),
    ("busy", 17, 486),
    ("declines", 21, 603),
    ("redirects", 23, 302),
    ("is not there", 19, 480),
    ("gives up ringing", 19, 480),
    ("is congested", 34, 503),
    ("rings on", 19, 480),
    ("is silent", 18, 408),
)
"""What a phone does when dialled, with the cause and the SIP status that its channel ends with."""

TALK_ENDS = (
    *("caller", "caller", "callee", "callee", "both", "rtp", "session timer", "console", "never"),
    *("blind", "blind", "attended"),
)
"""How a talk ends, or goes on with somebody else."""

IN_PLACE = "in-place-"
"""How the ids of channels begin that Asterisk puts in the place of a leg."""


class Channel:
    """The truth of one channel."""

    def __init__(self) -> None:
        self.state = "Down"
        self.alive = True
        self.ours = True
        """In our application."""
        self.asked = False
        """A hangup request was told of it."""
        self.told_to_end = False
        self.stubborn = False
        """Our hangup of it failed."""
        self.dead_man: float | None = None
        self.id = ""
        """Where it is none that the router made."""


class Asterisk:
    """Asterisk, its phones and its caller, as far as one call sees them."""

    def __init__(self, seed: int, *, calls_us: bool) -> None:
        """`calls_us` is false of a caller who is called back, and has no channel before."""
        self.random = Random(seed)
        self._calls_us = calls_us
        self.now = 0.0
        self.bridge: set[int] | None = None
        self.music = False
        """It plays in the call's bridge."""
        self.caller_was_up = False
        self.ended_by: str | None = None
        """What first ended the talk, or the waiting: `caller`, `callee`, or something that is no party."""
        self.lucky = self.random.random() < 0.5
        """No command fails in this run, and nothing is told twice."""
        self.hangups_work = self.lucky or self.random.random() < 0.9
        self.crashed = False
        self.struck = False
        """A dead man struck."""
        self.sent_away = False
        """The router sent the caller on in the dialplan."""
        self.in_place: InPlace | None = None
        """What is in the bridge in the place of who talked, and is no leg yet."""
        self._channel_in_place = Channel()
        self._replacements = 0
        self.channels: dict[int, Channel] = {}
        self.leg_bridges: set[int] = set()
        """The legs that have a bridge of their own."""
        self._playing: dict[int, int] = {}
        """Playback -> leg that hears it."""
        self.recording: int | None = None
        """What is being recorded."""
        self.recorded: dict[int, float] = {}
        """Recording -> seconds of speech, of those that are kept."""
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._connection = 0
        self._told_until = 0.0
        self._commanded_until = 0.0
        self.tell: Callable[[CallEvent], None] = lambda event: None
        """Where events go."""
        if calls_us:
            self._call()

    def _call(self) -> None:
        self.channels[CALLER] = Channel()
        self.channels[CALLER].state = "Ring"
        self._set_dead_man(CALLER)
        self.later(self._some_time(), self._caller_gives_up)
        if self.random.random() < 0.03:
            self.later(self.random.uniform(0, 30), self._crash)

    # Time

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Have something happen."""
        self._at(self.now + seconds, act)

    def _at(self, moment: float, act: Callable[[], None]) -> None:
        """What is to happen at the same moment happens in the order of its being asked for."""
        self._number += 1
        heapq.heappush(self._agenda, (moment, self._number, act))

    def next(self) -> bool:
        """Let the next thing happen; False if nothing is to come."""
        if not self._agenda:
            return False
        self.now, _, act = heapq.heappop(self._agenda)
        act()
        return True

    def clock(self) -> datetime:
        return T0 + timedelta(seconds=self.now)

    def _some_time(self) -> float:
        """From a moment to minutes; very short times are where the races are."""
        longest = self.random.choice((0.001, 0.05, 0.5, 5.0, 40.0, 150.0))
        return self.random.random() * longest

    def _chance(self, probability: float) -> bool:
        return not self.lucky and self.random.random() < probability

    # The way to the router

    def cut(self) -> None:
        """The connection breaks: what is under way in either direction is lost."""
        self._connection += 1

    def _emit(self, event: CallEvent) -> None:
        """Events of one connection arrive in their order, a moment later; some arrive again."""
        self._told_until = max(self._told_until, self.now + self.random.random() * 0.01)
        self._deliver(self._told_until, event)
        if self._chance(0.05):
            self._deliver(self._told_until + self._some_time(), event)

    def _deliver(self, moment: float, event: CallEvent) -> None:
        connection = self._connection

        def arrive() -> None:
            if connection == self._connection:
                self.tell(event)

        self._at(moment, arrive)

    def command(self, command: CallCommand) -> None:
        """Take a command from the router; it is carried out a moment later, in order."""
        self._in_order(lambda: self._carry_out(command))

    def set_dead_men(self, commands: Mapping[int, SetDeadMan | LiftDeadMan]) -> None:
        """Take what is to become of the dead-man timers of these legs, in order with all commands."""
        self._in_order(lambda: self._set_dead_men(commands))

    def _in_order(self, carry_out: Callable[[], None]) -> None:
        self._commanded_until = max(self._commanded_until, self.now + self.random.random() * 0.01)
        connection = self._connection

        def arrive() -> None:
            if connection == self._connection and not self.crashed:
                carry_out()

        self._at(self._commanded_until, arrive)

    def _fail(self, command: CallCommand, status: int) -> None:
        leg: int = getattr(command, "leg", CALLER)
        failed = CommandFailed(type(command).__name__, leg, status)
        self._deliver(self.now + (self.random.random() * 0.01 if status else 2.0), failed)

    # Commands

    def _carry_out(self, command: CallCommand) -> None:
        number: int = getattr(command, "leg", CALLER)
        channel = self.channels.get(number)
        if isinstance(command, CreateLeg):
            self._create(command)
        elif isinstance(command, DestroyBridge):
            self.bridge = None
            self.music = False
            self._end_recording()
            for playback in self._stop_playing(CALLER):
                self._emit(PlaybackEnded(playback, failed=True))
        elif isinstance(command, DestroyLegBridge):
            self.leg_bridges.discard(command.leg)
            for playback in self._stop_playing(command.leg):
                self._emit(PlaybackEnded(playback, failed=True))
        elif isinstance(command, StopPlayback):
            if self._playing.pop(command.playback, None) is not None:
                self._emit(PlaybackEnded(command.playback))
        elif isinstance(command, StopRecording):
            if self.recording == command.recording:
                self.later(self.random.random() * 0.02, self._end_recording)
            else:
                self._fail(command, 404)
        elif isinstance(command, RemoveChannel):
            if self.in_place is not None and self.in_place.channel == command.channel:
                self.in_place = None
        elif isinstance(command, DiscardRecording):
            self.recorded.pop(command.recording, None)
        elif isinstance(command, StopMusic):
            self._stop_music(command)
        elif isinstance(command, Play | Record | StartMusic) and self.bridge is None:
            self._fail(command, 404)
        elif channel is None or not channel.alive:
            if not isinstance(command, HangUpLeg):
                self._fail(command, 404)
        elif isinstance(command, HangUpLeg):
            self._told_to_hang_up(command, channel)
        elif not channel.ours:
            self._fail(command, 409)
        elif not (isinstance(command, Bridge) and self.bridge) and self._chance(0.03):
            status = self.random.choice((500, 409, 0))
            if not status and self.random.random() < 0.5:
                self._do(command, number, channel)  # done, but the reply is lost
            self._fail(command, status)
        else:
            self._do(command, number, channel)

    def _do(self, command: CallCommand, number: int, channel: Channel) -> None:
        match command:
            case AnswerCaller():
                self.later(self.random.random() * 0.04, lambda: self._up(CALLER))
            case DialLeg(timeout=timeout):
                if channel.state == "Down":
                    self._dial(number, channel, timeout)
                else:
                    self._fail(command, 409)
            case Play(playback):
                self._play(playback, CALLER)
            case PlayToLeg(playback, leg):
                self.leg_bridges.add(leg)
                self._play(playback, leg)
            case Record(recording):
                self._record(recording)
            case StartMusic():
                self.music = True
            case OpenBridge():
                self.bridge = {CALLER} | (self.bridge or set())
            case Bridge():
                self._join(command, number, channel)
            case ReturnToDialplan():
                self.sent_away = True
                self._to_dialplan(CALLER)
            case IndicateRinging() | StopRinging() | SetChannelVariables():
                pass
            case _:
                raise AssertionError(f"no such command: {command}")

    def _stop_music(self, command: StopMusic) -> None:
        """That there is none is no failure."""
        status = self.random.choice((500, 0)) if self._chance(0.03) else None
        if status is None or (status == 0 and self.random.random() < 0.5):
            self.music = False
        if status is not None:
            self._fail(command, status)

    def _create(self, command: CreateLeg) -> None:
        if command.leg in self.channels:
            return  # 409: made before.
        fate = self.random.random()
        if fate < 0.08:
            self._fail(command, 500)
            return
        if not self.lucky and fate < 0.13:
            self._fail(command, 0)
            if fate < 0.10:
                return
        self.channels[command.leg] = Channel()
        self._set_dead_man(command.leg)
        if command.leg == CALLER:
            self.later(60.0 + self._some_time(), self._caller_gives_up)
        self.later(self.random.random() * 0.03, lambda: self._ready(command.leg))

    def _ready(self, number: int) -> None:
        if self.channels[number].alive:
            self._emit(LegReady(number))

    def _dial(self, number: int, channel: Channel, timeout: float) -> None:
        fate, cause, status = self.random.choice(FATES)
        rings_at = self._some_time() / 5
        if fate not in ("is silent", "is not there", "is congested", "answers at once"):
            self.later(rings_at, lambda: self._ring(number))
        if fate.startswith("answers"):
            self.later(rings_at + self._some_time(), lambda: self._up(number))
        elif fate == "is silent":
            self.later(32.0, lambda: self._gives_up(number, cause, status))
        elif fate != "rings on":
            self.later(rings_at + self._some_time(), lambda: self._gives_up(number, cause, status))
        self.later(timeout, lambda: self._gives_up(number, 19, 480))

    def _ring(self, number: int) -> None:
        channel = self.channels[number]
        if channel.alive and channel.state == "Down":
            channel.state = "Ringing"
            self._emit(LegRinging(number))

    def _up(self, number: int) -> None:
        """An answer wins over a hangup that is under way, if it comes before the end."""
        channel = self.channels[number]
        if channel.alive and channel.state != "Up":
            channel.state = "Up"
            self.caller_was_up |= number == CALLER
            self._emit(LegAnswered(number))
            if self._chance(0.05):
                self._deliver(self.now + self._some_time(), LegRinging(number))  # a late 180

    def _gives_up(self, number: int, cause: int, status: int) -> None:
        channel = self.channels[number]
        if channel.alive and channel.state != "Up":
            self._leave(number, cause, status, asked=self.random.random() < 0.7)

    def _play(self, playback: int, leg: int) -> None:
        if playback in self._playing:
            return
        self._playing[playback] = leg
        if self.random.random() < 0.6:
            self.later(self._some_time() / 4, lambda: self._press(leg))
        failed = self.random.random() < 0.05

        def end() -> None:
            if playback in self._playing:
                del self._playing[playback]
                self._emit(PlaybackEnded(playback, failed))

        self.later(0.0 if failed else self._some_time() / 4, end)

    def _press(self, number: int) -> None:
        """Somebody presses a key, maybe in the middle of what they hear."""
        channel = self.channels[number]
        if channel.alive and channel.ours and not channel.asked:
            self._emit(KeyPressed(number, self.random.choice("112235#0")))

    def _record(self, recording: int) -> None:
        """Until the caller is silent, or presses a key of which the router makes that."""
        if self.recording is not None:
            return  # 409: it was told twice.
        self.recording = recording
        if self.random.random() < 0.6:
            self.later(self._some_time() / 4, lambda: self._press(CALLER))

        def end() -> None:
            if self.recording == recording:
                self._end_recording()

        self.later(self._some_time() / 4, end)

    def _end_recording(self) -> None:
        if self.recording is None:
            return
        recording, self.recording = self.recording, None
        failed, seconds = self._chance(0.05), float(round(self._some_time() / 4))
        if not failed:
            self.recorded[recording] = seconds
        for _ in range(2 if self._chance(0.1) else 1):
            self._emit(RecordingEnded(recording, 0.0 if failed else seconds, failed))

    def _join(self, command: Bridge, number: int, channel: Channel) -> None:
        caller = self.channels[CALLER]
        if not (caller.alive and caller.ours):
            self._fail(command, 422)
            return
        assert not (self.music and self.lucky), "nobody talks through music"
        if self.bridge != {CALLER, number}:
            assert self.in_place is None or not self.lucky, "nobody is left between two who talk"
            self.bridge = {CALLER, number}
            self.later(self._some_time() / 4, lambda: self._hold(number))
            self.later(self._some_time(), lambda: self._end_talk(number))

    def _told_to_hang_up(self, command: HangUpLeg, channel: Channel) -> None:
        channel.told_to_end = True
        if not self.hangups_work or self._chance(0.02):
            channel.stubborn = True
            self._fail(command, self.random.choice((500, 0)))
            return

        def end() -> None:
            if channel.alive:
                self._request(command.leg, SOFT_ARI, soft=True)
                self._leave(command.leg, 26 if command.leg else 16, 0)

        self.later(self.random.random() * 0.04, end)

    # Dead men

    def _set_dead_men(self, commands: Mapping[int, SetDeadMan | LiftDeadMan]) -> None:
        """Asterisk does not mind whose channel it is, and whether it is there."""
        status = self.random.choice((500, 0)) if self._chance(0.03) else None
        if status is None or (status == 0 and self.random.random() < 0.5):  # done, but the reply is lost
            for number, command in commands.items():
                channel = self.channels.get(number)
                if isinstance(command, SetDeadMan) and channel:
                    assert channel.ours or not self.sent_away, "who is in the dialplan is left alone"
                    self._set_dead_man(number)
                elif channel:
                    channel.dead_man = None
        if status is not None:
            for command in dict.fromkeys(commands.values()):
                self._fail(command, status)

    def _set_dead_man(self, number: int) -> None:
        channel = self.channels[number]
        deadline = channel.dead_man = self.now + DEAD_MAN

        def fire() -> None:
            if not (channel.alive and channel.ours and channel.dead_man == deadline):
                return
            self.struck = True
            if number == CALLER and self._calls_us:
                self._to_dialplan(CALLER)
            else:
                self._leave(number, 16, 0)

        self.later(DEAD_MAN, fire)

    def _to_dialplan(self, number: int) -> None:
        """The caller goes on in the dialplan, may be answered there, and ends there."""
        channel = self.channels[number]
        channel.ours = False
        self.ended_by = self.ended_by or "dialplan"
        self._stop_playing(CALLER)
        self._out_of_bridge(number)
        self._emit(LegLeft(number))
        if self.random.random() < 0.5:
            self.later(self._some_time(), lambda: self._up(number))
        self.later(self._some_time(), lambda: self._hang_up(number, 16))

    # People

    def _caller_gives_up(self) -> None:
        if self.channels[CALLER].state == "Up":
            self._hang_up(CALLER, 16)
        else:
            self._hang_up(CALLER, 127, 487)

    def _hang_up(self, number: int, cause: int, status: int = 0) -> None:
        """A BYE or a CANCEL."""
        channel = self.channels[number]
        if not channel.alive:
            return
        if channel.ours:
            self.ended_by = self.ended_by or ("caller" if number == CALLER else "callee")
        played = self._stop_playing(CALLER) if number == CALLER else []
        tell_first = self.random.random() < 0.5
        for playback in played if tell_first else []:
            self._emit(PlaybackEnded(playback, failed=True))
        self._request(number, cause)
        for playback in [] if tell_first else played:
            self._emit(PlaybackEnded(playback, failed=True))
        self.later(self.random.random() * 0.02, lambda: self._leave(number, cause, status))

    def _end_talk(self, partner: int) -> None:
        if not self.people_talk(partner):
            return
        party = self.random.choice((CALLER, partner))
        match self.random.choice(TALK_ENDS):
            case "caller":
                self._hang_up(CALLER, 16)
            case "callee":
                self._hang_up(partner, 16)
            case "both":
                self._hang_up(party, 16)
                self._hang_up(partner if party == CALLER else CALLER, 16)
            case "blind":
                self._give_away(partner, to=self.random.choice(("101", "199", "")))
            case "attended":
                self._give_away(partner, to=None)
            case "rtp":
                self.ended_by = self.ended_by or "network"
                self._request(party, SOFT_DEVICE, soft=True)
                self._leave(party, 44, 0)
            case "session timer":
                self.ended_by = self.ended_by or "network"
                self._leave(party, 18, 408)
            case "console":
                self.ended_by = self.ended_by or "console"
                self._request(party, SOFT_ARI, soft=True)
                self._leave(party, 16, 0)
            case _:
                pass

    def _hold(self, partner: int) -> None:
        if self.people_talk(partner):
            party = self.random.choice((CALLER, partner))
            self._emit(LegHeld(party))
            if self.random.random() < 0.5:
                self.later(self._some_time() / 4, lambda: self._emit(LegUnheld(party)))

    def _give_away(self, partner: int, to: str | None) -> None:
        """A channel takes the place of who talks, who leaves; `to` is None where somebody is there."""
        self._replacements += 1
        other = self.in_place = InPlace(f"{IN_PLACE}{self._replacements}", "PJSIP/other", to)
        self._channel_in_place = Channel()
        self._channel_in_place.state = "Up"
        self._channel_in_place.id = other.channel
        self._out_of_bridge(partner)
        if to is None:
            self._emit(LegReplaced(partner, other.channel, other.dial))
        else:
            self._emit(TransferAsked(partner, to, other.channel))
        self.later(self._some_time(), lambda: self._leave(partner, 16, 0, asked=True))
        self.later(self._some_time(), lambda: self._end_in_place(other))

    def _end_in_place(self, other: InPlace) -> None:
        """Nobody has taken it for a leg: it ends by itself."""
        if self.in_place is other:
            self.in_place = None

    def adopted(self, channel: str, number: int) -> None:
        """The router takes what is in the place of a leg for a leg of its own."""
        if any(one.id == channel for one in self.channels.values()):
            return
        self.channels[number] = there = self._channel_in_place
        assert there.id == channel
        if self.in_place is None or self.in_place.channel != channel:
            there.alive = there.ours = False  # It has ended since.
            self._emit(LegLeft(number))
            self._emit(LegEnded(number, 16))
            return
        self.in_place = None
        if self.bridge is not None:
            self.bridge.add(number)
        self.later(self._some_time(), lambda: self._end_talk(number))

    def _request(self, number: int, cause: int, soft: bool = False) -> None:
        channel = self.channels[number]
        if channel.alive and not channel.asked:
            channel.asked = True
            self._emit(HangupRequested(number, cause, soft))

    def _leave(self, number: int, cause: int, status: int, asked: bool = False) -> None:
        """A channel dies: it leaves the application, and is destroyed with its cause."""
        channel = self.channels[number]
        if not channel.alive:
            return
        if number != CALLER:
            for playback in self._stop_playing(number):
                self._emit(PlaybackEnded(playback, failed=True))
        if asked:
            self._request(number, cause)
        channel.alive = False
        self._out_of_bridge(number)
        if number == CALLER:
            self._stop_playing(CALLER)
        if channel.ours:
            channel.ours = False
            self._emit(LegLeft(number))
        self._emit(LegEnded(number, cause, status))

    def _out_of_bridge(self, number: int) -> None:
        if self.bridge is not None:
            self.bridge.discard(number)

    def _stop_playing(self, heard_by: int) -> list[int]:
        played = sorted(playback for playback, leg in self._playing.items() if leg == heard_by)
        for playback in played:
            del self._playing[playback]
        return played

    def _crash(self) -> None:
        """Asterisk dies and comes back as another process."""
        self.cut()
        self.crashed = True
        self.ended_by = self.ended_by or "crash"
        for channel in self.channels.values():
            channel.alive = channel.ours = False
        self.bridge = None
        self.in_place = None
        self.music = False
        self.leg_bridges.clear()
        self._playing.clear()
        self._deliver(self.now + self.random.uniform(0.1, 5), AsteriskLost())

    # What a router may read

    def sighting(self, call: Call) -> Sighting:
        """What the reads after a gap show of the legs that the router knows of."""
        legs: dict[int, str | None] = {}
        for leg in call.legs:
            channel = self.channels.get(leg.number)
            if not leg.gone:
                legs[leg.number] = channel.state if channel and channel.alive else None
        caller = self.channels.get(CALLER)
        return Sighting(
            legs=legs,
            caller_departed=caller is not None and caller.alive and not caller.ours,
            ended_playbacks=frozenset(call.playing) - self._playing.keys(),
            bridged=set(self.bridge or ()) if isinstance(call.state, Talking) else None,
            in_place=self.in_place if isinstance(call.state, Talking) and self.bridge == {CALLER} else None,
            recorded=self._end_of(call.recording),
        )

    def _end_of(self, recording: int | None) -> RecordingEnded | None:
        if recording is None or recording == self.recording:
            return None
        seconds = self.recorded.get(recording)
        return (
            RecordingEnded(recording, failed=True) if seconds is None else RecordingEnded(recording, seconds)
        )

    def remove_strangers(self, known: set[int]) -> None:
        """What the edge does after a gap: hang up the legs that no call knows of."""
        for number, channel in self.channels.items():
            if channel.alive and number not in known:
                channel.told_to_end = True
                self.later(0.02, lambda number=number: self._leave(number, 16, 0))  # type: ignore[misc]  # its default

    def people_talk(self, partner: int) -> bool:
        """True if the caller and this leg are in the bridge, both alive, and nobody has asked to end."""
        parties = (self.channels[CALLER], self.channels[partner])
        return self.bridge == {CALLER, partner} and not any(p.asked or p.told_to_end for p in parties)
