"""The language in which a caller is spoken to, where it is another than the client's.

The client's own texts stand in the rules in one language, and everybody hears them. What the product itself
says (how to leave a message, that a key leads nowhere, the place in a queue, when the client is open) it says
in the caller's language, if it has words in it; agents, and mails, keep the client's.
"""

from itertools import product
from typing import get_args

from msgspec.structs import replace

from router.core.languages import CATALOGUES
from router.core.languages.catalogue import Phrase, Tone
from router.core.phrases import phrase
from router.core.plan import CallPlan, PlanNode, Speak, Step

IN_PLANS = (Phrase.NOBODY,)
"""Sentences of the product's own that stand in plans as texts of the rules do."""

_OWN: dict[Step, tuple[Tone, Phrase]] = {
    phrase(language, tone, which): (tone, which)
    for language, tone, which in product(CATALOGUES, get_args(Tone), IN_PLANS)
}


def spoken_to(plan: CallPlan, language: str) -> CallPlan:
    """The plan of a caller who hears the product's own sentences in `language`, one that it has words in;
    where that is empty, in the client's."""
    if not language:
        return plan
    return replace(plan, language=language, nodes=tuple(_spoken_to(node, language) for node in plan.nodes))


def in_language(step: Speak, language: str) -> Speak:
    """A sentence that is the product's own in another language; any other text as it is."""
    own = _OWN.get(step)
    return phrase(language, *own) if own else step


def _spoken_to(node: PlanNode, language: str) -> PlanNode:
    return replace(node, step=in_language(node.step, language)) if isinstance(node.step, Speak) else node
