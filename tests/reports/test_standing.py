"""One status everywhere: catalogue, the service's page, the completeness page and Meine agree."""

import datetime as dt
import re

import pytest
from django.test import Client

from ozgsync.models import Leistung
from reports.queries.catalogue import catalogue, entries
from reports.queries.completeness import Share, catalogue_share, completeness, status
from reports.queries.service_page import standing_of
from services import standing
from services.models import OnlineService
from services.standing import Standing
from tests.factories import LeistungFactory, ServiceFactory, UserFactory
from tests.reports.conftest import HESSEN, Deliver

MAY = dt.date(2026, 5, 1)
pytestmark = pytest.mark.usefixtures("regions", "today")


@pytest.mark.parametrize(
    ("delivered", "dates", "expected", "missing"),
    [
        (["2026-05"], {}, Standing.CURRENT, []),
        (["2026-04"], {}, Standing.DUE, [5]),
        (["2026-03"], {}, Standing.LATE, [4, 5]),
        (["2026-06"], {}, Standing.DUE, [5]),
        (["2026-03", "2026-06"], {}, Standing.LATE, [4, 5]),
        ([], {}, Standing.NEVER, [5]),
        ([], {"live_from": dt.date(2026, 5, 2)}, Standing.STARTING, []),
        (["2026-03"], {"live_from": dt.date(2026, 5, 1)}, Standing.DUE, [5]),
        (["2026-04"], {"ended_on": dt.date(2026, 6, 2)}, Standing.DUE, [5]),
        (["2026-05"], {"ended_on": dt.date(2026, 6, 2)}, Standing.ENDED, []),
        (["2026-05"], {"ended_on": dt.date(2026, 6, 20)}, Standing.CURRENT, []),
        (["2026-03"], {"ended_on": dt.date(2026, 5, 1)}, Standing.ENDED, []),
    ],
)
def test_every_page_says_the_same(
    published: OnlineService,
    deliver_counts: Deliver,
    delivered: list[str],
    dates: dict[str, dt.date],
    expected: Standing,
    missing: list[int],
) -> None:
    if delivered:
        deliver_counts(published, {(month, HESSEN): 1 for month in delivered})
    OnlineService.objects.filter(pk=published.pk).update(**dates)
    published.refresh_from_db()
    found = standing.with_standing(OnlineService.objects.all()).get()
    assert found.standing == expected
    assert [month.month for month in standing.missing_months(found)] == missing
    viewer = UserFactory()
    assert entries(catalogue(viewer=viewer))[0].category == status(expected)
    assert standing_of(published).category == status(expected)
    mine, all_services = standing.summary(OnlineService.objects.all()), completeness(month=MAY)
    assert (mine.expected, mine.delivered) == (all_services.expected, all_services.delivered)


def test_who_ended_says_what_is_missing(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-04", HESSEN): 1})
    OnlineService.objects.filter(pk=published.pk).update(ended_on=dt.date(2026, 6, 2))
    text = re.sub(r"\s+", " ", client.get(f"/onlineservices/{published.number}/").content.decode())
    assert "außer Betrieb, Mai 2026 fehlt" in text


def test_coverage_is_shown_against_the_catalogue(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    Leistung.objects.update(types=[])
    OnlineService.objects.filter(pk=published.pk).update(leistung=LeistungFactory(types=["2a", "5"]))
    LeistungFactory(types=["1"])
    LeistungFactory(types=["5", "1"])
    LeistungFactory(types=["1"], valid_to=MAY)
    LeistungFactory(types=["1"], valid_from=dt.date(2026, 6, 1))
    unpublished = ServiceFactory(leistung=LeistungFactory(types=["2/3"]))
    deliver_counts(published, {("2026-05", HESSEN): 0})
    deliver_counts(unpublished, {("2026-05", HESSEN): 1})
    assert catalogue_share(month=MAY) == Share(1, 3)
    assert "Im Katalog stehen 3 Leistungen" in client.get("/daten/vollstaendigkeit/").content.decode()
