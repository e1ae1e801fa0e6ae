"""Authorities: the list, a new one, one to change. For operations only."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import operations_only, person
from accounts.authorities import NameTaken, change_authority, create_authority
from accounts.models import Authority, User
from zsk.operations import queries
from zsk.operations.forms import AuthorityEditForm, AuthorityFilter

PER_PAGE = 50


@operations_only
@require_safe
def authorities(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form = AuthorityFilter(request.GET)
    form.is_valid()
    text, level = form.cleaned_data.get("q", ""), form.cleaned_data.get("ebene", "")
    page = Paginator(queries.authorities(text=text, level=level), PER_PAGE).get_page(request.GET.get("seite"))
    facts = {"form": form, "page": page, "filtered": bool(text or level)}
    return render(request, "operations/authorities.html", facts)


@operations_only
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Operations."""
    return _edit(request, None)


@operations_only
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    found = Authority.objects.select_related("region", "parent")
    return _edit(request, get_object_or_404(found, pk=pk))


def _edit(request: HttpRequest, authority: Authority | None) -> HttpResponse:
    form = AuthorityEditForm(request.POST if request.method == "POST" else None, authority=authority)
    if request.method == "POST" and form.is_valid():
        try:
            saved = _save(form, authority, person(request))
        except NameTaken:
            form.add_error("name", _("Eine Behörde mit diesem Namen gibt es schon."))
        else:
            messages.success(request, _("%(name)s ist gespeichert.") % {"name": saved.name})
            return redirect("operations:authorities")
    # The row itself may hold what was just refused.
    shown = Authority.objects.get(pk=authority.pk) if authority else None
    facts = {"form": form, "authority": shown}
    return render(request, "operations/authority.html", facts, status=422 if form.errors else 200)


def _save(form: AuthorityEditForm, authority: Authority | None, by: User) -> Authority:
    cleaned = form.cleaned_data
    values = {
        "name": cleaned["name"],
        "level": cleaned["level"],
        "region": cleaned["chosen_region"],
        "parent": cleaned["parent"],
    }
    if authority is None:
        return create_authority(**values, by=by)
    return change_authority(authority=authority, **values, by=by)
