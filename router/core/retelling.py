"""What Asterisk is told again after a gap, which may have swallowed it. Told twice, it does no harm."""

from router.core import deadman
from router.core.call import Call, Commands, LegState
from router.core.commands import AnswerCaller, HangUpLeg, OpenBridge, SetChannelVariables
from router.core.plan import SetVariables
from router.core.steps import say


def told_again(call: Call) -> Commands:
    """Our answer, the bridge that prompts need, music, the end of legs that were given up and may ring on,
    and variables."""
    calls_us = call.plan.returns is None  # Who is called back answers, and not we.
    unanswered = call.answering and calls_us and call.caller.state is not LegState.UP
    answer = (AnswerCaller(),) if unanswered else ()
    bridge = (OpenBridge(),) if call.bridged and isinstance(call.state, deadman.WAITING) else ()
    given_up = (HangUpLeg(leg.number, leg.intent) for leg in call.legs if leg.intent and not leg.gone)
    steps = (call.plan.nodes[at].step for at in call.met)
    variables = (SetChannelVariables(one.variables) for one in steps if isinstance(one, SetVariables))
    return (*answer, *bridge, *say.music_again(call), *given_up, *variables)
