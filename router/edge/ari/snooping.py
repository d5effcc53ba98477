"""Between supervision's words (core/supervision.py) and Asterisk's: who comes in, ids, requests. Pure.

Ids are made of the supervision's: `ID-v` is the supervisor's bridge, `ID-v1` its first playback, `ID-s1` its
first snoop channel. They are no ids of calls (wire.py), so no call is ever taken for one, nor one for a call.

A snoop is put on the agent's channel. What Asterisk calls `out` there is what the agent hears, and `in` what
the agent says, so what is whispered `in` is heard by the caller. While there is a snoop, Asterisk passes the
talk's sound on itself (`simple_bridge` in the place of `native_rtp`), and goes back after it; nothing is lost
at either moment. A whisper is mixed into what goes through the channel: an agent to whom the caller's side
sends no packets at all hears none. A snoop that is ended is there until the next sound goes through the
agent's channel, or a silent talk ends; it hears nothing any more. (All of it: 22.10.1.)
"""

import re
from collections.abc import Sequence
from typing import assert_never

from router.core.supervision import (
    Close,
    EndSnoop,
    HangUp,
    Join,
    Mode,
    Open,
    Play,
    Snoop,
    StartMusic,
    StopMusic,
    StopPlayback,
)
from router.core.supervisors import Wish
from router.edge.ari.wire import Outbound, Request

SUPERVISE = "supervise"
"""The first argument with which the dialplan hands over a supervisor's phone; the mode follows, and the
digits keyed in."""

SNOOP = "snoop"
"""The argument with which a snoop of ours enters the application."""

WireCommand = Open | Play | StopPlayback | StartMusic | StopMusic | Snoop | Join | EndSnoop | HangUp | Close
"""The commands that become ARI requests."""

_WHISPERED = {Mode.LISTEN: "none", Mode.WHISPER: "out", Mode.BARGE: "both"}
_OUR_ID = re.compile(r"([a-z2-7]{13})-(?:s([0-9]+)|v([0-9]*))")
_DIGITS = re.compile(r"[0-9]*")


def read_wish(args: Sequence[str]) -> Wish | None:
    """What a phone wants that entered the application by `args`; None if it does not want to supervise."""
    kind, mode, digits = (*args, "", "", "")[:3]
    if len(args) > 3 or kind != SUPERVISE or mode not in set(Mode) or not _DIGITS.fullmatch(digits):
        return None
    return Wish(Mode(mode), digits)


def supervision_of(id: str) -> str | None:
    """The supervision that an id of a snoop, a bridge or a playback names; None for one that is none of
    these."""
    match = _OUR_ID.fullmatch(id)
    return match[1] if match else None


def snoop_of(id: str) -> int | None:
    """The number of a snoop, by its channel's id."""
    match = _OUR_ID.fullmatch(id)
    return int(match[2]) if match and match[2] else None


def playback_of(id: str) -> int | None:
    """The number of a playback."""
    match = _OUR_ID.fullmatch(id)
    return int(match[3]) if match and match[3] else None


def snoop_id(supervision: str, snoop: int) -> str:
    """Asterisk's id of a snoop."""
    return f"{supervision}-s{snoop}"


def bridge_id(supervision: str) -> str:
    """Asterisk's id of a supervisor's bridge."""
    return f"{supervision}-v"


def write(supervision: str, channel: str, command: WireCommand, outbound: Outbound) -> tuple[Request, ...]:
    """The ARI requests that carry out a command, in order; `channel` is the supervisor's."""
    bridge = f"bridges/{bridge_id(supervision)}"
    match command:
        case Open():
            # Keys are for us, and nothing that those who talk should hear.
            joined = {"channel": channel, "absorbDTMF": "true", "inhibitConnectedLineUpdates": "true"}
            made = {"type": "mixing", "bridgeId": bridge_id(supervision)}
            return (
                Request("POST", f"channels/{channel}/answer"),
                Request("POST", "bridges", made, done=(409,)),
                Request("POST", f"{bridge}/addChannel", joined),
            )
        case Play(playback, prompts):
            media = ",".join(map(outbound.media, prompts))
            return (
                Request(
                    "POST", f"{bridge}/play", {"media": media, "playbackId": f"{supervision}-v{playback}"}
                ),
            )
        case StopPlayback(playback):
            return (Request("DELETE", f"playbacks/{supervision}-v{playback}", done=(404,)),)
        case StartMusic():
            return (Request("POST", f"{bridge}/moh"),)
        case StopMusic():
            return (Request("DELETE", f"{bridge}/moh", done=(404, 409)),)
        case Snoop(snoop, spied, mode):
            path = f"channels/{spied}/snoop/{snoop_id(supervision, snoop)}"
            query = {"spy": "both", "whisper": _WHISPERED[mode], "app": outbound.app, "appArgs": SNOOP}
            return (Request("POST", path, query),)
        case Join(snoop):
            query = {"channel": snoop_id(supervision, snoop), "inhibitConnectedLineUpdates": "true"}
            return (Request("POST", f"{bridge}/addChannel", query),)
        case EndSnoop(snoop):
            # Out of the bridge first: a hangup takes its time, and what is said next is for the supervisor.
            id = snoop_id(supervision, snoop)
            return (
                Request("POST", f"{bridge}/removeChannel", {"channel": id}, done=(400, 404, 409, 422)),
                Request("DELETE", f"channels/{id}", done=(404,)),
            )
        case HangUp():
            return (Request("DELETE", f"channels/{channel}", {"reason_code": "16"}, done=(404,)),)
        case Close():
            return (Request("DELETE", bridge, done=(404,)),)
        case _:
            assert_never(command)
