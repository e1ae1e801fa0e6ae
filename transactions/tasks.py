"""Background jobs of the deliveries; each calls one function."""

import uuid

from celery import shared_task

from transactions import contents, jobs, push, release, reminders, totals, uploads
from transactions.models import DeliveryJob

WORK = {
    DeliveryJob.Kind.CHECK: uploads.work_on_check,
    DeliveryJob.Kind.CONFIRM: uploads.work_on_confirmation,
    DeliveryJob.Kind.PUSH: push.work,
    DeliveryJob.Kind.WITHDRAW: push.work_on_withdrawal,
}


@shared_task(acks_late=True, reject_on_worker_lost=True)
def work_on_delivery(pk: str) -> bool:
    return jobs.run(uuid.UUID(pk), WORK)


@shared_task
def send_waiting_work() -> int:
    return jobs.send_waiting()


@shared_task
def fold_totals() -> int:
    return totals.fold()


@shared_task
def expire_contents() -> int:
    return contents.expire()


@shared_task
def apply_release_rules() -> int:
    """For services registered since the last time; how many were published."""
    return release.apply()


@shared_task
def send_reminders() -> int:
    """To those who have something to deliver and were not told yet; how many were."""
    return reminders.send()
