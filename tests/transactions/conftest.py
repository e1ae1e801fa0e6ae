import pytest

from tests.transactions import country


@pytest.fixture
def country_regions(db: None) -> None:
    country.create()
