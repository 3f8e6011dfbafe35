"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """Commands set up the logs of the whole process; the next test finds them as if none had run."""
    yield
    structlog.reset_defaults()
