"""A tag by the API that makes a follow-up due: the router hears of it."""

from pathlib import Path

from router.core.dialling import Dialling
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge.store.donotcontact import DoNotContacts
from tests.edge.api_server import FJORD, ApiServer
from tests.edge.stories import PLAN, TEN, TRACE, a_call, abandoned, eventually

SPARES = """\
follow_ups: [{name: leave alone, when: {tag: interested}, do: {do_not_contact: 90d}}]
"""


def test_what_a_tag_makes_due_is_minded_at_once(tmp_path: Path) -> None:
    server = ApiServer(tmp_path)
    rules = compile_rules({"fjord.yaml": FJORD + SPARES}, Dialling())
    assert isinstance(rules, RuleSet), rules
    server.rules = rules
    server.writer.arrived(a_call("aa1"), PLAN, TRACE)
    server.writer.ended(abandoned(a_call("aa1")))
    server.start()
    try:
        eventually(lambda: server.writer.queued == 0)
        before = server.verdicts_read
        tagged = server.ask("/calls/aa1/tags", "boss", method="POST", body={"tag": "interested"})
        assert (tagged.status, server.verdicts_read) == (200, before + 1)
        entries = DoNotContacts(server.url)
        assert [one.call_id for one in entries.standing(TEN)] == ["aa1"]
        entries.close()
        gone = server.ask("/calls/aa1/tags/interested", "boss", method="DELETE")
        assert (gone.status, server.verdicts_read) == (200, before + 1), "nothing is due by that"
    finally:
        server.stop()
