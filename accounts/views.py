"""Log in and out, and one's own account."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import ChangePasswordForm, LogInForm
from accounts.models import User


class LogIn(LoginView):
    """Everyone; leads back to `?next=` where that is one of our own addresses."""

    form_class = LogInForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True


@never_cache
@require_http_methods(["GET", "POST"])
def log_out(request: HttpRequest) -> HttpResponse:
    """Everyone. By POST only, so that no link of a foreign page can do it; GET offers the button."""
    if request.method == "POST":
        logout(request)
        return redirect("accounts:logout")
    return render(request, "accounts/logout.html")


@never_cache
def enter_admin(request: HttpRequest) -> HttpResponse:
    """In place of the admin's own log-in: strangers come to ours, who may not enter is told so."""
    target = request.GET.get("next") or reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect(f"{reverse('accounts:login')}?{urlencode({'next': target})}")
    if not request.user.is_staff:
        raise PermissionDenied(_("Die Verwaltung steht nur dem ZSK-Betrieb offen."))
    return redirect("admin:index")


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Everyone signed in, about themselves: who they are and what they may do where."""
    assert isinstance(request.user, User)  # noqa: S101 (login_required has seen to it)
    services = request.user.service_memberships.select_related("service").order_by("service__name", "service")
    portals = request.user.portal_memberships.select_related("portal").order_by("portal__name")
    return render(request, "accounts/account.html", {"services": services, "portals": portals})


class ChangePassword(PasswordChangeView):
    """Everyone signed in, for themselves."""

    form_class = ChangePasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:account")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, _("Ihr Passwort ist geändert. Es gilt ab sofort."))
        return super().form_valid(form)
