"""Readers: each turns one kind of input into `Rows`, or raises `Unreadable` with what is wrong as a whole."""

from transactions.findings import Finding


class Unreadable(Exception):
    """The input cannot be read as rows at all; nothing of it was checked."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(", ".join(finding.code for finding in findings))
        self.findings = list(findings)
