"""models.py is what the stored api-docs give, and it reads what Asterisk writes."""

import json
import urllib.request
from pathlib import Path

import msgspec
import pytest

from router.edge.ari import generate, models
from tests.edge.ari_server import STAMP, event

RECORDING = {"name": "r", "format": "wav", "target_uri": "channel:c", "state": "done", "duration": 3}
PLAYBACK = {"id": "p", "media_uri": "sound:x", "target_uri": "channel:c", "state": "done", "language": "en"}
REST = {
    "request_id": "7",
    "transaction_id": "",
    "uri": "x",
    "status_code": 204,
    "reason_phrase": "No Content",
}

FRAMES = {
    "a call arrives": (event("StasisStart", args=["a", "b"]), "args", ("a", "b")),
    "it leaves": (event("StasisEnd"), "timestamp", STAMP),
    "it is answered": (event("ChannelStateChange"), "timestamp", STAMP),
    "a hangup without a cause": (event("ChannelHangupRequest"), "cause", None),
    "a soft hangup": (event("ChannelHangupRequest", soft=True, cause=32), "soft", True),
    "it is gone": (
        event("ChannelDestroyed", cause=16, cause_txt="Normal", tech_cause=487),
        "tech_cause",
        487,
    ),
    "a digit": (event("ChannelDtmfReceived", digit="#", duration_ms=90), "digit", "#"),
    "a prompt ends": (
        {"type": "PlaybackFinished", "timestamp": STAMP, "playback": PLAYBACK},
        "timestamp",
        STAMP,
    ),
    "a recording": (
        {"type": "RecordingFinished", "timestamp": STAMP, "recording": RECORDING},
        "timestamp",
        STAMP,
    ),
    "no recording": (
        {"type": "RecordingFailed", "timestamp": STAMP, "recording": RECORDING},
        "timestamp",
        STAMP,
    ),
    "another router": ({"type": "ApplicationReplaced", "timestamp": STAMP}, "timestamp", STAMP),
    "a reply": ({"type": "RESTResponse", **REST}, "status_code", 204),
    "a field of a later Asterisk": (event("StasisEnd", colour="red"), "timestamp", STAMP),
}


@pytest.mark.parametrize("row", FRAMES)
def test_frames_as_asterisk_writes_them_are_read(row: str) -> None:
    frame, name, value = FRAMES[row]
    read = msgspec.json.decode(json.dumps(frame), type=models.Frame)
    assert type(read).__name__ == frame["type"]
    assert getattr(read, name) == value


def test_every_used_event_is_in_the_union() -> None:
    assert {kind.__name__ for kind in models.Event.__args__} == set(generate.USED_EVENTS)


def test_what_is_left_out_exists_in_the_api_docs() -> None:
    every = {
        name: model for document in generate.stored().values() for name, model in document["models"].items()
    }
    inherited = {"RESTResponse": {"timestamp"}}
    for name, unwanted in generate.LEFT_OUT.items():
        assert unwanted - inherited.get(name, set()) <= set(every[name]["properties"]), name


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The generator writes into a directory of the test's own."""
    monkeypatch.setattr(generate, "OUTPUT", tmp_path / "models.py")
    return tmp_path


def test_the_stored_models_are_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


def test_check_tells_what_to_do_when_they_are_not(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "models.py").write_text("# old\n")
    assert generate.main(["--check"]) == 1
    assert "run python -m router.edge.ari.generate" in capsys.readouterr().err
    assert (elsewhere / "models.py").read_text() == "# old\n"


def test_without_options_it_writes_the_models(elsewhere: Path) -> None:
    assert generate.main([]) == 0
    assert "class StasisStart(" in (elsewhere / "models.py").read_text()


@pytest.mark.parametrize("as_url", [False, True], ids=["from a directory", "from a running Asterisk"])
def test_from_refreshes_the_stored_documents(
    as_url: bool, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, copy = elsewhere / "source", elsewhere / "copy"
    source.mkdir()
    copy.mkdir()
    for name, document in generate.stored().items():
        (source / f"{name}.json").write_text(json.dumps(document | {"basePath": "http://elsewhere/ari"}))
    monkeypatch.setattr(generate, "API_DOCS", copy)
    where = str(source)
    if as_url:
        monkeypatch.setattr(
            urllib.request,
            "urlopen",
            lambda asked, timeout: (source / asked.selector[1:]).open("rb"),
        )
        where = "http://asterisk/"
    assert generate.main(["--from", where]) == 0
    assert sorted(path.stem for path in copy.iterdir()) == sorted(generate.DOCUMENTS)
    assert "basePath" not in (copy / "events.json").read_text()
    assert generate.main(["--check"]) == 0
