"""What a request of the admin says for sure."""

from typing import cast

from django.http import HttpRequest

from athena.accounts.models import User


def get_user(request: HttpRequest) -> User:
    """The user who is signed in. The admin admits nobody else, which the types of Django cannot say."""
    return cast(User, request.user)
