"""Help on every fault and warning. Who may: everyone, without a session."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from transactions import explanations


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
