"""Entering and changing authorities."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Authority, User
from ozgsync.models import Region


class NameTaken(Exception):
    """There is an authority of this name."""


@dataclass(frozen=True)
class AuthorityChoice:
    """An authority that is there, or what is needed to enter a new one."""

    existing: Authority | None = None
    name: str = ""
    level: str = ""
    region: Region | None = None


@transaction.atomic
def create_authority(
    *, name: str, level: str, region: Region, by: User, parent: Authority | None = None
) -> Authority:
    """Raises NameTaken, also when somebody else was quicker."""
    try:
        with transaction.atomic():
            authority = Authority.objects.create(name=name, level=level, region=region, parent=parent)
    except IntegrityError as error:
        raise NameTaken from error
    audit.record(by=by, action=_("Behörde eingetragen"), target=authority, detail=_facts(authority))
    return authority


@transaction.atomic
def change_authority(
    *, authority: Authority, name: str, level: str, region: Region, parent: Authority | None, by: User
) -> Authority:
    """Raises NameTaken. What was there before stands in the audit log."""
    before = f"{authority.name}, {_facts(authority)}"
    authority.name, authority.level, authority.region, authority.parent = name, level, region, parent
    after = f"{authority.name}, {_facts(authority)}"
    if after == before:
        return authority
    try:
        with transaction.atomic():
            authority.save()
    except IntegrityError as error:
        raise NameTaken from error
    audit.record(
        by=by, action=_("Behörde geändert"), target=authority,
        detail=_("vorher: %(before)s; jetzt: %(after)s") % {"before": before, "after": after},
    )  # fmt: skip
    return authority


def chosen_authority(choice: AuthorityChoice, *, by: User) -> Authority:
    """The one that is there, or the new one, entered now. Raises NameTaken."""
    if choice.existing:
        return choice.existing
    assert choice.region is not None  # noqa: S101 (the form has seen to it)
    return create_authority(name=choice.name, level=choice.level, region=choice.region, by=by)


def _facts(authority: Authority) -> str:
    parts = [authority.get_level_display(), str(authority.region)]
    return ", ".join([*parts, *([str(authority.parent)] if authority.parent else [])])
