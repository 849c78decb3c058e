"""The ways in which an answer can be broken."""

from __future__ import annotations

import json
from collections.abc import Iterator

_WRONG: tuple[object, ...] = (None, True, 7, 1.5, "", "text", [], [None], {}, {"other": 7})


def broken(whole: object) -> Iterator[str]:
    """Nothing, half of it, no JSON, and JSON of another kind."""
    text = json.dumps(whole)
    yield from ("", " ", "null", "true", "7", '"text"', "[null]", "[7]", "[[]]", '{"other":7}', "no JSON", "\0\0\0\0")
    for tenth in range(1, 10):
        yield text[: len(text) * tenth // 10]
    yield text[:-1]
    yield text + text
    yield text + "]"


def damaged(whole: object) -> Iterator[object]:
    """Whole answers of which one part, at any depth, is missing or another kind of thing. Lists keep their length:
    an answer that leaves an element out is no answer that could be known as damaged.
    """
    if isinstance(whole, dict):
        for key, value in whole.items():
            yield {name: other for name, other in whole.items() if name != key}
            for other in [*_instead_of(value), *damaged(value)]:
                yield {**whole, key: other}
    elif isinstance(whole, list):
        for index, value in enumerate(whole):
            for other in [*_instead_of(value), *damaged(value)]:
                yield [*whole[:index], other, *whole[index + 1 :]]


def _instead_of(value: object) -> Iterator[object]:
    """Another text is no damage that could be known; an empty one is."""
    for other in _WRONG:
        if type(other) is not type(value) or other == "":
            yield other
