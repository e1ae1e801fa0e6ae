"""Embedded servers and processes of their own, away from the ones that the test run itself uses."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zsk import embedded


@contextmanager
def reachable_home() -> Iterator[Path]:
    """A data folder that every user can reach, as the servers of root run as another user."""
    with tempfile.TemporaryDirectory(prefix="zsk") as folder:
        os.chmod(folder, 0o755)
        data = Path(folder) / ".zsk"
        yield data
        embedded.remove(data)


def plain_environment(home: Path) -> dict[str, str]:
    """The environment of a person who set nothing: embedded servers in `home`."""
    ours = {"DATABASE_URL", "REDIS_URL", "ZSK_ENVIRONMENT", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"ZSK_DATA_DIR": str(home)}


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_home() as folder:
        yield folder
