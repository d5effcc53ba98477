"""What it costs calls that other systems are told of them: a broker that is there, and one that is away."""

from pathlib import Path

from tests.bench import rounds
from tests.bench.peers import Callrouter, Peer
from tests.bench.rounds import Tell
from tests.harness.broker import Broker
from tests.harness.sandbox import Sandbox

SECONDS = 12.0
"""Of one round; all rounds of one kind come to a minute."""
TURNS = 5


class _Telling(Callrouter):
    """callrouter with a broker that is there."""

    name = "telling"

    def __init__(self, sandbox: Sandbox, directory: Path, broker: Broker) -> None:
        super().__init__(sandbox, directory, mqtt=broker.settings())
        self._broker = broker

    def start(self) -> None:
        self._broker.start()
        super().start()

    def stop(self) -> None:
        super().stop()
        self._broker.stop()


class _Unheard(_Telling):
    """... with one that is away."""

    name = "unheard"

    def start(self) -> None:
        Callrouter.start(self)


def measure(sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> dict[str, float]:
    """telling_p50 and unheard_p50: setup p50 while events are published, and while they wait, of that while
    nobody is to be told."""
    broker = Broker()
    try:
        quiet = Callrouter(sandbox, folder / "quiet")
        peers: list[Peer] = [
            quiet,
            _Telling(sandbox, folder / "telling", broker),
            _Unheard(sandbox, folder / "unheard", broker),
        ]
        found = rounds.cost(sandbox, peers, peers, rate, SECONDS, TURNS, tell)
    finally:
        broker.remove()
    return {
        f"{name}_p50": rounds.middle_ratio(found[name], found[quiet.name], "p50_ms")
        for name in ("telling", "unheard")
    }
