"""A Keycloak that lives in the test: signs with keys of its own, and can be made to misbehave."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from zsk.oidc import Provider

PROVIDER = Provider("https://anmeldung.example/realms/zsk", "zsk", "geheim")


def new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


KEY = new_key()
OTHER_KEY = new_key()


def published(key: RSAPrivateKey, **values: str) -> dict[str, Any]:
    """A key as it stands in the set."""
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": "eins", "use": "sig", "alg": "RS256", **values}


def claims(**values: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": PROVIDER.issuer, "aud": "zsk", "azp": "zsk", "sub": "sub-1", "iat": now, "exp": now + 300,
        "nonce": "nonce", "typ": "ID",
    }  # fmt: skip
    return {name: value for name, value in {**usual, **values}.items() if value is not None}


def token(key: RSAPrivateKey = KEY, kid: str = "eins", **values: Any) -> str:
    return jwt.encode(claims(**values), key, algorithm="RS256", headers={"kid": kid})


def answer(content: object, status: int = 200, text: str = "") -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = (text or json.dumps(content)).encode()
    response.headers["content-type"] = "application/json"
    return response


@dataclass
class FakeKeycloak:
    keys: list[dict[str, Any]] = field(default_factory=lambda: [published(KEY)])
    # What the token endpoint answers, or raises; None: an ID token with these claims.
    token_answer: requests.Response | Exception | None = None
    id_claims: dict[str, Any] = field(default_factory=dict)
    info: requests.Response | Exception | None = None
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, **options: Any) -> requests.Response:
        assert options["timeout"]
        self.asked.append(url)
        if self.is_down:
            raise requests.ConnectionError
        if url == PROVIDER.jwks_endpoint:
            return answer({"keys": self.keys})
        assert url == PROVIDER.user_endpoint
        return _given(self.info, answer({"sub": self.id_claims.get("sub", "sub-1")}))

    def post(self, url: str, data: dict[str, str], **options: Any) -> requests.Response:
        assert url == PROVIDER.token_endpoint
        assert options["timeout"]
        self.sent = data
        tokens = {"access_token": "zugang", "id_token": token(**self.id_claims)}
        return _given(self.token_answer, answer(tokens))


def _given(result: requests.Response | Exception | None, usual: requests.Response) -> requests.Response:
    if isinstance(result, Exception):
        raise result
    # Not `or`: an answer that is an error counts as false.
    return usual if result is None else result


def install(monkeypatch: pytest.MonkeyPatch) -> FakeKeycloak:
    fake = FakeKeycloak()
    monkeypatch.setattr(requests, "get", fake.get)
    monkeypatch.setattr(requests, "post", fake.post)
    return fake
