"""Setting up, using and removing one's own second factor."""

from typing import Any, cast

from allauth.mfa.base.views import IndexView, ReauthenticateView
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from accounts.forms import ActivateForm, ConfirmCodeForm
from accounts.models import User
from accounts.views.account import local_account
from accounts.ways_in import needs_second_factor

local = method_decorator(local_account, name="dispatch")


def _required(request: HttpRequest) -> bool:
    return needs_second_factor(cast(User, request.user))


@local
class Overview(IndexView):
    """Everyone signed in, for themselves; so are all pages here."""

    template_name = "accounts/second_factor.html"


@local
class Activate(ActivateTOTPView):
    form_class = ActivateForm
    template_name = "accounts/second_factor_activate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(second_factor_required=_required(self.request), **kwargs)


@local
class Deactivate(DeactivateTOTPView):
    template_name = "accounts/second_factor_deactivate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(second_factor_required=_required(self.request), **kwargs)


@local
class ShowCodes(codes.ViewRecoveryCodesView):
    template_name = "accounts/recovery_codes.html"


@local
class NewCodes(codes.GenerateRecoveryCodesView):
    template_name = "accounts/recovery_codes_new.html"


@local
class DownloadCodes(codes.DownloadRecoveryCodesView):
    template_name = "accounts/recovery_codes.txt"

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **options)
        response.headers["Content-Disposition"] = 'attachment; filename="zsk-ersatzcodes.txt"'
        return response


@local
class ConfirmCode(ReauthenticateView):
    form_class = ConfirmCodeForm
    template_name = "accounts/confirm_code.html"
