"""Background jobs of services; each calls one function."""

from celery import shared_task

from services import bulk, reference_changes


@shared_task
def expire_bulk_uploads() -> int:
    return bulk.expire()


@shared_task
def tell_of_reference_changes() -> int:
    return reference_changes.tell()
