"""Reads JSON of which the shape is checked, value by value: what is missing or of another type raises Damaged."""

from __future__ import annotations

import json
from typing import Union

from agent.errors import Damaged

Step = Union[str, int]
_NOTHING = object()


def parse(text: str | bytes, what: str) -> object:
    """The value that `text` holds as JSON; an empty text is damaged, as anything else that is no JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Damaged(f"{what} is no JSON") from error


def at(value: object, *path: Step) -> object:
    """What is found there; Damaged where the way does not exist."""
    for step in path:
        found = _step(value, step)
        if found is _NOTHING:
            raise Damaged(f"{_name(path)} is missing")
        value = found
    return value


def maybe(value: object, *path: Step) -> object:
    """What is found there; None where the way does not exist. On the way stand objects, lists or null, nothing else."""
    for step in path:
        if value is None:
            return None
        if not isinstance(value, dict if isinstance(step, str) else list):
            raise Damaged(f"{_name(path)} leads through {_kind(value)}")
        found = _step(value, step)
        value = None if found is _NOTHING else found
    return value


def text(value: object, *path: Step) -> str:
    found = at(value, *path)
    if not isinstance(found, str):
        raise _wrong(path, found, "a text")
    return found


def filled(value: object, *path: Step) -> str:
    """A text that is not empty."""
    found = text(value, *path)
    if not found:
        raise Damaged(f"{_name(path)} is empty")
    return found


def maybe_text(value: object, *path: Step) -> str | None:
    """A text; None where there is none, or null."""
    found = maybe(value, *path)
    if found is None or isinstance(found, str):
        return found
    raise _wrong(path, found, "a text")


def number(value: object, *path: Step) -> int:
    """A whole number; true and false are none."""
    found = at(value, *path)
    if not isinstance(found, int) or isinstance(found, bool):
        raise _wrong(path, found, "a whole number")
    return found


def maybe_number(value: object, *path: Step) -> int | None:
    """A whole number; None where there is none, or null."""
    found = maybe(value, *path)
    return None if found is None else number(found)


def truth(value: object, *path: Step) -> bool:
    found = at(value, *path)
    if not isinstance(found, bool):
        raise _wrong(path, found, "true or false")
    return found


def maybe_truth(value: object, *path: Step) -> bool | None:
    """True or false; None where there is neither, or null."""
    found = maybe(value, *path)
    return None if found is None else truth(found)


def items(value: object, *path: Step) -> list[object]:
    found = at(value, *path)
    if not isinstance(found, list):
        raise _wrong(path, found, "a list")
    return found


def maybe_items(value: object, *path: Step) -> list[object]:
    """A list; an empty one where there is none, or null."""
    found = maybe(value, *path)
    return [] if found is None else items(found)


def mapping(value: object, *path: Step) -> dict[str, object]:
    found = at(value, *path)
    if not isinstance(found, dict):
        raise _wrong(path, found, "an object")
    return found


def maybe_mapping(value: object, *path: Step) -> dict[str, object]:
    """An object; an empty one where there is none, or null."""
    found = maybe(value, *path)
    return {} if found is None else mapping(found)


def _step(value: object, step: Step) -> object:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step, _NOTHING)
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        return value[step]
    return _NOTHING


def _wrong(path: tuple[Step, ...], found: object, wanted: str) -> Damaged:
    return Damaged(f"{_name(path)} is {_kind(found)}, wanted {wanted}")


def _name(path: tuple[Step, ...]) -> str:
    return ".".join(str(step) for step in path) or "it"


def _kind(value: object) -> str:
    """The kind of a value, never the value itself: it may be a secret."""
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return "null" if value is None else kinds[type(value)]


def compact(value: object) -> str:
    """`value` as JSON in one line, as jq -c writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
