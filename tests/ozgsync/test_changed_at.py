"""When rows of the open lists were changed: known, whoever writes them."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from ozgsync.models import Leistung, RegionVersion
from services.models import OnlineService
from tests.factories import LeistungFactory, RegionFactory, ServiceFactory
from transactions.publication import publish

pytestmark = pytest.mark.django_db
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def aged(row: Any) -> Any:
    type(row).objects.filter(pk=row.pk).update(changed_at=LONG_AGO)
    row.refresh_from_db()
    assert row.changed_at == LONG_AGO
    return row


def changed(row: Any) -> bool:
    row.refresh_from_db()
    return bool(row.changed_at > LONG_AGO)


def test_what_django_writes() -> None:
    for row in (aged(LeistungFactory()), aged(ServiceFactory()), aged(RegionFactory().versions.get())):
        row.name = "Anders"
        row.save()
        assert changed(row)


def test_what_sql_writes() -> None:
    for row in (aged(LeistungFactory()), aged(ServiceFactory()), aged(RegionFactory().versions.get())):
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {row._meta.db_table} SET name = 'Anders' WHERE name = %s", [row.name])
        assert changed(row)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ozgsync_leistung (schluessel, name, name_source, confidence, types, focus)"
            " VALUES ('99999999999999', 'Neu', '', '', '{}', false)"
        )
    assert changed(Leistung.objects.get(pk="99999999999999"))


def test_a_row_that_is_not_written_stays_unchanged() -> None:
    version = aged(RegionFactory().versions.get())
    RegionVersion.objects.exclude(pk=version.pk).update(name="Anders")
    assert not changed(version)


def test_publishing_is_a_change() -> None:
    service: OnlineService = aged(ServiceFactory())
    publish(service, by=None)
    assert changed(service)
