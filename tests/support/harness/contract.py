"""Whether a daemon's answers are what its own description (OpenAPI 3.1) says. Needs python3-jsonschema; without it
nothing is checked."""

import json
import re

try:
    import jsonschema
except ImportError:
    jsonschema = None


class Contract:
    def __init__(self, document):
        self.document = document
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

    def check(self, method, path, status, content_type, text):
        """Raises AssertionError that names the call and what is not as described."""
        template, responses = self._responses(method, path.partition("?")[0])
        if template is None:
            return
        where = f"{method} {path}: {status}"
        assert str(status) in responses, f"{where} is not described: {text}"
        described = responses[str(status)].get("content", {})
        media_type = content_type.partition(";")[0]
        known = {name.partition(";")[0]: content for name, content in described.items()}
        assert media_type in known or not text, f"{where}: {content_type} is not described, there is {list(known)}"
        if not text or not media_type.endswith("json") or jsonschema is None or method == "HEAD":
            return
        key = (template, method, status)
        if key not in self._validators:
            schema = {**known[media_type]["schema"], "components": self.document["components"]}
            self._validators[key] = jsonschema.Draft202012Validator(schema)
        wrong = [f"{error.json_path}: {error.message}" for error in self._validators[key].iter_errors(json.loads(text))]
        assert not wrong, f"{where} is not as described: {wrong[:5]}"
