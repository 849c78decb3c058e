"""Where each module of the agent belongs, and what it may import: the list of rooms in agent/__init__.py holds."""

from __future__ import annotations

import re
import unittest

from source import IMPORTS, MODULES

PACKAGES = {"agent", "agent.decide", "agent.release", "agent.verbs"}
# what decisions are made with, besides each other: nothing of it reads, writes, waits or asks
PURE = {"agent.errors", "agent.shape", "agent.words", "agent.budgets"}
PURE_PYTHON = {"__future__", "collections.abc", "dataclasses", "enum", "json", "re", "typing"}
NOT_PURE = {"open", "print", "input", "exec", "eval", "compile", "__import__"}


def rooms() -> list[str]:
    """The rooms in the order of the list: agent.errors for a file, agent.decide for a folder."""
    entries = re.findall(r"(?m)^- ([a-z_]+/?(?:,\s+[a-z_]+/?)*):", MODULES["agent"].docstring)
    return [f"agent.{name.strip().rstrip('/')}" for entry in entries for name in entry.split(",")]


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


class RoomsTest(unittest.TestCase):
    def test_the_list_has_each_room_once(self) -> None:
        listed = rooms()
        self.assertEqual(len(set(listed)), len(listed))
        self.assertEqual({room_of(module) for module in MODULES if module != "agent"}, set(listed))

    def test_no_room_imports_from_one_below_it_in_the_list(self) -> None:
        order = {room: place for place, room in enumerate(rooms())}
        for module, others in IMPORTS.items():
            for other in others & MODULES.keys():
                with self.subTest(module=module, other=other):
                    self.assertLessEqual(order[room_of(other)], order[room_of(module)])

    def test_no_import_leads_back_to_where_it_began(self) -> None:
        arrows = {module: others & MODULES.keys() for module, others in IMPORTS.items()}
        while arrows:
            ends = {module for module, others in arrows.items() if not others & arrows.keys()}
            self.assertTrue(ends, f"a cycle among {sorted(arrows)}")
            arrows = {module: others for module, others in arrows.items() if module not in ends}

    def test_only_the_table_of_verbs_imports_by_name(self) -> None:
        by_name = {
            module
            for module, source in MODULES.items()
            for _, name, _ in source.called()
            if name in ("importlib.import_module", "__import__")
        }
        self.assertEqual({"agent.cli"}, by_name)

    def test_packages_hold_a_docstring_alone(self) -> None:
        for package in PACKAGES:
            with self.subTest(package=package):
                self.assertTrue(MODULES[package].docstring)
                # the module, its one statement, and that one's text
                self.assertEqual(3, len(MODULES[package].nodes))

    def test_decisions_import_nothing_that_reads_writes_waits_or_asks(self) -> None:
        decisions = {module for module in MODULES if room_of(module) == "agent.decide"}
        self.assertGreater(len(decisions), 20)
        for module in decisions | PURE:
            allowed = PURE_PYTHON | PURE | (decisions if module in decisions else set())
            with self.subTest(module=module):
                self.assertEqual(set(), IMPORTS[module] - allowed)
                self.assertEqual(set(), NOT_PURE & {name for _, name, _ in MODULES[module].called()})


if __name__ == "__main__":
    unittest.main()
