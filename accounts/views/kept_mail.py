"""The demo's mailbox: what would have been sent."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import mail
from accounts.models import KeptMail


@never_cache
@require_safe
def kept_mail(request: HttpRequest) -> HttpResponse:
    """Everyone, where mail is kept and not sent; never in production."""
    if settings.PRODUCTION or not mail.is_kept():
        raise Http404
    page = Paginator(KeptMail.objects.all(), 20).get_page(request.GET.get("seite"))
    return render(request, "accounts/kept_mail.html", {"page": page})
