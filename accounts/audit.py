"""Writing the audit log: one entry per change of rights, keys or publication, in the change's transaction."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User


def record(*, by: User | None, action: str, target: object, detail: str = "", actor: str = "") -> AuditEntry:
    """`by` is None for what the machine or somebody at the command line did, or somebody without an account,
    whom `actor` names."""
    name = by.display_name if by else actor or _("System")
    return AuditEntry.objects.create(
        user=by, actor=name[:200], action=action[:60], target=str(target)[:200], detail=detail[:500]
    )


def record_each(*, by: User | None, action: str, targets: Iterable[tuple[object, str]]) -> None:
    """The same for many at once: (target, detail) of each, in one statement."""
    name = by.display_name if by else _("System")
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                user=by, actor=name[:200], action=action[:60], target=str(target)[:200], detail=detail[:500]
            )
            for target, detail in targets
        ],
        batch_size=2_000,
    )
