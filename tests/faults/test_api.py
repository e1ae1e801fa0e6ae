"""Whatever is sent to the interface: an answer that its own description knows, and never a 500.

schemathesis makes requests from the OpenAPI document, right ones and wrong ones, and holds the answers
against it.
"""

import datetime as dt
from collections.abc import Iterator

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from services.models import OnlineService
from tests.factories import PortalFactory, ServiceFactory, api_key
from tests.faults.size import FULL, size
from tests.transactions.country import HESSEN, MKK, delivered, row
from transactions.models import Delivery
from zsk.wsgi import application

pytestmark = pytest.mark.django_db
MAY = dt.date(2025, 5, 1)
fuzzed = settings(
    max_examples=size(15, 400),
    deadline=None,
    derandomize=not FULL,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def _schema() -> schemathesis.BaseSchema:
    generation = GenerationConfig(deterministic=not FULL)
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation)))
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, config=config)


schema = _schema()
# An empty parameter counts as none, and what is right in form may still be wrong: a month of the year 0, a
# region that does not exist, a parameter of the CSV beside JSON.
NOT_OURS = [negative_data_rejection, positive_data_acceptance]


@pytest.fixture(autouse=True)
def one_transaction() -> Iterator[None]:
    """As Django's own test client does it: the end of a request leaves the test's transaction alone."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def service(country_regions: None, settings: LazySettings) -> OnlineService:
    settings.REQUESTS_PER_KEY = settings.REQUESTS_PER_ADDRESS = 0
    return ServiceFactory(published=True, portal=PortalFactory(), portal__kennung="fuehrerschein")


@pytest.fixture
def deliveries(service: OnlineService) -> list[Delivery]:
    return [delivered(row(service, region, 5, MAY)) for region in (HESSEN, MKK)]


@pytest.fixture
def key(service: OnlineService) -> str:
    return api_key(service)[1]


@schema.include(tag="Lieferungen").parametrize()
@fuzzed
def test_with_a_key(case: schemathesis.Case, key: str, deliveries: list[Delivery]) -> None:
    if "id" in (case.path_parameters or {}) and len(str(case.path_parameters)) % 2:
        case.path_parameters["id"] = str(deliveries[0].pk)
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=NOT_OURS)


@schema.include(tag="Offene Daten").parametrize()
@fuzzed
def test_without_a_key(case: schemathesis.Case, service: OnlineService) -> None:
    case.call_and_validate(excluded_checks=NOT_OURS)
