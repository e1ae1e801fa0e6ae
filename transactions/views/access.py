"""Doors from a request to a person and to the deliveries that they may see."""

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.access import NotHere
from accounts.models import User
from transactions.models import Delivery


def person(request: HttpRequest) -> User:
    """Who is signed in; for views behind `login_required`."""
    assert isinstance(request.user, User)  # noqa: S101 (login_required has seen to it)
    return request.user


def own_upload(request: HttpRequest, pk: uuid.UUID) -> Delivery:
    """A file that this person uploaded or a form they filled in; what others sent is not there."""
    channels = (Delivery.Channel.FILE, Delivery.Channel.FORM)
    uploads = Delivery.objects.filter(user=person(request), channel__in=channels)
    found = uploads.select_related("service").filter(pk=pk).first()
    if found is None:
        raise NotHere(
            _(
                "Hier wartet nichts von Ihnen. Vielleicht haben Sie es inzwischen verworfen; dann wurde"
                " nichts daraus gespeichert. Laden Sie sonst die Datei noch einmal hoch."
            )
        )
    return found


def visible_delivery(request: HttpRequest, pk: uuid.UUID) -> Delivery:
    visible = Delivery.objects.visible_to(person(request))
    return get_object_or_404(
        visible.select_related("credential", "service", "undoes", "undone_by", "user"), pk=pk
    )
