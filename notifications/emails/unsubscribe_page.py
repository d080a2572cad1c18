"""The page that an e-mail's "no more of these" leads to."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import kinds, services
from notifications.emails import unsubscribe_tokens


@csrf_exempt  # a mail program that does it for its user (RFC 8058) has no cookie; the token says whose it is
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, with one button: programs that look at links must not unsubscribe anybody. POST does it."""
    found = unsubscribe_tokens.read_token(token)
    if found is None:
        raise Http404
    done = request.method == "POST" and services.unsubscribe(token=token) is not None
    context = {"kind": kinds.get_kind(found[1]), "done": done, "title": "E-mails"}
    return render(request, "notifications/unsubscribe.html", context)
