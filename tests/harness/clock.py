"""`callrouter` for whose calls it is another time: `python -m tests.harness.clock MOMENT run ...`.

Only the clocks that the daemon itself reads are others: the engine's, which is an argument of it, and that by
which prompts are made ahead. libfaketime 0.9.10 would do it for all of a process, but under Python 3.11
either waits with a limit never end, or every sleep fails.
"""

import sys
from datetime import UTC, datetime, tzinfo
from functools import partial

from router import app as daemon
from router.cli import run
from router.cli.main import app
from router.edge.engine import Engine


def main() -> None:
    moment, *arguments = sys.argv[1:]
    ahead = datetime.fromisoformat(moment) - datetime.now(UTC)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # no Ahead: so much is enough
            return datetime.now(tz) + ahead

    for module in (run, daemon):
        setattr(module, "datetime", Ahead)  # noqa: B010 - not for mypy
    setattr(daemon, "Engine", partial(Engine, clock=lambda: Ahead.now(UTC)))  # noqa: B010
    app(arguments)


if __name__ == "__main__":
    main()
