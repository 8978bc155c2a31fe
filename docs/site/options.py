"""Fields of options as the reference shows them: what the command line says of each is its text."""

from __future__ import annotations

import ast
from typing import Any

import griffe


class OptionTexts(griffe.Extension):
    """Reads `field(default=…, metadata=says("…"))` as a default and a docstring."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:  # noqa: ANN401
        """Take the field apart, if it is one with a text."""
        call = ast.parse(str(attr.value), mode="eval").body if attr.value else None
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "field":
            return
        words = {each.arg: each.value for each in call.keywords}
        metadata = words.get("metadata")
        if isinstance(metadata, ast.Call) and isinstance(text := metadata.args[0], ast.Constant):
            attr.docstring = griffe.Docstring(str(text.value), parent=attr)
            attr.value = ast.unparse(words["default"]) if "default" in words else None
