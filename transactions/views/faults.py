"""Help for those who deliver: every fault and warning, the schema of a file.

Who may: everyone, without a session.
"""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from transactions import explanations
from transactions.sources.table_schema import table_schema


@require_safe
def faults(request: HttpRequest) -> HttpResponse:
    findings = explanations.of_findings()
    context = {
        "faults": [found for found in findings if not found.warning],
        "warnings": [found for found in findings if found.warning],
        "problems": explanations.of_problems(),
    }
    return render(request, "transactions/faults.html", context)


@require_safe
def fault(request: HttpRequest, code: str) -> HttpResponse:
    found = explanations.explanation_of(code)
    if found is None:
        raise Http404(code)
    return render(request, "transactions/fault.html", {"found": found})


@require_safe
def file_schema(request: HttpRequest) -> HttpResponse:
    """A file's columns as a Table Schema."""
    return JsonResponse(table_schema(), json_dumps_params={"ensure_ascii": False, "indent": 2})
