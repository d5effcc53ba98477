"""Loads folders of worst_files.py, each in a process of its own, bounded in time and memory; started as
`python -m tests.properties.loading NAME ...`. It prints a line of JSON for each.
"""

import os
import resource
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from router.core.dialling import Dialling
from router.core.remarks import RuleError, RuleErrors
from router.core.scenarios import read_scenarios
from router.core.schema import SHARED_FILE
from router.edge.rulesfile import SCENARIOS, RulesFile
from tests.properties.worst_files import Folder, folders

ROOT = Path(__file__).parents[2]
DIALLING = Dialling("PJSIP/{number}@trunk")
_OTHERS = (SHARED_FILE, SCENARIOS)
MOST_SECONDS = 20
MOST_BYTES = 600_000_000
"""What one may take before it is killed: a guard against what never ends, not the budget (tests/bench)."""


class Loaded(msgspec.Struct, frozen=True):
    """What came of one."""

    name: str
    names: tuple[str, ...] = ()
    """Of its files."""
    files: int = 0
    """How many of them are of clients."""
    clients: int = 0
    errors: int = 0
    first: str = ""
    """The first error."""
    broken: str = ""
    """A traceback, or how the process ended; empty where all went well."""
    seconds: float = 0.0
    """Of CPU."""
    mb: float = 0.0
    """The most memory that the process had, interpreter included."""


def load_all(names: Iterable[str]) -> Iterator[Loaded]:
    """Load the folders of these names in processes of their own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    command = [sys.executable, "-m", "tests.properties.loading", *names]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield msgspec.json.decode(line, type=Loaded)
    assert process.returncode == 0


def _load(name: str, folder: Path) -> Loaded:
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("**/*")) if path.is_file()]
    clients = [file for file in files if file.endswith(".yaml") and not file.endswith(_OTHERS)]
    begun = _cpu_seconds()
    source = RulesFile(folder, DIALLING)
    rules = source.load()
    found, errors = 0, list[RuleError]()
    if isinstance(rules, RuleErrors):
        errors += rules.errors
    else:
        found = len(rules.clients)
        texts, unread = source.scenarios()
        errors += unread
        for file, text in texts.items():
            errors += read_scenarios(file, text, rules)[1]
    first = str(errors[0]).removeprefix(f"{folder}/") if errors else ""
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    seconds = _cpu_seconds() - begun
    return Loaded(name, tuple(files), len(clients), found, len(errors), first, "", seconds, mb)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _in_child(name: str, files: Folder) -> str:
    """What a child tells of loading `files`."""
    with TemporaryDirectory(prefix="worst-") as folder:
        for file, content in files.items():
            path = Path(folder, file)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        out, into = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(out)
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
                resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
                told = _load(name, Path(folder))
            except BaseException:
                told = Loaded(name, broken=traceback.format_exc())
            with os.fdopen(into, "wb") as pipe:
                pipe.write(msgspec.json.encode(told))
            os._exit(0)
        os.close(into)
        with os.fdopen(out, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(pid, 0)
        return (said or msgspec.json.encode(Loaded(name, broken=f"ended by signal {status & 127}"))).decode()


if __name__ == "__main__":
    known = dict(folders())
    for wanted in sys.argv[1:] or known:
        print(_in_child(wanted, known[wanted]()), flush=True)
