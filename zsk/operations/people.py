"""People: the list, and what one of them may do. For operations only."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import operations_only, person
from accounts.models import AuditEntry, User
from accounts.people import OwnRights, change_rights
from zsk.operations import queries
from zsk.operations.forms import PersonFilter, RightsForm

PER_PAGE = 50


@operations_only
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form = PersonFilter(request.GET)
    form.is_valid()
    text, kind = form.cleaned_data.get("q", ""), form.cleaned_data.get("art", "")
    found = queries.people(text=text, kind=kind)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("seite"))
    return render(
        request, "operations/people.html", {"form": form, "page": page, "filtered": bool(text or kind)}
    )


@operations_only
@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    someone = get_object_or_404(User.objects.select_related("authority"), pk=pk)
    form = RightsForm(request.POST if request.method == "POST" else None, person=someone)
    if request.method == "POST" and form.is_valid():
        try:
            changes = change_rights(person=someone, by=person(request), **form.cleaned_data)
        except OwnRights:
            form.add_error(
                None,
                _("Sich selbst können Sie weder sperren noch die Rolle nehmen. Das macht jemand anderes."),
            )
        else:
            text = _("Gespeichert: %(changes)s.") % {"changes": "; ".join(changes)}
            messages.success(request, text if changes else _("Es hat sich nichts geändert."))
            return redirect("operations:person", pk)
    return _page(request, someone, form)


def _page(request: HttpRequest, someone: User, form: RightsForm) -> HttpResponse:
    entries = AuditEntry.objects.filter(Q(user=someone) | Q(target=someone.display_name[:200]))
    facts = {
        "someone": someone,
        "form": form,
        "services": someone.service_memberships.select_related("service").order_by("service__name"),
        "portals": someone.portal_memberships.select_related("portal").order_by("portal__name"),
        "entries": entries[:20],
    }
    return render(request, "operations/person.html", facts, status=422 if form.errors else 200)
