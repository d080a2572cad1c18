"""Authentication by access token."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from athena.accounts import tokens
from athena.accounts.models import User


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access_token>`. The user is read from the database at each request."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        user = tokens.find_user(token.strip())
        if user is None:
            raise AuthenticationFailed("This token is invalid or has expired.", "token_not_valid")
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
