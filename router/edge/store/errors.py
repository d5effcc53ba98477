"""What can be wrong with a database as a whole, each with a text an administrator can act on.

StoreError
├── MissingDatabaseError   nothing is there to read
├── NewerDatabaseError     written by a newer callrouter
├── OlderDatabaseError     not yet upgraded; only the daemon upgrades
└── UnusableDatabaseError  wrong URL, no permission, no server, no directory, locked, full
"""


class StoreError(Exception):
    """Any of those below; its text says what to do."""


class MissingDatabaseError(StoreError):
    """Nothing is there to read."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"there is no database at {where}: no router has run yet, or it keeps its records elsewhere "
            "(set `state` or `database`, or give the daemon's settings file with --config)"
        )


class NewerDatabaseError(StoreError):
    """Written by a newer callrouter."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"the database has version {found}, and this callrouter knows only up to {known}: "
            "install the newer callrouter again, or restore the backup made before it"
        )


class OlderDatabaseError(StoreError):
    """Not yet upgraded."""

    def __init__(self, found: str | None, known: str) -> None:
        super().__init__(
            f"the database has version {found or 'none'}, and this callrouter reads version {known}: "
            "start the daemon of this version once, it upgrades the database"
        )


class UnusableDatabaseError(StoreError):
    """It cannot be opened, read or written now."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"the database {where} cannot be used: {why}")
