"""Doors that pages share: who is signed in, and pages for operations only."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.models import User

View = Callable[..., HttpResponseBase]


class NotHere(Http404):
    """A 404 whose page says more: `NotHere("…")`, in sentences that do not tell what others may see."""


def person(request: HttpRequest) -> User:
    """Who is signed in; for views that see to it that somebody is."""
    assert isinstance(request.user, User)  # noqa: S101 (the view has seen to it)
    return request.user


def operations_only(view: View) -> View:
    """The public is led to the log-in; who is signed in without being operations gets a 403."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not person(request).is_operations:
            raise PermissionDenied(_("Diese Seiten sind nur für den ZSK-Betrieb."))
        return view(request, *args, **kwargs)

    return never_cache(login_required(answer))
