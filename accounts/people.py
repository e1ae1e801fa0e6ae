"""Changing what a person may do: by operations, with an entry in the audit log."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Authority, User


class OwnRights(Exception):
    """Nobody locks themselves out, or takes their own role: somebody is always left in operations."""


@transaction.atomic
def change_rights(
    *, person: User, authority: Authority | None, is_active: bool, is_operations: bool, by: User
) -> list[str]:
    """Returns what changed, in words. Raises OwnRights.

    Locks operations in order of their ids: of two who take the role from each other at once, the second
    finds that it is no longer theirs to take.
    """
    locked = {
        row.pk: row
        for row in User.objects.select_for_update().filter(pk__in={person.pk, by.pk}).order_by("pk")
    }
    if not locked[by.pk].is_operations or not locked[by.pk].is_active:
        raise OwnRights
    target = locked[person.pk]
    if target.pk == by.pk and not (is_active and is_operations):
        raise OwnRights
    changes = _changes(target, authority=authority, is_active=is_active, is_operations=is_operations)
    if changes:
        target.authority, target.is_active, target.is_operations = authority, is_active, is_operations
        target.save(update_fields=["authority", "is_active", "is_operations"])
        audit.record(
            by=by, action=_("Rechte geändert"), target=target.display_name, detail="; ".join(changes)
        )
    return changes


def _changes(person: User, *, authority: Authority | None, is_active: bool, is_operations: bool) -> list[str]:
    found = []
    if person.authority != authority:
        found.append(
            _("Behörde: %(new)s statt %(old)s") % {"new": authority or "–", "old": person.authority or "–"}
        )
    if person.is_active != is_active:
        found.append(_("Konto entsperrt") if is_active else _("Konto gesperrt"))
    if person.is_operations != is_operations:
        found.append(_("ZSK-Betrieb: ja") if is_operations else _("ZSK-Betrieb: nein"))
    return found
