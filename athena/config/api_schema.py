"""The API's OpenAPI schema: parameters, headers, and the roles and errors of each operation."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance, get_lib_doc_excludes
from rest_framework.permissions import AllowAny

from athena.accounts.roles import Role, get_permissions
from athena.api.serializers import Row, StrictSerializer
from athena.api.viewsets import ActionViewSet, RolePermission, ViewSet

_PATH_ID = {"type": "integer", "minimum": 1}
_CHANGES = ("POST", "PUT", "PATCH", "DELETE")
_ERRORS: dict[str, tuple[str, tuple[str, ...]]] = {  # the description, and the methods that can return it
    "400": ("The request is invalid; the body says why, by field or as a detail", ("GET", *_CHANGES)),
    "304": ("Not modified since it was read; see If-None-Match", ("GET",)),
    "401": ("Not logged in", ("GET", *_CHANGES)),
    "403": ("The user may read this but not do this", ("GET", *_CHANGES)),
    "404": ("It does not exist, or the user may not see it", ("GET", *_CHANGES)),
    "406": ("Only JSON is available (or HTML, for the browsable API)", ("GET", *_CHANGES)),
    "409": ("The current state does not allow it", _CHANGES),
    "412": ("Changed since it was read; see If-Match", ("PATCH", "DELETE")),
    "413": ("The body is larger than 1 MB", _CHANGES),
    "415": ("The body is not JSON in UTF-8", _CHANGES),
    "422": ("The Idempotency-Key was used for another request", ("POST",)),
    "429": ("Too many requests; see Retry-After", ("GET", *_CHANGES)),
    "503": ("The database is unavailable; see Retry-After", ("GET", *_CHANGES)),
}
LEFT_OUT, NONE = "`null` is the same as leaving the field out.", "`null` means no value."
_NULL = {"$ref": "#/components/schemas/NullEnum"}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": (
        "A request that is sent again within 24 hours with the same key and body is not carried out again: it gets the "
        "first response."
    ),
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag that was read. If the row has changed since then, nothing is written (412).",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag that was read. If nothing has changed since then, the response is an empty 304.",
}
_ETAG = {
    "required": True,
    "schema": {"type": "string"},
    "description": "Changes whenever anything in the response to GET changes.",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "athena.accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class Schema(AutoSchema):
    def get_description(self) -> str:  # type: ignore[override]
        return "\n\n".join(filter(None, [super().get_description(), self._describe_roles()]))

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            operation["parameters"] = [_remove_null(parameter) for parameter in operation.get("parameters", [])]
            if self._headers:
                operation["parameters"].extend(self._headers)
            if self._is_versioned and self._action in ("retrieve", "create", "partial_update"):
                for status in ("200", "201"):
                    operation["responses"].get(status, {})["headers"] = {"ETag": _ETAG}
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            responses = operation.setdefault("responses", {})
            error = {"application/json": {"schema": self._error().ref}}
            for status, (description, methods) in _ERRORS.items():
                if self.method in methods and self._can_return(status, names):
                    responses.setdefault(
                        status, {"description": description} | ({"content": error} if status != "304" else {})
                    )
        return operation

    def _map_serializer(self, serializer: Any, *args: Any, **kwargs: Any) -> Any:
        shape = super()._map_serializer(serializer, *args, **kwargs)  # type: ignore[no-untyped-call]
        body = force_instance(serializer)  # type: ignore[no-untyped-call]
        if isinstance(body, StrictSerializer) and shape.get("type") == "object":
            shape["additionalProperties"] = False
            required = shape.get("required", ())
            shape["properties"] = {
                name: part if name in required else _or_null(part, NONE if part.get("nullable") else LEFT_OUT)
                for name, part in shape["properties"].items()
            }
        return shape

    @property
    def _is_idempotent(self) -> bool:
        return self.method == "POST" and getattr(self.view, "idempotent", False)

    @property
    def _headers(self) -> list[dict[str, Any]]:
        if self._is_idempotent:
            return [_IDEMPOTENCY_KEY]
        conditions = {"retrieve": _IF_NONE_MATCH, "partial_update": _IF_MATCH, "destroy": _IF_MATCH}
        condition = conditions.get(self._action) if self._is_versioned else None
        return [condition] if condition else []

    @property
    def _action(self) -> str:
        return str(getattr(self.view, "action", ""))

    @property
    def _is_versioned(self) -> bool:
        return "version" in getattr(self.view, "row_keys", ())

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        return [
            {**parameter, "schema": _PATH_ID} if _is_id(parameter["schema"]) else parameter for parameter in parameters
        ]

    def _describe_roles(self) -> str:
        checks = [check for check in self.view.get_permissions() if isinstance(check, RolePermission)]
        permission = checks[0].find_permission(self.method, self.view) if checks else None
        if permission is None:
            return ""
        return f"Roles: {', '.join(role.value for role in Role if permission in get_permissions(role))}."

    def _can_return(self, status: str, parameters: set[str]) -> bool:
        if status == "403":
            return not any(isinstance(check, AllowAny) for check in self.view.get_permissions())
        if status == "404":
            return "{" in self.path or "user_id" in parameters or self._is_idempotent
        if status in ("304", "412"):
            return ("If-Match" if status == "412" else "If-None-Match") in parameters
        return status != "422" or self._is_idempotent

    def _error(self) -> ResolvedComponent:
        schema = {
            "type": "object",
            "description": "`detail` and `code`; or, for invalid fields, the name of each field with its errors.",
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        }
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            "Error", ResolvedComponent.SCHEMA, schema, "Error"
        )
        self.registry.register_on_missing(component)
        return component


def _or_null(shape: dict[str, Any], meaning: str) -> dict[str, Any]:
    """The shape, or `null`."""
    if "$ref" in shape:
        shape = {"allOf": [shape]}
    return {**shape, "nullable": True, "description": " ".join(filter(None, [shape.get("description"), meaning]))}


def _remove_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """A query parameter, which cannot be null: clients leave it out instead."""
    shape = {name: value for name, value in parameter["schema"].items() if name != "nullable"}
    about = parameter.get("description", "").removesuffix(LEFT_OUT).removesuffix(NONE).strip()
    rest = {name: value for name, value in parameter.items() if name != "description"}
    return {**rest, "schema": shape} | ({"description": about} if about else {})


def remove_null_enum(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe a choice that may be null as nullable.

    Client generators cannot build a type whose only value is null.
    """

    _remove_null_choices(result)
    result["components"]["schemas"].pop("NullEnum", None)
    return result


def _remove_null_choices(part: Any) -> None:
    if isinstance(part, dict):
        choices = part.get("oneOf", [])
        if _NULL in choices:
            rest = [choice for choice in choices if choice != _NULL]
            del part["oneOf"]
            part["allOf" if len(rest) == 1 else "oneOf"] = rest
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        _remove_null_choices(inner)


def list_undescribed_classes() -> list[type]:
    """Base classes whose docstrings are for developers and do not describe an operation."""
    return [*get_lib_doc_excludes(), ActionViewSet, ViewSet, Row, StrictSerializer]  # type: ignore[no-untyped-call]


def _is_id(schema: dict[str, Any]) -> bool:
    return str(schema.get("pattern", "")).strip("^$").startswith("[0-9]")
