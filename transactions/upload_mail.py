"""Mail to the person whose large file a worker has finished with: they may have left the page long ago."""

from django.urls import reverse

from accounts import mail
from transactions import sentences
from transactions.models import Delivery


def send_checked(delivery: Delivery, *, site: str) -> None:
    """Its preview waits, or it has faults."""
    _send("upload_checked", delivery, site, reverse("transactions:review", args=[delivery.pk]))


def send_changed(delivery: Delivery, *, site: str) -> None:
    """Nothing was taken over: the stored data changed since the preview."""
    _send("upload_changed", delivery, site, reverse("transactions:review", args=[delivery.pk]))


def send_taken_over(delivery: Delivery, *, site: str) -> None:
    tally = sentences.tally(
        new=delivery.new_count, changed=delivery.changed_count,
        same=delivery.same_count, deleted=delivery.deleted_count,
    )  # fmt: skip
    _send("upload_taken_over", delivery, site, delivery.get_absolute_url(), tally=tally)


def _send(template: str, delivery: Delivery, site: str, path: str, **more: object) -> None:
    if delivery.user and delivery.user.email:
        context = {"delivery": delivery, "site": site, "link": f"{site}{path}", **more}
        mail.send(template, to=delivery.user.email, context=context)
