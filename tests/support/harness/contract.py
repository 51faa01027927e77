"""Whether a daemon's answers are what its own description (OpenAPI 3.1) says. Needs python3-jsonschema; without it
nothing is checked."""

import json
import re

try:
    import jsonschema
except ImportError:
    jsonschema = None


def strict(schema):
    """The schema with nothing allowed in an object that it does not name: what is not described cannot be relied on."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


class Contract:
    def __init__(self, document):
        self.document = document
        self._components = {"schemas": strict(document["components"]["schemas"])}
        self._validators = {}
        self._templates = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + "$"), template)
                           for template in document["paths"]]

    def _responses(self, method, path):
        """What is described of the call; None for paths and methods that are none."""
        for pattern, template in self._templates:
            operation = self.document["paths"][template].get({"HEAD": "get"}.get(method, method.lower()))
            if operation and pattern.match(path):
                return template, operation["responses"]
        return None, None

    def _check_headers(self, where, described, headers):
        for name, header in described.get("headers", {}).items():
            header = self.document["components"]["headers"][header["$ref"].rpartition("/")[2]]
            assert not header["required"] or name in headers, f"{where}: the header {name} is missing"
            allowed = header["schema"].get("enum", [headers.get(name)])
            assert name not in headers or headers[name] in allowed, f"{where}: {name}: {headers[name]}"
        for name in ("Location", "Retry-After", "Idempotency-Replayed", "WWW-Authenticate"):
            assert name not in headers or name in described.get("headers", {}), f"{where}: {name} is not described"

    def check(self, method, path, status, headers, text):
        """Raises AssertionError that names the call and what is not as described."""
        template, responses = self._responses(method, path.partition("?")[0])
        if template is None:
            return
        where = f"{method} {path}: {status}"
        assert str(status) in responses, f"{where} is not described: {text}"
        self._check_headers(where, responses[str(status)], headers)
        described = responses[str(status)].get("content", {})
        content_type = headers.get("Content-Type", "")
        media_type = content_type.partition(";")[0]
        known = {name.partition(";")[0]: content for name, content in described.items()}
        assert media_type in known or not text, f"{where}: {content_type} is not described, there is {list(known)}"
        if not text or not media_type.endswith("json") or jsonschema is None or method == "HEAD":
            return
        key = (template, method, status)
        if key not in self._validators:
            schema = {**known[media_type]["schema"], "components": self._components}
            self._validators[key] = jsonschema.Draft202012Validator(schema)
        wrong = [f"{error.json_path}: {error.message}" for error in self._validators[key].iter_errors(json.loads(text))]
        assert not wrong, f"{where} is not as described: {wrong[:5]}"
