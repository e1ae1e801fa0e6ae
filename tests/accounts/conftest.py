"""A person with a local account, and mail as it arrives."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from accounts.models import User
from tests.factories import AuthorityFactory, UserFactory

Arrivals = Callable[[], AbstractContextManager[list[EmailMessage]]]


@pytest.fixture
def petra() -> User:
    person: User = UserFactory(
        username="petra", email="petra@example.org", first_name="Petra", last_name="Lindner",
        authority=AuthorityFactory(name="Stadt Kappeln"),
    )  # fmt: skip
    return person


@pytest.fixture
def arrivals(django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]) -> Arrivals:
    """`with arrivals() as inbox:` fills `inbox` with the mails that were sent inside, when it ends."""

    @contextmanager
    def collect() -> Iterator[list[EmailMessage]]:
        found: list[EmailMessage] = []
        before = len(mail.outbox)
        with django_capture_on_commit_callbacks(execute=True):
            yield found
        found.extend(mail.outbox[before:])

    return collect


def link_in(message: EmailMessage) -> str:
    """The first address in a mail, without the host."""
    found = re.search(r"http://testserver(/\S+)", str(message.body))
    assert found, message.body
    return found[1]
