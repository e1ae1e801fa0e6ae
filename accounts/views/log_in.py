"""Log in and out. Where Keycloak is configured, our own form is for emergencies only."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.logout import logout
from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import oidc_session
from accounts.forms import CodeForm, LogInForm
from accounts.ways_in import oidc_configured


class LogIn(LoginView):
    """Everyone; leads back to `?next=` where that is one of our own addresses."""

    form_class = LogInForm
    template_name = "accounts/login.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if oidc_configured():
            return HttpResponseNotAllowed(["GET"])
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if oidc_configured():
            wanted = self.get_next_url()
            query = f"?{urlencode({'next': wanted})}" if wanted else ""
            context["keycloak"] = reverse("accounts:oidc_login") + query
        return context


class EmergencyLogIn(LoginView):
    """Everyone may try; only the one account named by `BREAK_GLASS_USER` gets in."""

    form_class = LogInForm
    template_name = "accounts/login_emergency.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (oidc_configured() and settings.BREAK_GLASS_USER):
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class EnterCode(AuthenticateView):
    """Whoever has just given the right password of an account with a second factor."""

    form_class = CodeForm
    template_name = "accounts/login_code.html"


@never_cache
@require_http_methods(["GET", "POST"])
def log_out(request: HttpRequest) -> HttpResponse:
    """Everyone. By POST only, so that no link of a foreign page can do it; GET offers the button."""
    if request.method == "POST":
        keycloak = oidc_session.logout_url(request)
        logout(request)
        return redirect(keycloak or "accounts:logout")
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
