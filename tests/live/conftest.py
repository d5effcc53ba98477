"""What the live tests stand on: a real Asterisk, SIPp, and the router as its own process. Nothing is skipped:
where a part is missing, the tests fail and say what to install."""

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox

BringUp = Callable[..., Sandbox]
"""`(*options)`: a fresh sandbox, taken down when the module is done."""

RunRouter = Callable[..., RouterProcess]
"""`(sandbox, rules, **settings)`: a router that is ready for calls, stopped when the module is done."""


@pytest.fixture(scope="module")
def bring_up(request: pytest.FixtureRequest) -> Iterator[BringUp]:
    if shutil.which("sipp") is None:
        pytest.fail("there is no sipp here: `make parts`, or install Debian's package sip-tester")
    up: list[Sandbox] = []
    # Files that run side by side must not share one.
    module, numbers = request.module.__name__.rpartition(".")[2].replace("_", "-"), itertools.count(1)

    def start(*options: str) -> Sandbox:
        name = f"{module}-{next(numbers)}"
        try:
            sandbox = Sandbox.fresh(name, *options)
        except subprocess.CalledProcessError:
            pytest.fail("no Asterisk could be started; the sandbox says above why: `make parts` may help")
        up.append(sandbox)
        return sandbox

    yield start
    with ThreadPoolExecutor() as pool:
        list(pool.map(Sandbox.down, up))


@pytest.fixture(scope="module")
def run_router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunRouter]:
    running: list[RouterProcess] = []

    def run(sandbox: Sandbox, rules: Mapping[str, str], **settings: object) -> RouterProcess:
        directory: Path = tmp_path_factory.mktemp(f"router-{sandbox.name}")
        router = RouterProcess(sandbox, directory, rules, **settings)
        router.start()
        running.append(router)
        return router

    yield run
    with ThreadPoolExecutor() as pool:
        list(pool.map(RouterProcess.stop, running))
