"""Feature codes among what is written down as calls.

A phone that dials a feature code hears what came of it, and that is carried out and written down as a call
is. But nobody called anybody: no report counts it, no metric of calls, and no other system is told of it as
of a call.
"""

from router.core.record import CallInfo

ROUTE = "agent "
"""How the route begins by which a feature code is written down."""


def route_of(said: str) -> str:
    """`agent in`, `agent code kept`, by what who keyed it in is told (a Phrase)."""
    return ROUTE + said.removeprefix("agent_").replace("_", " ")


def is_feature_code(info: CallInfo) -> bool:
    """Whether a phone keyed in a feature code, and nobody called.

    A client may have a route of such a name, too; but whoever meets one has dialled a number of the client's,
    which is in E.164 here, as no feature code is. A call to a number that nobody has meets no route.
    """
    return info.route is not None and info.route.startswith(ROUTE) and not info.dialled.startswith("+")
