"""Whom somebody may know to have an account: no form gives away that an address has one."""

from accounts.models import Authority, User


def known_person(email: str, *, by: User, authority: Authority) -> User | None:
    """The person with this address, where `by` may know of them: people of their own authority and of the one
    concerned, and everybody for operations. Others are invited, whether they have an account or not; so are
    those who share an address, because it does not say which of them is meant.
    """
    found = list(User.objects.filter(email__iexact=email.strip(), is_active=True)[:2])
    if len(found) != 1:
        return None
    person = found[0]
    own = {pk for pk in (by.authority_id, authority.pk) if pk is not None}
    return person if by.is_operations or person == by or person.authority_id in own else None
