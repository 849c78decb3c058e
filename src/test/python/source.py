"""The agent's own source, for what can be said of it by reading it: nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
HOST = CHECKOUT / "docker/host"


@dataclass(frozen=True)
class Module:
    """`nodes`: all of it, each with the name of the function in which it stands, which is empty where it stands in
    none. `names`: what each imported name stands for: `call` for agent.process.run where that is imported as `call`.
    """

    docstring: str
    nodes: tuple[tuple[ast.AST, str], ...]
    names: dict[str, str]

    def called(self) -> Iterator[tuple[ast.Call, str, str]]:
        """Each call, with the full name of what is called, subprocess.Popen for one, and the function it stands in."""
        for node, function in self.nodes:
            if isinstance(node, ast.Call):
                first, dot, rest = dotted(node.func).partition(".")
                yield node, f"{self.names.get(first, first)}{dot}{rest}", function

    def imports(self) -> set[str]:
        """What it imports, wherever it does. What is imported from a package is a module of it or, where it has none
        of this name, the package.
        """
        found: set[str] = set()
        for node, _ in self.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                # a relative import would need the package
                assert node.module is not None and node.level == 0, f"a relative import in line {node.lineno}"
                package = node.module
                found |= {_module(package, alias.name) for alias in node.names}
        return found


def read(path: str) -> str:
    """A file of the checkout."""
    return (CHECKOUT / path).read_text("utf-8")


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` as it is written; empty for what is no such name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _module(package: str, name: str) -> str:
    return f"{package}.{name}" if f"{package}.{name}" in MODULES else package


def _parse(file: Path) -> Module:
    tree = ast.parse(file.read_text("utf-8"))
    nodes = tuple(_walk(tree, ""))
    names: dict[str, str] = {}
    for node, _ in nodes:
        if isinstance(node, ast.ImportFrom):
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Import):
            names.update({alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names})
    return Module(ast.get_docstring(tree) or "", nodes, names)


def _walk(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    yield node, function
    inside = node.name if isinstance(node, ast.FunctionDef) else function
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, inside)


def _load() -> dict[str, Module]:
    found: dict[str, Module] = {}
    for file in sorted((HOST / "agent").rglob("*.py")):
        parts = file.relative_to(HOST).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = _parse(file)
    return found


# by their names, agent.shape for one; agent.decide stands for decide/__init__.py
MODULES = _load()
IMPORTS = {name: module.imports() for name, module in MODULES.items()}
