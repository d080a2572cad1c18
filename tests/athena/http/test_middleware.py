"""What happens to a request under `/api/` before any view."""

import json
from io import BytesIO

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from athena.http.middleware import MAX_BODY, body_limit, optional_slash

TOO_LARGE = {"detail": "The body is larger than 1 MB.", "code": "too_large"}


def echo(request):
    return HttpResponse(request.read())


@pytest.fixture
def post():
    def post(path, stream, **environ):
        request = RequestFactory().generic("POST", path)
        request.META.pop("CONTENT_LENGTH", None)
        request.META |= {"wsgi.input": stream, **environ}
        return body_limit(echo)(request)

    return post


def streamed(size):
    return BytesIO(b"x" * size)


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/api/v1/users/", "/api/v1/users"), ("/api/v1/users", "/api/v1/users"), ("/api/v1//", "/api/v1/"),
     ("/admin/", "/admin/"), ("/apis/", "/apis/")],
)  # fmt: skip
def test_one_slash_at_the_end_is_nothing(path, seen):
    request = RequestFactory().get(path)
    optional_slash(lambda request: HttpResponse())(request)
    assert (request.path_info, request.path) == (seen, seen)


def test_an_announced_body_over_the_limit_is_refused_and_read_away(post):
    stream = streamed(MAX_BODY + 1)
    answer = post("/api/v1/x", stream, CONTENT_LENGTH=str(MAX_BODY + 1))
    assert (answer.status_code, json.loads(answer.content), stream.read()) == (413, TOO_LARGE, b"")
    assert answer["Connection"] == "close"


def test_a_lie_of_a_length_does_not_make_it_read_for_ever(post):
    assert post("/api/v1/x", streamed(10), CONTENT_LENGTH="9" * 30).status_code == 413


def test_a_streamed_body_reaches_the_view_up_to_the_limit(post):
    assert post("/api/v1/x", streamed(MAX_BODY), **{"wsgi.input_terminated": True}).content == b"x" * MAX_BODY
    answer = post("/api/v1/x", streamed(MAX_BODY + 1), **{"wsgi.input_terminated": True})
    assert (answer.status_code, json.loads(answer.content)) == (413, TOO_LARGE)


def test_elsewhere_nothing_is_limited(post):
    stream = streamed(MAX_BODY + 1)
    assert post("/admin/", stream, CONTENT_LENGTH=str(MAX_BODY + 1)).status_code == 200
    assert len(stream.getvalue()) == MAX_BODY + 1
