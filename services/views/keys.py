"""Keys of a service or of a portal, on the same pages. Who may: whoever may edit the service or the portal.

A new key is the answer to the form and stands nowhere else: not in the session, a message or a log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.access import person
from accounts.ways_in import oidc_configured
from portals.models import Portal
from services import credentials, key_example
from services.client_tokens import token_provider
from services.credentials import ClientTaken, TooManyKeys
from services.key_forms import ClientForm, KeyForm
from services.models import Credential, OnlineService
from services.views.access import editable_service
from services.views.portal_access import managed_portal
from zsk import site

Params = ParamSpec("Params")


@dataclass(frozen=True)
class Owner:
    """Whose keys they are, and where their pages are."""

    service: OnlineService | None = None
    portal: Portal | None = None

    @property
    def base(self) -> str:
        if self.service:
            return f"/meine/onlineservices/{self.service.number}/"
        return f"/meine/portale/{self.portal.kuerzel}/" if self.portal else ""

    @property
    def keys(self) -> dict[str, Any]:
        return {"service": self.service, "portal": self.portal}

    @property
    def name(self) -> str:
        return self.service.name if self.service else str(self.portal)

    def newest(self) -> str:
        first = Credential.objects.filter(**self.keys).order_by("-pk").values_list("pk", flat=True).first()
        return str(first or "")


def for_service(view: Callable[Concatenate[HttpRequest, Owner, Params], HttpResponse]) -> Any:
    """The view for the keys of the service that the address names."""

    @wraps(view)
    def answer(
        request: HttpRequest, number: str, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponse:
        return view(request, Owner(service=editable_service(request, number)), *args, **kwargs)

    return never_cache(login_required(answer))


def for_portal(view: Callable[Concatenate[HttpRequest, Owner, Params], HttpResponse]) -> Any:
    @wraps(view)
    def answer(
        request: HttpRequest, kuerzel: str, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponse:
        return view(request, Owner(portal=managed_portal(request, kuerzel)), *args, **kwargs)

    return never_cache(login_required(answer))


@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest, owner: Owner) -> HttpResponse:
    """The list, and the form for a new key."""
    newest = owner.newest()
    if request.method != "POST":
        return _list(request, owner, KeyForm(newest=newest), 200)
    form = KeyForm(request.POST, newest=newest)
    if form.is_valid():
        try:
            return _issued(request, owner, form)
        except TooManyKeys as error:
            form.add_error(None, str(error))
    return _list(request, owner, form, 422)


@sensitive_variables("key", "facts")
def _issued(request: HttpRequest, owner: Owner, form: KeyForm) -> HttpResponse:
    """The only page that ever shows the key."""
    credential, key = credentials.issue_api_key(
        **owner.keys, name=form.cleaned_data["name"], by=person(request), expires_at=form.expires_at()
    )
    address = site.address(request)
    facts = {
        "owner": owner,
        "credential": credential,
        "key": key,
        "command": key_example.command(key=key, site=address, **owner.keys),
    }
    answer = render(request, "services/key_new.html", facts)
    # A 200 on purpose: a redirect would have to carry the key. never_cache has said no-store.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _list(request: HttpRequest, owner: Owner, form: forms.Form, status: int) -> HttpResponse:
    found = Credential.objects.filter(**owner.keys).select_related("created_by")
    now = timezone.now()
    rows = [(row, _standing(row)) for row in found]
    usable = [row for row, standing in rows if standing == "gueltig" and row.kind == Credential.Kind.API_KEY]
    facts = {
        "owner": owner,
        "form": form,
        "rows": rows,
        "now": now,
        "full": len(usable) >= credentials.MAX_USABLE_KEYS,
        "keycloak": oidc_configured(),
    }
    return render(request, "services/keys.html", facts, status=status)


def _standing(credential: Credential) -> str:
    if credential.revoked_at:
        return "widerrufen"
    return "abgelaufen" if credential.expires_at and credential.expires_at <= timezone.now() else "gueltig"


@require_http_methods(["GET", "HEAD", "POST"])
def client(request: HttpRequest, owner: Owner) -> HttpResponse:
    """Enter a client of Keycloak; there is no such page without Keycloak."""
    provider = token_provider()
    if provider is None:
        raise Http404
    form = ClientForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = credentials.register_client(**owner.keys, **form.cleaned_data, by=person(request))
        except ClientTaken as error:
            form.add_error("client_id", str(error))
        else:
            messages.success(request, _("Der Client %(id)s ist eingetragen.") % {"id": made.public_id})
            return redirect(f"{owner.base}schluessel")
    facts = {
        "owner": owner,
        "form": form,
        "audience": provider.api_audience,
        "token_command": key_example.token_command(provider),
        "command": key_example.command(key="$TOKEN", site=site.address(request), **owner.keys),
    }
    return render(request, "services/key_client.html", facts, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, owner: Owner, pk: int) -> HttpResponse:
    """GET states the consequence, POST does it."""
    found = get_object_or_404(Credential, pk=pk, **owner.keys)
    if request.method != "POST" and not found.revoked_at:
        return render(request, "services/key_revoke.html", {"owner": owner, "credential": found})
    if found.revoked_at:
        messages.info(request, _("Dieser Schlüssel war schon widerrufen."))
    else:
        credentials.revoke_credential(credential=found, by=person(request))
        messages.success(
            request, _("Widerrufen: %(name)s. Er gilt ab sofort nicht mehr.") % {"name": found.name}
        )
    return redirect(f"{owner.base}schluessel")


service_keys, portal_keys = for_service(keys), for_portal(keys)
service_client, portal_client = for_service(client), for_portal(client)
service_revoke, portal_revoke = for_service(revoke), for_portal(revoke)
