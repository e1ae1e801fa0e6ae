"""The page behind an invitation's link: accept it as who one is, or make an account first.

Open to everyone who has the link. It lives here and not in accounts, because it says what comes with the
invitation in services and portals.
"""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.forms import NewPasswordForm
from accounts.invitations import InvitationUnusable, State, state_of
from accounts.local import AddressTaken
from accounts.models import Invitation, User
from accounts.request_forms import NameForm
from accounts.second_factor import LOCAL_BACKEND
from accounts.views.landing import secret_address
from accounts.ways_in import oidc_configured
from services.joining import promises
from zsk import context

# Names the invitation to who comes back from Keycloak; its id, so that the token stays out of the session.
SESSION_KEY = "invitation"


class NewPersonForm(NameForm, NewPasswordForm):
    """Name and password of somebody without an account; the address is known from the invitation."""

    field_order = ("first_name", "last_name", "password1", "password2")


@secret_address
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Everyone who has the link."""
    found = invitations.by_token(token)
    if found is None:
        return _unusable(request, None, 404)
    if state_of(found) is not State.OPEN:
        return _unusable(request, found, 410)
    person = context.person(request)
    try:
        if request.method == "POST":
            return _accept(request, found, person) if person else _make_account(request, found)
    except InvitationUnusable:
        found.refresh_from_db()
        return _unusable(request, found, 410)
    return _open(request, found)


def _accept(request: HttpRequest, found: Invitation, person: User) -> HttpResponse:
    invitations.accept(invitation=found, person=person)
    return _welcome(request, found)


def _make_account(request: HttpRequest, found: Invitation) -> HttpResponse:
    """An account of ours, for the address that the link was sent to; one that is there is not given away."""
    if oidc_configured():
        return _open(request, found)
    form = NewPersonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, 422)
    try:
        person = invitations.accept_as_new_person(
            invitation=found,
            first_name=form.cleaned_data["first_name"],
            last_name=form.cleaned_data["last_name"],
            password=form.cleaned_data["password1"],
        )
    except AddressTaken:
        return _page(request, found, None, 409)
    login(request, person, backend=LOCAL_BACKEND)
    return _welcome(request, found)


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    roles = promises(found)
    gained = _("Sie sind jetzt: %(roles)s.") % {"roles": ", ".join(roles)} if roles else ""
    messages.success(
        request, _("Willkommen bei der ZSK. Ihre Einladung ist angenommen.") + f" {gained}".rstrip()
    )
    request.session.pop(SESSION_KEY, None)
    return redirect("/meine/")


def _open(request: HttpRequest, found: Invitation) -> HttpResponse:
    """For who is not signed in: the way to Keycloak, or the form; none where the address has its account."""
    if context.person(request):
        return _page(request, found, None, 200)
    if oidc_configured():
        request.session[SESSION_KEY] = found.pk
        return _page(request, found, None, 200)
    has_account = User.objects.filter(email__iexact=found.email).exists()
    names = {"first_name": found.first_name, "last_name": found.last_name}
    return _page(request, found, None if has_account else NewPersonForm(initial=names), 200)


def _page(request: HttpRequest, found: Invitation, form: forms.Form | None, status: int) -> HttpResponse:
    person = context.person(request)
    back = urlencode({"next": request.path})
    facts = {
        "invitation": found,
        "roles": promises(found),
        "form": form,
        "other_address": person and person.email.casefold() != found.email.casefold(),
        "new_authority": person and invitations.gives_authority(found, person),
        "keycloak": f"{reverse('accounts:oidc_login')}?{back}" if oidc_configured() else "",
        "log_in": f"{reverse('accounts:login')}?{back}",
    }
    return render(request, "accounts/invitation.html", facts, status=status)


def _unusable(request: HttpRequest, found: Invitation | None, status: int) -> HttpResponse:
    """Why the link does not work any more, and what helps. Who has accepted it is told the way on."""
    person = context.person(request)
    facts = {
        "state": state_of(found).value if found else "",
        "mine": bool(found and person and found.accepted_by_id == person.pk),
        "invitation": found,
    }
    if facts["mine"]:
        return render(request, "accounts/invitation_unusable.html", facts)
    return render(request, "accounts/invitation_unusable.html", facts, status=status)
