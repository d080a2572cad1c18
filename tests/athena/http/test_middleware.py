"""What middleware does with a request before any view runs."""

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


def make_stream(size):
    return BytesIO(b"x" * size)


@pytest.mark.parametrize(
    ("path", "path_info"),
    [
        ("/api/v1/users/", "/api/v1/users"),
        ("/api/v1/users", "/api/v1/users"),
        ("/api/v1//", "/api/v1/"),
        ("/admin/", "/admin/"),
        ("/apis/", "/apis/"),
    ],
)
def test_one_trailing_slash_is_ignored_in_the_api(path, path_info):
    request = RequestFactory().get(path)
    ignore_trailing_slash(lambda request: HttpResponse())(request)
    assert request.path_info == path_info
    assert request.path == path_info


def test_a_body_announced_over_the_limit_is_refused_and_drained(post):
    stream = make_stream(MAX_BODY_BYTES + 1)
    response = post("/api/v1/x", stream, CONTENT_LENGTH=str(MAX_BODY_BYTES + 1))
    assert response.status_code == 413
    assert json.loads(response.content) == TOO_LARGE
    assert stream.read() == b""
    assert response["Connection"] == "close"


def test_a_false_content_length_does_not_block(post):
    assert post("/api/v1/x", make_stream(10), CONTENT_LENGTH="9" * 30).status_code == 413


def test_a_streamed_body_reaches_the_view_up_to_the_limit(post):
    assert (
        post("/api/v1/x", make_stream(MAX_BODY_BYTES), **{"wsgi.input_terminated": True}).content
        == b"x" * MAX_BODY_BYTES
    )
    response = post("/api/v1/x", make_stream(MAX_BODY_BYTES + 1), **{"wsgi.input_terminated": True})
    assert response.status_code == 413
    assert json.loads(response.content) == TOO_LARGE


def test_a_body_shorter_than_its_content_length_is_refused(post):
    response = post("/api/v1/x", BytesIO(b"{}"), CONTENT_LENGTH="3")
    expected = {"detail": "The body is shorter than its Content-Length.", "code": "unreadable"}
    assert response.status_code == 400
    assert json.loads(response.content) == expected
    assert response["Connection"] == "close"
    assert post("/api/v1/x", BytesIO(b"{}"), CONTENT_LENGTH="2").content == b"{}"


@pytest.mark.parametrize("error", [OSError, InvalidChunkSize, NoMoreData])
def test_a_body_that_cannot_be_read_is_refused(post, error):
    class Broken(BytesIO):
        def read(self, size=-1):
            raise error(b"zz")

    for length in ({"CONTENT_LENGTH": "3"}, {"wsgi.input_terminated": True}):
        response = post("/api/v1/x", Broken(), **length)
        expected = {"detail": "The body could not be read.", "code": "unreadable"}
        assert response.status_code == 400
        assert json.loads(response.content) == expected
    assert post("/api/v1/x", Broken(), CONTENT_LENGTH=str(2 * MAX_BODY_BYTES)).status_code == 413


@pytest.mark.parametrize("length", [{"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, {"wsgi.input_terminated": True}])
def test_outside_the_api_the_limit_is_the_same_and_the_response_a_page(post, length):
    response = post("/admin/", make_stream(MAX_BODY_BYTES + 1), **length)
    assert response.status_code == 413
    assert response["Content-Type"].partition(";")[0] != "application/json"


def test_a_body_that_comes_too_slowly_is_408(post):
    class Slow(BytesIO):
        def read(self, size=-1):
            raise TimeoutError

    response = post("/api/v1/x", Slow(), CONTENT_LENGTH="3")
    assert response.status_code == 408
    assert json.loads(response.content)["code"] == "too_slow"
