"""Settings from the environment: wrong values stop the start and never say a secret."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from zsk import env


@pytest.mark.parametrize("text", ["geheimnis", "1:", "eins:geheimnis", "1:a,geheimnis", ""])
def test_a_malformed_pepper_is_refused_without_saying_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PEPPERS", text)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.numbered("KEY_PEPPERS", "")
    assert "geheimnis" not in str(refused.value)


def test_peppers_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PEPPERS", "1:alt, 2:neu:mit:Doppelpunkten")
    assert env.numbered("KEY_PEPPERS", "") == {1: "alt", 2: "neu:mit:Doppelpunkten"}


def test_a_number_out_of_its_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUE_DAY", "31")
    with pytest.raises(ImproperlyConfigured, match="größer als 28"):
        env.number("DUE_DAY", 15, least=1, most=28)
