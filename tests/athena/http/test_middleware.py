"""What happens to a request before any view."""

import json
from io import BytesIO

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from athena.http.body_limit import MAX_BODY_BYTES, BodyLimit
from athena.http.middleware import ignore_trailing_slash

TOO_LARGE = {"detail": "The body is larger than 1 MB.", "code": "too_large"}


def echo(request):
    return HttpResponse(request.read())


@pytest.fixture
def post():
    def post(path, stream, **environ):
        request = RequestFactory().generic("POST", path)
        request.META.pop("CONTENT_LENGTH", None)
        request.META |= {"wsgi.input": stream, **environ}
        return BodyLimit(echo).process_view(request, echo, (), {}) or echo(request)

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
    ignore_trailing_slash(lambda request: HttpResponse())(request)
    assert (request.path_info, request.path) == (seen, seen)


def test_an_announced_body_over_the_limit_is_refused_and_read_away(post):
    stream = streamed(MAX_BODY_BYTES + 1)
    answer = post("/api/v1/x", stream, CONTENT_LENGTH=str(MAX_BODY_BYTES + 1))
    assert (answer.status_code, json.loads(answer.content), stream.read()) == (413, TOO_LARGE, b"")
    assert answer["Connection"] == "close"


def test_a_lie_of_a_length_does_not_make_it_read_for_ever(post):
    assert post("/api/v1/x", streamed(10), CONTENT_LENGTH="9" * 30).status_code == 413


def test_a_streamed_body_reaches_the_view_up_to_the_limit(post):
    assert (
        post("/api/v1/x", streamed(MAX_BODY_BYTES), **{"wsgi.input_terminated": True}).content == b"x" * MAX_BODY_BYTES
    )
    answer = post("/api/v1/x", streamed(MAX_BODY_BYTES + 1), **{"wsgi.input_terminated": True})
    assert (answer.status_code, json.loads(answer.content)) == (413, TOO_LARGE)


def test_a_body_that_ends_early_is_refused_however_whole_it_looks(post):
    answer = post("/api/v1/x", BytesIO(b"{}"), CONTENT_LENGTH="3")
    why = {"detail": "The body is shorter than its Content-Length.", "code": "unreadable"}
    assert (answer.status_code, json.loads(answer.content), answer["Connection"]) == (400, why, "close")
    assert post("/api/v1/x", BytesIO(b"{}"), CONTENT_LENGTH="2").content == b"{}"


@pytest.mark.parametrize("error", [OSError, InvalidChunkSize, NoMoreData])
def test_a_body_that_cannot_be_read_is_refused(post, error):
    class Broken(BytesIO):
        def read(self, size=-1):
            raise error(b"zz")

    for length in ({"CONTENT_LENGTH": "3"}, {"wsgi.input_terminated": True}):
        answer = post("/api/v1/x", Broken(), **length)
        why = {"detail": "The body could not be read.", "code": "unreadable"}
        assert (answer.status_code, json.loads(answer.content)) == (400, why)
    assert post("/api/v1/x", Broken(), CONTENT_LENGTH=str(2 * MAX_BODY_BYTES)).status_code == 413


@pytest.mark.parametrize("length", [{"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, {"wsgi.input_terminated": True}])
def test_elsewhere_the_limit_is_the_same_and_the_answer_a_page(post, length):
    answer = post("/admin/", streamed(MAX_BODY_BYTES + 1), **length)
    assert (answer.status_code, answer["Content-Type"].partition(";")[0] != "application/json") == (413, True)


def test_a_body_that_comes_too_slowly_is_408(post):
    class Slow(BytesIO):
        def read(self, size=-1):
            raise TimeoutError

    answer = post("/api/v1/x", Slow(), CONTENT_LENGTH="3")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (408, "too_slow")
