"""Background jobs of services; each calls one function."""

from celery import shared_task

from services import bulk


@shared_task
def expire_bulk_uploads() -> int:
    return bulk.expire()
