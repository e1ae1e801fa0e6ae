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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""), ("https://zsk.example.org", "https://zsk.example.org"),
        (" https://zsk.example.org/ ", "https://zsk.example.org"),
        ("https://zsk.example.org:8443", "https://zsk.example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)  # fmt: skip
def test_an_origin_is_scheme_and_host(text: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", text)
    assert env.origin("SITE_URL") == found


@pytest.mark.parametrize(
    "text",
    [
        "zsk.example.org", "/", "//zsk.example.org", "https://", "https://zsk.example.org/zsk", "ftp://a.b",
        "https://zsk.example.org?x", "https://a@zsk.example.org", "https://zsk.example.org:seven", "https://[::1",
    ],
)  # fmt: skip
def test_anything_else_that_links_could_begin_with_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", text)
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        env.origin("SITE_URL")


def test_behind_tls_links_begin_with_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", "http://zsk.example.org")
    with pytest.raises(ImproperlyConfigured, match="https"):
        env.origin("SITE_URL", only_https=True)
