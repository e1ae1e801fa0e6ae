"""What every request passes: the language, and that answers with a person's navigation stay private."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers

Handler = Callable[[HttpRequest], HttpResponse]


def has_session(request: HttpRequest) -> bool:
    """Whether the request brings a session cookie, asked without opening the session."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def language(get_response: Handler) -> Handler:
    """Pages are German, so that an address is one answer in shared caches; the API reads Accept-Language."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/v1/"):
            with translation.override(settings.LANGUAGE_CODE):
                return get_response(request)
        chosen = translation.get_language_from_request(request)
        with translation.override(chosen):
            response = get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", chosen)
        return response

    return answer


def private_answers(get_response: Handler) -> Handler:
    """Who brings a session gets an answer of their own: never from, and never into, a shared cache.

    A view that sets Cache-Control itself is left alone.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if has_session(request) and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    return answer
