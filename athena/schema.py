"""How the API describes itself (OpenAPI): shapes and parameters, and each call's roles and errors."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework.permissions import AllowAny

from athena.accounts.roles import Role, permissions_of
from athena.http.viewsets import RolePermission

_PATH_ID = {"type": "integer", "minimum": 1}
_ERRORS = {
    "400": "Malformed: by field, or as a detail",
    "401": "Not logged in",
    "403": "Seen, but not allowed",
    "404": "Not there, or not visible",
    "406": "Only JSON (or HTML for the browsable API) is answered",
    "409": "The state of things does not allow it",
    "413": "A body of more than 1 MB",
    "415": "Not JSON in UTF-8",
    "429": "Too many requests; see Retry-After",
    "503": "The database is away; see Retry-After",
}
_OF_BODIES = ("413", "415")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "athena.accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class Schema(AutoSchema):
    def get_description(self) -> str:  # type: ignore[override]
        return "\n\n".join(filter(None, [super().get_description(), self._who()]))

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            answers = operation.setdefault("responses", {})
            error = {"application/json": {"schema": self._error().ref}}
            for status, why in _ERRORS.items():
                if self._can_answer(status):
                    answers.setdefault(status, {"description": why, "content": error})
        return operation

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        return [{**each, "schema": _PATH_ID} if _is_id(each["schema"]) else each for each in found]

    def _who(self) -> str:
        asked = [each for each in self.view.get_permissions() if isinstance(each, RolePermission)]
        right = asked[0].right_for(self.method, self.view) if asked else None
        if right is None:
            return ""
        return f"Roles: {', '.join(role.value for role in Role if right in permissions_of(role))}."

    def _can_answer(self, status: str) -> bool:
        if status in ("401", "403") and any(isinstance(each, AllowAny) for each in self.view.get_permissions()):
            return status == "401"
        if status == "404":
            return "{" in self.path
        return status not in ("409", *_OF_BODIES) or self.method in ("POST", "PATCH", "DELETE")

    def _error(self) -> ResolvedComponent:
        schema = {
            "type": "object",
            "description": "`detail` and `code`; or, where fields are wrong, each field's name with what is wrong.",
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        }
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            "Error", ResolvedComponent.SCHEMA, schema, "Error"
        )
        self.registry.register_on_missing(component)
        return component


def _is_id(schema: dict[str, Any]) -> bool:
    return str(schema.get("pattern", "")).strip("^$").startswith("[0-9]")
