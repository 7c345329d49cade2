"""Dates and bytes in data: they travel as text, and a list of where they are."""

import base64
from datetime import datetime, timezone
from typing import Any, Iterable


def encode(data: Any) -> tuple[Any, list[list]]:
    """Returns the data as JSON can hold it, and the list: empty if the data has neither dates nor bytes."""
    values: list[list] = []

    def walk(value: Any, path: list) -> Any:
        if isinstance(value, dict):
            return {key: walk(item, [*path, key]) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [walk(item, [*path, index]) for index, item in enumerate(value)]
        if isinstance(value, datetime):
            values.append(["date", *path])
            return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, (bytes, bytearray)):
            values.append(["uint8array", *path])
            return base64.b64encode(value).decode()
        return value

    return walk(data, []), values


def decode(data: Any, values: Iterable[list]) -> Any:
    """Puts the values back, in place. Years that a `datetime` can't hold stay text."""
    for kind, *path in values:
        if not path:
            return _value(kind, data)
        holder = data
        for key in path[:-1]:
            holder = holder[_key(holder, key)]
        key = _key(holder, path[-1])
        holder[key] = _value(kind, holder[key])
    return data


def _key(holder: Any, key: Any) -> Any:
    return int(key) if isinstance(holder, list) else key


def _value(kind: str, text: str) -> Any:
    if kind == "date":
        return text if text[0] in "+-" else datetime.fromisoformat(text.replace("Z", "+00:00"))
    return base64.b64decode(text)
