"""Who may log in with a password of ours: everyone, or beside Keycloak one account for emergencies."""

from django.conf import settings

from accounts.models import User


def oidc_configured() -> bool:
    return bool(settings.OIDC_ISSUER)


def may_use_password(person: User) -> bool:
    """Where Keycloak is configured, only the account named by `BREAK_GLASS_USER` keeps its password."""
    return not oidc_configured() or person.username == settings.BREAK_GLASS_USER


def needs_second_factor(person: User) -> bool:
    """Whether the person must have one: operations, and the account for emergencies."""
    if not settings.REQUIRE_SECOND_FACTOR:
        return False
    privileged = person.is_operations or person.is_staff
    return privileged or person.username == settings.BREAK_GLASS_USER
