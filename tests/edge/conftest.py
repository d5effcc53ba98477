"""What tests of the edge share."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router import settings, settingsfile
from tests.edge.patient import Patient


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settingsfile, "SEARCHED", settingsfile.SEARCHED[:1])
    for variable in os.environ:
        if variable.upper().startswith(settings.PREFIX):
            monkeypatch.delenv(variable)


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Patient]:
    """A healthy Asterisk and set-up, for doctor."""
    async with Patient(tmp_path) as made:
        yield made
