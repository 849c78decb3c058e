"""How the agent calls Docker's command line, word by word, from its source. Words that are known only when it runs are
None. What a list is made of is followed through the function it is in, what functions return, and what they are given.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from source import MODULES, dotted

Word = Optional[str]
Function = ast.FunctionDef


@dataclass(frozen=True)
class Call:
    """`docker` and these words. In which module, and line."""

    module: str
    line: int
    words: tuple[Word, ...]


@dataclass(frozen=True)
class _Place:
    module: str
    function: Function | None


def docker_calls() -> Iterator[Call]:
    for module, source in MODULES.items():
        functions = {node.name: node for node, _ in source.nodes if isinstance(node, Function)}
        for node, name in source.nodes:
            place = _Place(module, functions.get(name))
            for words in _begun_here(node, place):
                yield Call(module, getattr(node, "lineno", 0), tuple(words))


def _begun_here(node: ast.AST, place: _Place) -> list[list[Word]]:
    """What follows the word docker in a list, a tuple or the arguments of a call; and what a shell is given to run."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("docker "):
        return [list(node.value.split()[1:])]
    elements = node.elts if isinstance(node, (ast.List, ast.Tuple)) else node.args if isinstance(node, ast.Call) else []
    for number, element in enumerate(elements):
        first = number == 0 or isinstance(node, ast.Call)
        if first and isinstance(element, ast.Constant) and element.value == "docker":
            rest = elements[number + 1 :]
            if rest and isinstance(rest[0], (ast.Constant, ast.Starred)):
                return _words(rest, place)
    return []


def _words(elements: Sequence[ast.expr], place: _Place) -> list[list[Word]]:
    """Each row of words that these elements may stand for."""
    parts = [_of_star(one.value, place) if isinstance(one, ast.Starred) else [[_word(one)]] for one in elements]
    return [list(itertools.chain(*row)) for row in itertools.product(*parts)]


def _word(node: ast.expr) -> Word:
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _of_star(node: ast.expr, place: _Place) -> list[list[Word]]:
    if isinstance(node, (ast.List, ast.Tuple)):
        return _words(node.elts, place)
    if isinstance(node, ast.IfExp):
        return [*_of_star(node.body, place), *_of_star(node.orelse, place)]
    if isinstance(node, ast.ListComp):
        return _of_comprehension(node, place)
    if isinstance(node, ast.Name):
        return _of_name(node.id, place)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
        # what somebody has said
        return [[None]]
    if isinstance(node, (ast.Attribute, ast.Call)):
        name = dotted(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]
        returned = [(found, value) for found in _functions(name) for value in _returned(found)]
        if returned:
            return [row for found, value in returned for row in _of_star(value, found)]
    if any(isinstance(one, ast.Constant) and str(one.value).startswith("-") for one in ast.walk(node)):
        raise AssertionError(f"{place.module}:{node.lineno}: it cannot be read which words these are")
    return [[None]]


def _of_comprehension(node: ast.ListComp, place: _Place) -> list[list[Word]]:
    """Once round, as if there were one of each."""
    for generator in node.generators:
        each = isinstance(node.elt, ast.Name) and dotted(generator.target) == node.elt.id
        if each and isinstance(generator.iter, (ast.List, ast.Tuple)):
            return _words(generator.iter.elts, place)
    return [[_word(node.elt)]]


def _of_name(name: str, place: _Place) -> list[list[Word]]:
    """What the function in which the name stands has put there, step by step, or is given."""
    function = place.function
    assert function is not None, f"{place.module}: {name} stands in no function"
    rows: list[list[Word]] = []
    found = False
    for node in ast.walk(function):
        value = _assigned(node, name)
        if value is None:
            continue
        more = _of_star(value, place)
        rows = [[*row, *one] for row in rows for one in more] if isinstance(node, ast.AugAssign) else more
        found = True
    return rows if found else _given(name, function, place.module)


def _assigned(node: ast.AST, name: str) -> ast.expr | None:
    """What this step puts, or adds, there."""
    if isinstance(node, ast.Assign):
        return node.value if any(dotted(target) == name for target in node.targets) else None
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        return node.value if dotted(node.target) == name else None
    return None


def _given(name: str, function: Function, module: str) -> list[list[Word]]:
    """What those who call the function give for its parameter."""
    parameters = [one.arg for one in function.args.args if one.arg != "self"]
    rest = function.args.vararg is not None and function.args.vararg.arg == name
    assert rest or name in parameters, f"{module}: nobody says what {name} is"
    rows: list[list[Word]] = []
    for place, call in _callers(function, module):
        if rest:
            rows += _words(call.args[len(parameters) :], place)
        elif len(call.args) > parameters.index(name):
            rows += _of_star(call.args[parameters.index(name)], place)
    assert rows, f"{module}: nobody calls {function.name}"
    return rows


def _callers(function: Function, module: str) -> Iterator[tuple[_Place, ast.Call]]:
    method = bool(function.args.args) and function.args.args[0].arg == "self"
    for other, source in MODULES.items():
        functions = {node.name: node for node, _ in source.nodes if isinstance(node, Function)}
        for call, name, inside in source.called():
            receiver, _, last = name.rpartition(".")
            if method:
                # Docker.run has its name in common with others
                same = last == function.name and (receiver, other) == ("self", module)
                same = same or (last == function.name and receiver.rpartition(".")[2].lstrip("_") == "docker")
            else:
                same = name == f"{module}.{function.name}" or (name == function.name and other == module)
            if same:
                yield _Place(other, functions.get(inside)), call


def _functions(name: str) -> list[_Place]:
    return [
        _Place(module, node)
        for module, source in MODULES.items()
        for node, _ in source.nodes
        if isinstance(node, Function) and node.name == name
    ]


def _returned(place: _Place) -> list[ast.expr]:
    assert place.function is not None
    return [node.value for node in ast.walk(place.function) if isinstance(node, ast.Return) and node.value is not None]
