"""Background jobs of the deliveries; each calls one function."""

from celery import shared_task

from transactions import contents, totals


@shared_task
def fold_totals() -> int:
    return totals.fold()


@shared_task
def expire_contents() -> int:
    return contents.expire()
