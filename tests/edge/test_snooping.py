"""Supervision's words against Asterisk's."""

import pytest

from router.core.plan import Say, Speak
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
from router.edge.ari import snooping, wire
from router.edge.ari.wire import Outbound

ID = "abcdefgh23456"
ALONE = "inhibitConnectedLineUpdates=true"
COMMANDS: list[tuple[str, snooping.WireCommand, list[str]]] = [
    (
        "open",
        Open(),
        [
            "POST channels/1.5/answer",
            f"POST bridges type=mixing bridgeId={ID}-v done=409",
            f"POST bridges/{ID}-v/addChannel channel=1.5 absorbDTMF=true {ALONE}",
        ],
    ),
    (
        "play",
        Play(2, (Speak("a", "nb"), Speak("b", "nb"))),
        [f"POST bridges/{ID}-v/play media=sound:x/a,sound:x/b playbackId={ID}-v2"],
    ),
    ("stop", StopPlayback(2), [f"DELETE playbacks/{ID}-v2 done=404"]),
    ("music", StartMusic(), [f"POST bridges/{ID}-v/moh"]),
    ("its end", StopMusic(), [f"DELETE bridges/{ID}-v/moh done=404 done=409"]),
    *(
        (
            mode.value,
            Snoop(3, "c-l1", mode),
            [f"POST channels/c-l1/snoop/{ID}-s3 spy=both whisper={whispered} app=callrouter appArgs=snoop"],
        )
        for mode, whispered in ((Mode.LISTEN, "none"), (Mode.WHISPER, "out"), (Mode.BARGE, "both"))
    ),
    ("join", Join(3), [f"POST bridges/{ID}-v/addChannel channel={ID}-s3 {ALONE}"]),
    (
        "end a snoop",
        EndSnoop(3),
        [
            f"POST bridges/{ID}-v/removeChannel channel={ID}-s3 done=400 done=404 done=409 done=422",
            f"DELETE channels/{ID}-s3 done=404",
        ],
    ),
    ("hang up", HangUp(), ["DELETE channels/1.5 reason_code=16 done=404"]),
    ("close", Close(), [f"DELETE bridges/{ID}-v done=404"]),
]


def shown(request: wire.Request) -> str:
    query = [f"{name}={value}" for name, value in request.query.items()]
    done = [f"done={status}" for status in request.done]
    return " ".join([f"{request.method} {request.path}", *query, *done])


@pytest.mark.parametrize(
    ("command", "requests"), [row[1:] for row in COMMANDS], ids=[row[0] for row in COMMANDS]
)
def test_commands_as_requests(command: snooping.WireCommand, requests: list[str]) -> None:
    outbound = Outbound(media=lambda one: one.media if isinstance(one, Say) else f"sound:x/{one.text}")
    assert [shown(request) for request in snooping.write(ID, "1.5", command, outbound)] == requests


WISHES: list[tuple[str, tuple[str, ...], Wish | None]] = [
    ("one agent's", ("supervise", "whisper", "101"), Wish(Mode.WHISPER, "101")),
    ("anybody's", ("supervise", "listen", ""), Wish(Mode.LISTEN, "")),
    ("anybody's, without a comma", ("supervise", "barge"), Wish(Mode.BARGE, "")),
    ("no mode", ("supervise", "shout", "101"), None),
    ("no digits", ("supervise", "listen", "10a"), None),
    ("too much", ("supervise", "listen", "101", "x"), None),
    ("a caller", ("in", "listen", "101"), None),
    ("nothing", (), None),
]


@pytest.mark.parametrize(("args", "wish"), [row[1:] for row in WISHES], ids=[row[0] for row in WISHES])
def test_what_a_phone_wants(args: tuple[str, ...], wish: Wish | None) -> None:
    assert snooping.read_wish(args) == wish


def test_ids_are_no_calls_and_calls_are_none_of_these() -> None:
    bridge, snoop, playback = snooping.bridge_id(ID), snooping.snoop_id(ID, 3), f"{ID}-v2"
    assert [snooping.supervision_of(one) for one in (bridge, snoop, playback)] == [ID] * 3
    assert [wire.read_id(one) for one in (bridge, snoop, playback)] == [None] * 3
    assert [snooping.supervision_of(f"{ID}-{end}") for end in ("l1", "b", "b1", "p1", "r1")] == [None] * 5
    assert [snooping.snoop_of(one) for one in (bridge, snoop, playback, "1.5")] == [None, 3, None, None]
    assert [snooping.playback_of(one) for one in (bridge, snoop, playback, "1.5")] == [None, None, 2, None]
