from django.urls import URLPattern, URLResolver, include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class BareView(APIView):
    """Reads JSON and answers; what every interface costs before it does anything."""

    def post(self, request: Request) -> Response:
        return Response({"id": len(request.data)}, status=201)


urlpatterns: list[URLPattern | URLResolver] = [
    path("bench/bare", BareView.as_view()),
    path("", include("zsk.urls")),
]
