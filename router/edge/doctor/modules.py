"""Has Asterisk loaded what is needed, and by what?"""

from collections.abc import AsyncIterator

import msgspec

from router.core.findings import Finding, error, not_checked, note, ok
from router.core.needs import HARMFUL, features
from router.core.remarks import RuleErrors
from router.edge.doctor.visit import Visit


class Module(msgspec.Struct, frozen=True):
    """One that Asterisk knows."""

    name: str
    status: str = "Running"


async def modules(visit: Visit) -> AsyncIterator[Finding]:
    """Of the rules too, where these can be read."""
    found = await visit.get("asterisk/modules", list[Module])
    running = {one.name.removesuffix(".so") for one in found or () if one.status == "Running"}
    rules = None if isinstance(visit.loaded, RuleErrors) else visit.loaded
    fetched = "://" in (visit.settings.speech.seen_as or "")
    wanted = features(rules, fetched=fetched, asked=visit.settings.agi.port > 0)
    missing = False
    for feature in wanted:
        for name in feature.modules:
            if name not in running:
                missing = True
                yield error(
                    f"the module {name}.so is not loaded; {feature.what} needs it",
                    f"asterisk -rx 'module load {name}.so', and see that modules.conf loads it, too",
                )
    if not missing:
        count = sum(len(feature.modules) for feature in wanted)
        yield ok(f"all {count} modules that are needed are loaded")
    if rules is None:
        yield not_checked("modules that only some rules need: the rules have errors")
    for name, why in HARMFUL.items():
        if name in running:
            remedy = f"write `noload = {name}.so` in modules.conf, unless something else of yours needs it"
            yield note(f"the module {name}.so is loaded: {why}", remedy)
