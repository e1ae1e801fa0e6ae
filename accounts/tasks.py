"""Background jobs of people and their mail; each calls one function."""

from celery import shared_task

from accounts import invitations, mail, requests


@shared_task
def deliver_mail(pk: int) -> bool:
    return mail.deliver(pk)


@shared_task
def deliver_waiting_mail() -> int:
    return mail.deliver_waiting()


@shared_task
def expire_mail() -> int:
    return mail.expire()


@shared_task
def expire_access() -> int:
    """Requests and invitations that are long done with."""
    return requests.expire() + invitations.expire()
