"""The last good copies of the calendars of the web, one file each, with the time of change for when it was
fetched. Addresses have secrets in them, so the copies are for the router's own user.
"""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

STALE = 30 * 86400.0
"""Seconds for which the copy of a calendar is kept that no rule names any more."""


class _Copy(msgspec.Struct, frozen=True):
    url: str
    text: str


class FeedCopies:
    """The copies in one folder, which is made when the first comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[int, _Copy]] = {}
        """File -> its time of change, in nanoseconds, and what it has."""

    def read(self) -> dict[str, str]:
        """All of them, URL -> text; what cannot be read is not there. It blocks."""
        return {copy.url: copy.text for copy, _ in self._all().values()}

    def fetched(self) -> dict[str, float]:
        """When each was fetched, URL -> seconds since 1970. It blocks."""
        return {copy.url: changed / 1e9 for copy, changed in self._all().values()}

    def keep(self, url: str, text: str) -> None:
        """Put a copy in the place of the one before, as a whole; fetched now. It blocks; OSError where it
        cannot be."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._file(url)
        draft = file.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as into:
            into.write(msgspec.json.encode(_Copy(url, text)))
            into.flush()
            os.fsync(into.fileno())
        draft.replace(file)

    def forget(self, named: set[str]) -> None:
        """Remove the copies that are of none of the URLs `named`, and have not been for long. It blocks."""
        for file, (copy, changed) in self._all().items():
            if copy.url not in named and time.time() - changed / 1e9 > STALE:
                with suppress(OSError):
                    file.unlink()

    def _file(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"

    def _all(self) -> dict[Path, tuple[_Copy, int]]:
        found: dict[Path, tuple[_Copy, int]] = {}
        with suppress(OSError):  # No folder, or one that is not for us.
            for file in sorted(self._folder.glob("*.json")):
                with suppress(OSError, msgspec.MsgspecError):
                    changed = file.stat().st_mtime_ns
                    known = self._known.get(file)
                    if known is None or known[0] != changed:
                        copy = msgspec.json.decode(file.read_bytes(), type=_Copy)
                        known = self._known[file] = (changed, copy)
                    found[file] = (known[1], changed)
        return found
