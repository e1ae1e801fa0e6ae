"""The disk is full while rows are staged: the sender hears of it, nothing is stored, later all is well."""

import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.utils import timezone

from tests.factories import UserFactory
from tests.faults.delivering import MONTHS, Market, Push
from tests.faults.installation import Installation, wait_for
from tests.transactions.sums import assert_sums_are_right, facts
from tests.transactions.uploading import content, received
from transactions import jobs, uploads
from transactions.models import Delivery, DeliveryJob, StagedCount
from zsk.embedded.place import Place

SMALL = "128k"
MONTH = f"{MONTHS[0]:%Y-%m}"


class SmallDisk:
    """A file system of its own for the staging table, so small that only a part of a delivery fits."""

    def __init__(self, at: Installation) -> None:
        self.folder = at.home / "small"
        self.folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            self.folder.rmdir()
            pytest.skip(f"hier lässt sich kein kleines Dateisystem einhängen: {done.stderr.strip()}")
        place = Place.of(at.home)
        if place.account:
            os.chown(self.folder, place.account.uid, place.account.gid)
        parts = urlsplit(at.start_postgres())
        self.url = urlunsplit(parts._replace(netloc="postgres@"))

    def use(self) -> None:
        self._run("TRUNCATE staged_count")  # of rows that earlier deliveries left to vacuum
        self._run(f"CREATE TABLESPACE small OWNER zsk LOCATION '{self.folder}'")
        self._run("ALTER TABLE staged_count SET TABLESPACE small")

    def give_back(self) -> None:
        self._run("ALTER TABLE staged_count SET TABLESPACE pg_default")
        self._run("DROP TABLESPACE IF EXISTS small")

    def remove(self) -> None:
        self.give_back()
        subprocess.run(["umount", str(self.folder)], check=True)
        self.folder.rmdir()

    def _run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)


@pytest.fixture
def full(at: Installation, market: Market) -> Iterator[SmallDisk]:
    """Each service has a number already: only what is compared with others is staged."""
    for service in market.services:
        assert market.send(market.one(service, market.regions[0], 8_000)).status in {200, 201}
    disk = SmallDisk(at)
    try:
        disk.use()
        yield disk
    finally:
        disk.remove()


def many(market: Market, count: int) -> Push:
    service = market.services[0]
    return Push({(service.pk, month, ars): count for month in MONTHS for ars in market.regions})


def test_a_push_is_told_so_and_goes_through_later(market: Market, full: SmallDisk) -> None:
    before, push = facts(), many(market, 8_001)
    refused = market.send(push)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "60")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.body["type"].endswith("/hilfe/fehler/speicher_voll/")
    assert refused.body["detail"].startswith("Es wurde nichts gespeichert.")
    assert facts() == before
    assert not Delivery.objects.filter(client_key=push.key).exists()
    # Few rows need no room there.
    few = market.one(market.services[0], market.regions[0], 8_002)
    assert market.send(few).status == 201
    full.give_back()
    assert market.send(push).status == 201
    assert facts() == push.after(few.after(before))
    assert_sums_are_right()


def test_a_worker_gives_up_after_some_tries_and_says_so(
    at: Installation, market: Market, full: SmallDisk
) -> None:
    at.start_worker()
    before = facts()
    promised = market.send(many(market, 8_003), later=True)
    assert promised.status == 202
    job = DeliveryJob.objects.filter(pk=promised.body["id"])

    def is_over() -> bool:
        soon = timezone.now() + dt.timedelta(seconds=jobs.RETRY_AFTER.seconds + 1)
        if job.filter(step=DeliveryJob.Step.QUEUED, tries__gt=0, leased_until__lt=soon).exists():
            jobs.send_waiting(now=soon)
            job.filter(step=DeliveryJob.Step.QUEUED).update(leased_until=timezone.now())
        return not job.exists()

    wait_for(is_over)
    delivery = Delivery.objects.get(pk=promised.body["id"])
    assert delivery.status == Delivery.Status.REFUSED
    assert [finding.code for finding in delivery.findings.all()] == ["abgebrochen"]
    assert facts() == before
    assert not StagedCount.objects.exists()


def test_a_file_is_kept_and_can_be_confirmed_later(market: Market, full: SmallDisk) -> None:
    person, service, before = UserFactory(is_operations=True), market.services[1], facts()
    cells = [(ars, f"{month:%Y-%m}", 8_004) for month in MONTHS for ars in market.regions]
    with pytest.raises(psycopg.errors.DiskFull, match="No space left on device"):
        received(person, content(service, *cells))
    delivery = Delivery.objects.get(user=person)
    assert delivery.status == Delivery.Status.WAITING
    assert facts() == before
    full.give_back()
    found = uploads.review(delivery, by=person)
    assert (found.row_count, found.fault_count) == (len(cells), 0)
    done = uploads.confirm(delivery, by=person, seen=found.seen)
    assert done.status == Delivery.Status.ACCEPTED
    assert_sums_are_right()
