"""The line that every call has in the log."""

import asyncio

import pytest
from structlog.testing import capture_logs

from router.edge import calllog
from router.edge.calllog import CallLog
from tests.edge.stories import a_call, talked


async def test_lines_wait_for_others_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calllog, "TOGETHER", 0.05)
    with capture_logs() as logs:
        log = CallLog()
        for ids in (("c1", "c2"), ("c3",)):
            for id in ids:
                log.ended(talked(a_call(id)))
            assert [one["call_id"] for one in logs if one["call_id"] in ids] == []
            await asyncio.sleep(0.2)
            assert [one["call_id"] for one in logs if one["call_id"] in ids] == list(ids)
    assert logs[0] == {
        "event": "call ended",
        "log_level": "info",
        "call_id": "c1",
        "client": "fjord",
        "route": "main",
        "caller": "+4790000001",
        "dialled": "+4722334455",
        "disposition": "answered",
        "reason": "",
        "hung_up_by": "caller",
        "ended_at": "2026-11-22T10:01:11.123456+00:00",
        "wait_seconds": 6.0,
        "talk_seconds": 65.0,
    }
