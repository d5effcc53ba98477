"""Which Asterisk the sandboxes use: the installed one, or one made here with debootstrap.

A tree that is being made has another name until it is whole, so that an interrupted making is never taken for
an Asterisk; the next one throws the remains away and begins again. Nothing is mounted, and no daemon of the
tree is ever started by its packages.
"""

import contextlib
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = (22, 7)  # the first with StasisBroadcast
INSTALLED_DATA = ("/usr/share/asterisk", "/var/lib/asterisk", "/usr/local/share/asterisk")


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the text says what to do about it. Exit code 1."""


@dataclass(frozen=True)
class Asterisk:
    """An Asterisk that can be started: the installed one, or the one in our Debian tree."""

    source: str  # "installed" or "debian"
    root: Path  # "/", or the tree that is its root directory
    instances: Path  # where its sandboxes are, as seen from here

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs this Asterisk; as root within its own tree."""
        if self.source == "installed":
            return ["asterisk", *arguments]
        return ["chroot", str(self.root), "/usr/sbin/asterisk", *arguments]

    def inside(self, path: Path) -> str:
        """A path of this machine as that Asterisk sees it."""
        return "/" + str(path.relative_to(self.root))

    def data(self) -> Path:
        """Its own sounds and documentation; without the documentation few modules load."""
        for place in INSTALLED_DATA:
            found = self.root / place.lstrip("/")
            if (found / "documentation").is_dir():
                return found
        raise SandboxError(f"no Asterisk documentation directory in any of {', '.join(INSTALLED_DATA)}")


def cache() -> Path:
    """The directory, outside any checkout, where everything is kept."""
    if own := os.environ.get("CALLROUTER_CACHE"):
        return Path(own).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").resolve() / "callrouter"


def installed_version() -> tuple[int, int] | None:
    """Major and minor version of the machine's own Asterisk, if there is one."""
    if not shutil.which("asterisk"):
        return None
    said = subprocess.run(["asterisk", "-V"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def find_asterisk() -> Asterisk:
    """The Asterisk to use, which for the Debian tree may not have been made yet."""
    version = installed_version()
    if version and version >= OLDEST:
        return Asterisk("installed", Path("/"), cache() / "instances")
    root = cache() / "asterisk-sid"
    return Asterisk("debian", root, root / "srv" / "callrouter")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One `up` or `down` at a time: they share the tree being made and the choice of free ports."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)  # see run_step
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another sandbox command is at work; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """Progress goes to stderr: stdout is the answer."""
    print(f"sandbox: {text}", file=sys.stderr, flush=True)


def ensure_tree(root: Path) -> None:
    """Make the Debian tree, unless it is there. It gets its name only when it is whole."""
    if root.exists():
        return
    ensure_debootstrap()
    building = root.with_name(root.name + ".building")
    discard(building)
    say(f"making a Debian tree with Asterisk in {root}, once, about a minute")
    mirror = debian_mirror()
    run_step("debootstrap", "--variant=minbase", "sid", str(building), *([mirror] if mirror else []))
    release_mounts(building)
    forbid_services(building)
    inside = ["chroot", str(building), "apt-get", "-q", "-y"]
    run_step(*inside, "install", "--no-install-recommends", "asterisk", "asterisk-core-sounds-en-wav")
    run_step(*inside, "clean")
    building.rename(root)


def ensure_debootstrap() -> None:
    """See that the tree can be made here, installing debootstrap where that is all that lacks."""
    version = installed_version()
    lacking = (
        "no Asterisk is installed" if version is None else "the Asterisk installed is {}.{}".format(*version)
    )
    wanted = "install Asterisk {}.{} or later".format(*OLDEST)
    if os.geteuid() != 0:
        raise SandboxError(
            f"{lacking}, and only root can make one here: {wanted}, or run: sudo {sys.argv[0]} up"
        )
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise SandboxError(
            f"{lacking}, and there is neither debootstrap nor apt-get here: {wanted}, or debootstrap"
        )
    run_step("apt-get", "-q", "update")
    run_step(
        "apt-get", "-q", "-y", "install", "--no-install-recommends", "debootstrap", "debian-archive-keyring"
    )


def debian_mirror() -> str | None:
    """The mirror this machine itself takes Debian from; None leaves it to debootstrap."""
    if not shutil.which("apt-get"):
        return None
    line = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    said = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.split()
    return said[0] if said else None


def run_step(*line: str) -> None:
    """Run one command of the making, with its words in the log and now and then one on stderr.

    It inherits the lock: should we be killed, nobody throws the tree away while it still writes there.
    """
    log = cache() / "asterisk-sid.log"
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        line,
        env=environment,
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    spoken = 0.0
    assert process.stdout is not None  # asked for above
    with log.open("a") as written, process:
        for words in process.stdout:
            written.write(words)
            if time.monotonic() - spoken > 2:
                spoken = time.monotonic()
                say(f"  {words.strip()}")
    if process.returncode != 0:
        raise SandboxError(
            f"{' '.join(line)} failed with code {process.returncode}; what it said is in {log}"
        )


def forbid_services(root: Path) -> None:
    """Packages installed in the tree must not start their daemons, least of all an Asterisk of their own."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def answer_names_locally(root: Path) -> None:
    """Let no name be looked up in the DNS: each call would wait five seconds for the machine's own name."""
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    names = root / "etc/nsswitch.conf"
    names.write_text(re.sub(r"(?m)^hosts:.*$", "hosts: files", names.read_text()))


def release_mounts(tree: Path) -> None:
    """Unmount what a killed debootstrap left in the tree: deleting it would delete through the mounts."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounted if place.startswith(f"{tree}/")), reverse=True):
        subprocess.run(["umount", place], check=True)


def discard(tree: Path) -> None:
    """Delete what an interrupted making left."""
    if tree.exists():
        release_mounts(tree)
        shutil.rmtree(tree)
