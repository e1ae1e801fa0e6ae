"""Logging in to the API by key, seen from outside through a view that asks for one."""

import datetime as dt

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from services.authentication import CredentialAuthentication, HasCredential
from services.credentials import revoke_credential
from tests.factories import ServiceFactory, api_key

pytestmark = pytest.mark.django_db


class WhoAmI(APIView):
    authentication_classes = (CredentialAuthentication,)
    permission_classes = (HasCredential,)

    def get(self, request: Request) -> Response:
        return Response({"service": request.auth.service.number, "user": request.user})


def ask(header: str | None) -> Response:
    headers = {} if header is None else {"HTTP_AUTHORIZATION": header}
    response = WhoAmI.as_view()(APIRequestFactory().get("/", **headers))
    response.render()
    return response


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer zsk_x", "Bearer eyJhbGciOi.x.y", "Basic YTpi", "zsk_x"]
)
def test_without_a_known_key_the_answer_is_401(header: str | None) -> None:
    response = ask(header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_key_is_403() -> None:
    _credential, key = api_key(ServiceFactory(), expires_at=dt.datetime(2025, 3, 1, tzinfo=dt.UTC))
    response = ask(f"Bearer {key}")
    assert response.status_code == 403
    assert "abgelaufen" in response.content.decode()


def test_a_revoked_key_is_403() -> None:
    credential, key = api_key(ServiceFactory())
    revoke_credential(credential=credential, by=None)
    response = ask(f"Bearer {key}")
    assert response.status_code == 403
    assert "widerrufen" in response.content.decode()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Bearer "])
def test_a_key_makes_the_credential_the_principal_and_no_user(scheme: str) -> None:
    service = ServiceFactory()
    _credential, key = api_key(service)
    response = ask(f"{scheme} {key}")
    assert (response.status_code, response.data) == (200, {"service": service.number, "user": None})


def test_the_answer_to_a_wrong_key_does_not_repeat_it() -> None:
    _credential, key = api_key(ServiceFactory())
    assert key[4:] not in ask(f"Bearer {key}x").content.decode()
