"""How the API describes itself (OpenAPI): shapes and parameters, and each call's roles and errors."""

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
_ERRORS: dict[str, tuple[str, tuple[str, ...]]] = {  # what it means, and which methods answer so
    "400": ("Malformed: by field, or as a detail", ("GET", *_CHANGES)),
    "304": ("Nothing has changed since it was read: see If-None-Match", ("GET",)),
    "401": ("Not logged in", ("GET", *_CHANGES)),
    "403": ("Seen, but not allowed", ("GET", *_CHANGES)),
    "404": ("Not there, or not visible", ("GET", *_CHANGES)),
    "406": ("Only JSON (or HTML for the browsable API) is answered", ("GET", *_CHANGES)),
    "409": ("The state of things does not allow it", _CHANGES),
    "412": ("Changed since it was read: see If-Match", ("PATCH", "DELETE")),
    "413": ("A body of more than 1 MB", _CHANGES),
    "415": ("Not JSON in UTF-8", _CHANGES),
    "422": ("The Idempotency-Key was used for another request", ("POST",)),
    "429": ("Too many requests; see Retry-After", ("GET", *_CHANGES)),
    "503": ("The database is away; see Retry-After", ("GET", *_CHANGES)),
}
LEFT_OUT, NONE = "`null` means left out.", "`null` means that there is none."
_NULL = {"$ref": "#/components/schemas/NullEnum"}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": "Sent again with the same key and body, the call works once and is answered alike (24 hours).",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag that was read. Where it no longer holds, nothing is changed (412).",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag that was read. Where it still holds, the answer is an empty 304.",
}
_ETAG = {
    "required": True,
    "schema": {"type": "string"},
    "description": "It changes whenever anything in what GET answers does.",
}


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
            operation["parameters"] = [_never_null(each) for each in operation.get("parameters", [])]
            if self._headers:
                operation["parameters"].extend(self._headers)
            if self._is_versioned and self._action in ("retrieve", "create", "partial_update"):
                for status in ("200", "201"):
                    operation["responses"].get(status, {})["headers"] = {"ETag": _ETAG}
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            answers = operation.setdefault("responses", {})
            error = {"application/json": {"schema": self._error().ref}}
            for status, (why, methods) in _ERRORS.items():
                if self.method in methods and self._can_answer(status, names):
                    answers.setdefault(status, {"description": why} | ({"content": error} if status != "304" else {}))
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
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        return [{**each, "schema": _PATH_ID} if _is_id(each["schema"]) else each for each in found]

    def _who(self) -> str:
        asked = [each for each in self.view.get_permissions() if isinstance(each, RolePermission)]
        right = asked[0].find_permission(self.method, self.view) if asked else None
        if right is None:
            return ""
        return f"Roles: {', '.join(role.value for role in Role if right in get_permissions(role))}."

    def _can_answer(self, status: str, parameters: set[str]) -> bool:
        if status == "403":
            return not any(isinstance(each, AllowAny) for each in self.view.get_permissions())
        if status == "404":
            return "{" in self.path or "user_id" in parameters or self._is_idempotent
        if status in ("304", "412"):
            return ("If-Match" if status == "412" else "If-None-Match") in parameters
        return status != "422" or self._is_idempotent

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


def _or_null(shape: dict[str, Any], meaning: str) -> dict[str, Any]:
    """The shape, or `null`."""
    if "$ref" in shape:
        shape = {"allOf": [shape]}
    return {**shape, "nullable": True, "description": " ".join(filter(None, [shape.get("description"), meaning]))}


def _never_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter of an address, which is left out by leaving it out."""
    shape = {name: value for name, value in parameter["schema"].items() if name != "nullable"}
    about = parameter.get("description", "").removesuffix(LEFT_OUT).removesuffix(NONE).strip()
    rest = {name: value for name, value in parameter.items() if name != "description"}
    return {**rest, "schema": shape} | ({"description": about} if about else {})


def without_null_enum(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A choice that may be null is nullable: generators can't make a type of which null is the only value."""

    def mend(part: Any) -> None:
        if isinstance(part, dict):
            choices = part.get("oneOf", [])
            if _NULL in choices:
                rest = [each for each in choices if each != _NULL]
                del part["oneOf"]
                part["allOf" if len(rest) == 1 else "oneOf"] = rest
            part = list(part.values())
        for each in part if isinstance(part, list) else ():
            mend(each)

    mend(result)
    result["components"]["schemas"].pop("NullEnum", None)
    return result


def undescribed() -> list[type]:
    """The bases whose docstrings are for whoever builds on them, and say nothing of a call."""
    return [*get_lib_doc_excludes(), ActionViewSet, ViewSet, Row, StrictSerializer]  # type: ignore[no-untyped-call]


def _is_id(schema: dict[str, Any]) -> bool:
    return str(schema.get("pattern", "")).strip("^$").startswith("[0-9]")
