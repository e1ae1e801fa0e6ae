"""What a token must prove, with keys made here."""

import time
from typing import Any

import jwt
import pytest

from accounts import jwks
from accounts.jwks import KeycloakUnreachable
from accounts.tokens import TokenRefused, check_id_token, verified_claims
from tests.accounts.fake_keycloak import (
    KEY,
    OTHER_KEY,
    PROVIDER,
    FakeKeycloak,
    claims,
    install,
    published,
    token,
)


@pytest.fixture
def keycloak(monkeypatch: pytest.MonkeyPatch) -> FakeKeycloak:
    return install(monkeypatch)


def verify(text: str) -> dict[str, Any]:
    return verified_claims(text, issuer=PROVIDER.issuer, audience="zsk", jwks_url=PROVIDER.jwks_endpoint)


@pytest.mark.parametrize("audience", ["zsk", ["zsk"], ["konto", "zsk"]])
def test_a_token_for_us_is_believed(keycloak: FakeKeycloak, audience: object) -> None:
    assert verify(token(aud=audience))["sub"] == "sub-1"


@pytest.mark.parametrize(
    "fault",
    [
        {"aud": "andere"},
        {"aud": ["andere", "konto"]},
        {"aud": None},
        {"iss": "https://anmeldung.example/realms/andere"},
        {"iss": None},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"key": OTHER_KEY},
        {"kid": "unbekannt"},
    ],
    ids=str,
)
def test_anything_else_is_refused(keycloak: FakeKeycloak, fault: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        verify(token(**fault))


def test_clocks_may_differ_a_little(keycloak: FakeKeycloak) -> None:
    assert verify(token(exp=int(time.time()) - 10))


@pytest.mark.parametrize("text", ["", "unsinn", "a.b.c", jwt.encode(claims(), None, algorithm="none")])
def test_what_is_no_signed_token_is_refused(keycloak: FakeKeycloak, text: str) -> None:
    with pytest.raises(TokenRefused):
        verify(text)


def test_the_public_key_is_no_password(keycloak: FakeKeycloak) -> None:
    """The old trick: HS256 with the published key as its secret."""
    forged = jwt.encode(claims(), published(KEY)["n"] * 2, algorithm="HS256", headers={"kid": "eins"})
    with pytest.raises(TokenRefused, match="HS256"):
        verify(forged)


def test_the_key_is_chosen_by_use_and_algorithm(keycloak: FakeKeycloak) -> None:
    keycloak.keys = [
        published(OTHER_KEY, use="enc", alg="RSA-OAEP"),
        published(OTHER_KEY, alg="RS512"),
        published(KEY),
    ]
    assert verify(token())
    keycloak.keys = [published(KEY, use="enc")]
    jwks.fetch(PROVIDER.jwks_endpoint)
    with pytest.raises(TokenRefused):
        verify(token())


def test_keys_are_fetched_once_and_again_for_a_new_one(keycloak: FakeKeycloak) -> None:
    verify(token())
    verify(token())
    assert len(keycloak.asked) == 1
    keycloak.keys.append(published(OTHER_KEY, kid="zwei"))
    assert verify(token(OTHER_KEY, "zwei"))
    assert len(keycloak.asked) == 2


def test_invented_keys_do_not_make_us_ask_all_the_time(keycloak: FakeKeycloak) -> None:
    for number in range(5):
        with pytest.raises(TokenRefused):
            verify(token(kid=f"erfunden-{number}"))
    assert len(keycloak.asked) == 2


def test_known_keys_hold_while_keycloak_is_down(keycloak: FakeKeycloak) -> None:
    verify(token())
    keycloak.is_down = True
    assert verify(token())
    with pytest.raises(KeycloakUnreachable):
        verify(token(kid="zwei"))


@pytest.mark.parametrize(
    "fault",
    [
        {"nonce": "anderer"},
        {"nonce": None},
        {"azp": "andere"},
        {"aud": ["zsk", "konto"], "azp": None},
        {"typ": "Bearer"},
    ],
    ids=str,
)
def test_an_id_token_must_answer_this_log_in_of_this_client(fault: dict[str, Any]) -> None:
    check_id_token(claims(), client_id="zsk", nonce="nonce")
    with pytest.raises(TokenRefused):
        check_id_token(claims(**fault), client_id="zsk", nonce="nonce")


def test_no_nonce_is_not_the_same_as_no_nonce() -> None:
    with pytest.raises(TokenRefused):
        check_id_token(claims(nonce=""), client_id="zsk", nonce="")
