"""What tests of the edge share."""

import os
from pathlib import Path

import pytest

from router import settings, settingsfile


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settingsfile, "SEARCHED", settingsfile.SEARCHED[:1])
    for variable in os.environ:
        if variable.upper().startswith(settings.PREFIX):
            monkeypatch.delenv(variable)
