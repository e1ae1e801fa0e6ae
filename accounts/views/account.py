"""One's own account: who one is, password and e-mail address."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.account import views as allauth_views
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.forms import (
    AskResetForm,
    ChangeEmailForm,
    ChangePasswordForm,
    ConfirmPasswordForm,
    ResetPasswordForm,
)
from accounts.local import adopt_address
from accounts.models import User
from accounts.ways_in import may_use_password, oidc_configured

View = Callable[..., HttpResponseBase]


def has_own_password(person: User) -> bool:
    """Whether password, address and second factor of this account are kept here, and not by Keycloak."""
    return may_use_password(person) and person.has_usable_password()


def local_account(view: View) -> View:
    """For people signed in whose account is kept here; for others there is no such page."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not has_own_password(cast(User, request.user)):
            raise Http404
        return view(request, *args, **kwargs)

    return never_cache(login_required(answer))


def without_keycloak(view: View) -> View:
    """For everyone, where accounts are kept here."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if oidc_configured():
            raise Http404
        return view(request, *args, **kwargs)

    return never_cache(answer)


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Everyone signed in, about themselves: who they are and what they may do where."""
    person = cast(User, request.user)
    services = person.service_memberships.select_related("service").order_by("service__name", "service")
    portals = person.portal_memberships.select_related("portal").order_by("portal__name")
    facts = {"services": services, "portals": portals, "own_password": has_own_password(person)}
    return render(request, "accounts/account.html", facts)


@never_cache
@login_required
@require_POST
def reminders(request: HttpRequest) -> HttpResponse:
    """Everyone signed in, for themselves."""
    person = cast(User, request.user)
    person.reminders = request.POST.get("an") == "ja"
    person.save(update_fields=["reminders"])
    said = _("Sie werden wieder erinnert.") if person.reminders else _("Sie werden nicht mehr erinnert.")
    messages.success(request, said)
    return redirect("accounts:account")


@method_decorator(local_account, name="dispatch")
class ChangePassword(allauth_views.PasswordChangeView):
    """Everyone signed in, for themselves."""

    form_class = ChangePasswordForm
    template_name = "accounts/password.html"


@method_decorator(local_account, name="dispatch")
class ChangeEmail(allauth_views.EmailView):
    """Everyone signed in, for themselves; the new address holds when the link sent to it was followed."""

    form_class = ChangeEmailForm
    template_name = "accounts/email.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        adopt_address(cast(User, request.user))
        return super().dispatch(request, *args, **kwargs)


@method_decorator(never_cache, name="dispatch")
class ConfirmEmail(allauth_views.ConfirmEmailView):
    """Whoever has the link; it is good once and tells nothing about other accounts."""

    template_name = "accounts/email_confirm.html"

    def respond(self, success: bool) -> HttpResponse:
        context = {**self.get_context_data(), "done": success, "failed": not success}
        return self.render_to_response(context)


@method_decorator(local_account, name="dispatch")
class ConfirmPassword(allauth_views.ReauthenticateView):
    """Everyone signed in, before something that a stranger at an open screen should not do."""

    form_class = ConfirmPasswordForm
    template_name = "accounts/confirm_password.html"


@method_decorator(without_keycloak, name="dispatch")
class AskReset(allauth_views.PasswordResetView):
    """Everyone; the answer is the same whether there is such an account or not."""

    form_class = AskResetForm
    template_name = "accounts/reset_ask.html"


@method_decorator(without_keycloak, name="dispatch")
class ResetAsked(allauth_views.PasswordResetDoneView):
    """Everyone."""

    template_name = "accounts/reset_asked.html"


@method_decorator(never_cache, name="dispatch")
class ResetPassword(allauth_views.PasswordResetFromKeyView):
    """Whoever has the link, until the password is changed or three days are over."""

    form_class = ResetPasswordForm
    template_name = "accounts/reset.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(can_ask=not oidc_configured(), **kwargs)


@method_decorator(never_cache, name="dispatch")
class ResetDone(allauth_views.PasswordResetFromKeyDoneView):
    """Everyone."""

    template_name = "accounts/reset_done.html"
