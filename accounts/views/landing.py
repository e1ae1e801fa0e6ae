"""The way in: what the ZSK is, asking for access, and where a request stands. Open to everyone.

What tells of one request has an address that nobody guesses; it is neither cached nor passed on as referrer.
"""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import invitations, mail, requests
from accounts.models import AccessRequest
from accounts.request_forms import AnswerForm, RegisterForm, own_names
from zsk import site
from zsk.context import person

View = Callable[..., HttpResponse]


def secret_address(view: View) -> View:
    """For pages whose address is the key to them."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        # The site and never the address. Not no-referrer: browsers would send these pages' forms with
        # `Origin: null`, which Django refuses.
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(answer)


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Everyone."""
    return render(request, "accounts/landing.html", {"due_day": settings.DUE_DAY})


@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Everyone. The answer is the same whether there is an account or a request of this address or not."""
    signed_in = person(request)
    if request.method == "GET":
        return _form(request, RegisterForm(initial=own_names(signed_in) if signed_in else {}), 200)
    form = RegisterForm(request.POST)
    if form.is_by_a_machine:
        return redirect("accounts:landing_sent")
    if not form.is_valid():
        return _form(request, form, 422)
    # Per network address, set in ACCOUNT_RATE_LIMITS; without the cache everybody is let through.
    if not ratelimit.consume(request, action="request_access"):
        form.add_error(
            None, _("Von hier kamen gerade viele Anträge. Bitte senden Sie in einer Stunde noch einmal ab.")
        )
        return _form(request, form, 429)
    requests.submit(application=form.application(), site=site.address(request))
    return redirect("accounts:landing_sent")


def _form(request: HttpRequest, form: RegisterForm, status: int) -> HttpResponse:
    facts = {
        "form": form,
        "days": settings.ACCESS_REQUEST_DAYS,
        "unconfirmed_days": requests.UNCONFIRMED_DAYS,
    }
    return render(request, "accounts/landing_register.html", facts, status=status)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Everyone: look into your mailbox."""
    facts = {"days": requests.UNCONFIRMED_DAYS, "mail_is_kept": mail.is_kept() and not settings.PRODUCTION}
    return render(request, "accounts/landing_sent.html", facts)


@secret_address
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link. It takes a button: programs that look into mails open links, too."""
    found = requests.by_token(token)
    if found is None:
        return render(request, "accounts/landing_confirm.html", {"found": None}, status=404)
    if request.method == "POST":
        try:
            requests.confirm(request=found, site=site.address(request))
        except requests.NotWaiting:
            return _to_status(found, "schon")
        return _to_status(found, "neu")
    if found.status != AccessRequest.Status.UNCONFIRMED:
        return _to_status(found, "schon")
    return render(request, "accounts/landing_confirm.html", {"found": found})


def _to_status(found: AccessRequest, confirmed: str) -> HttpResponse:
    response = redirect("accounts:landing_status", found.pk)
    response["Location"] += f"?bestaetigt={confirmed}"
    return response


@secret_address
@require_http_methods(["GET", "POST"])
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Whoever has the address, which the applicant has by mail."""
    seen = AccessRequest.objects.exclude(status=AccessRequest.Status.UNCONFIRMED)
    found = get_object_or_404(seen.select_related("authority", "invitation"), pk=pk)
    if request.method == "GET":
        return _status_page(request, found, AnswerForm(), 200)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _status_page(request, found, form, 422)
    try:
        requests.answer(request=found, text=form.cleaned_data["text"], site=site.address(request))
    except requests.NotWaiting as changed:
        form.add_error(
            None, _("Auf diese Frage ist schon geantwortet, oder über den Antrag ist entschieden.")
        )
        return _status_page(request, changed.request, form, 409)
    return redirect("accounts:landing_status", pk)


def _status_page(request: HttpRequest, found: AccessRequest, form: AnswerForm, status: int) -> HttpResponse:
    invitation = getattr(found, "invitation", None)
    facts = {
        "access_request": found,
        "form": form,
        "talk": found.messages.all(),
        "state": invitations.state_of(invitation) if invitation else "",
        "invitation": invitation,
        "confirmed": request.GET.get("bestaetigt", ""),
        "days": settings.ACCESS_REQUEST_DAYS,
    }
    return render(request, "accounts/landing_status.html", facts, status=status)
