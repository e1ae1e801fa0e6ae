"""While Redis is away pushes and small files go on; what a worker must do is kept, and done later."""

from django.conf import LazySettings

from tests.factories import UserFactory
from tests.faults.delivering import MONTHS, Market
from tests.faults.installation import Installation, wait_for
from tests.transactions.sums import assert_sums_are_right, facts
from tests.transactions.uploading import content, received, taken_over
from transactions import tasks, uploads
from transactions.models import Delivery, DeliveryJob

MONTH = f"{MONTHS[0]:%Y-%m}"
Status = Delivery.Status


def test_what_must_be_queued_is_kept_and_done_later(
    at: Installation, market: Market, settings: LazySettings
) -> None:
    at.start_worker()
    person, service = UserFactory(is_operations=True), market.services[0]
    first, second, third, fourth = market.regions[:4]
    at.kill_valkey()

    pushed = market.one(service, first, 7_001)
    assert market.send(pushed).status == 201
    small = taken_over(person, content(service, (second, MONTH, 7_002)))
    assert small.status == Status.ACCEPTED

    later = market.one(service, third, 7_003)
    promised = market.send(later, later=True)
    assert (promised.status, promised.body["status"]) == (202, "wartet")
    settings.UPLOAD_AT_ONCE_BYTES = 0
    large = received(person, content(service, (fourth, MONTH, 7_004)))
    waiting = DeliveryJob.objects.filter(leased_until=None, sent_at=None)
    assert set(waiting) == set(DeliveryJob.objects.all())
    assert waiting.count() == 2
    stored = facts()
    assert [stored.get((service.pk, MONTHS[0], ars)) for ars in (first, second)] == [7_001, 7_002]

    at.start_valkey()
    tasks.send_waiting_work.delay()  # what beat sends every 20 seconds
    wait_for(lambda: not DeliveryJob.objects.exists())
    assert Delivery.objects.get(pk=promised.body["id"]).status == Status.ACCEPTED
    found = uploads.review(Delivery.objects.get(pk=large.pk), by=person)
    assert (found.row_count, found.fault_count) == (1, 0)
    assert facts() == stored | later.rows
    assert_sums_are_right()
