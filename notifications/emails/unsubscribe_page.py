"""The page behind the unsubscribe link of an email."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import kinds, preferences
from notifications.emails import unsubscribe_tokens


@csrf_exempt  # an email program that unsubscribes for its user (RFC 8058) has no cookie; the token names the user
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation on GET, because programs that follow links must not unsubscribe anybody; act on POST."""
    link = unsubscribe_tokens.read_token(token)
    if link is None:
        raise Http404
    is_done = request.method == "POST" and preferences.unsubscribe(token=token) is not None
    context = {"kind": kinds.get_kind(link[1]), "is_done": is_done, "title": "Email preferences"}
    return render(request, "notifications/unsubscribe.html", context)
