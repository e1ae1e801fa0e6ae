"""A mail backend that sends nothing: the demo shows its mail at `/demo/post/`."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.models import KeptMail


class Backend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        rows = [
            KeptMail(sender=mail.from_email, recipient=to, subject=str(mail.subject), body=str(mail.body))
            for mail in email_messages
            for to in mail.recipients()
        ]
        KeptMail.objects.bulk_create(rows)
        return len(email_messages)
