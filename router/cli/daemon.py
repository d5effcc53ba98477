"""The running router, as commands speak with it: over its web port."""

import json
import urllib.error
import urllib.request
from typing import Any

from router.edge.web.health import TOLD_HEADER
from router.settings import Web

PATIENCE = 60.0
"""Seconds that reading a large set of rules may take."""


class NoDaemonError(Exception):
    """No router answers there; the text says where, why, and what to do."""


def tell(web: Web, path: str) -> Any:
    """Have the router do what `path` stands for; its answer, also where that is a refusal."""
    return _request(web, path, "POST")


def ask(web: Web, path: str) -> Any:
    """What the router answers to a question."""
    return _request(web, path, "GET")


def _request(web: Web, path: str, method: str) -> Any:
    address = f"http://{web.host}:{web.port}{path}"
    request = urllib.request.Request(address, method=method, headers=TOLD_HEADER)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        if error.code == 422:
            return json.load(error)
        if error.code == 403:
            told = error.read().decode(errors="replace")
            raise NoDaemonError(f"the router at {address} refuses: {told}") from error
        why = f"it answers {error.code}"
    except (OSError, ValueError) as error:
        why = str(getattr(error, "reason", error))
    raise NoDaemonError(f"no router at {address} ({why}); start it, or set `web` as it has it")
