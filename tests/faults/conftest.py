from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.delivering import Market
from tests.faults.installation import Installation
from tests.faults.size import FULL, SEED, size
from tests.transactions.conftest import country_regions
from tests.zsk.conftest import reachable_home

__all__ = ["country_regions"]


def pytest_report_header() -> str:
    return f"faults: {'full' if FULL else 'small'} size, ZSK_FAULTS_SEED={SEED}"


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    with reachable_home() as home:
        running = Installation(home)
        try:
            yield running
        finally:
            running.end()


@pytest.fixture(scope="session")
def market(installation: Installation, django_db_blocker: Any) -> Market:
    with installation.here(django_db_blocker):
        return Market.open(port=installation.port, services=3, regions=size(300, 2_000))


@pytest.fixture
def at(installation: Installation, django_db_blocker: Any) -> Iterator[Installation]:
    """The installation, with all its parts running, and Django in this process on its database."""
    installation.mend()
    with installation.here(django_db_blocker):
        yield installation
