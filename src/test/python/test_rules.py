"""What every room of the agent keeps to, by its source: how other programs are started, and what is caught."""

from __future__ import annotations

import ast
import unittest
from collections.abc import Iterator

from source import IMPORTS, MODULES, dotted

# programs have a limit in agent.process alone; a fork and threads do not go together
PROGRAMS = {"subprocess", "multiprocessing", "pty", "asyncio", "concurrent.futures", "threading", "_thread"}
OTHER_STARTS = ("os.system", "os.popen", "os.spawn", "os.posix_spawn", "os.forkpty")
# a touch of the storage, and a tick of the resident agent, live in a child of their own
FORKS = {("agent.contained", "contained"), ("agent.resident", "_begin")}
# a release goes over to another one's program, which may be of before the agent
HAND_OVERS = {("agent.verbs.bootstrap", "_hand_over"), ("agent.release.ending", "hand_over")}
# where a defect ends the run of a verb, and of a tick; each says so in the log
LAST_RESORTS = {("agent.cli", "main"), ("agent.resident", "_run")}
EVERYTHING = {"Exception", "BaseException"}
# which of the arguments is the limit
LIMITED = {
    "agent.clock.wait_for": 1,
    "agent.process.run": 1,
    "agent.process.pass_on": 1,
    "agent.contained.contained": 0,
    "agent.locks.held": 1,
}


def places(*beginnings: str) -> set[tuple[str, str]]:
    """The module and the function of each call of what begins like that."""
    return {
        (module, function)
        for module, source in MODULES.items()
        for _, name, function in source.called()
        if name.startswith(beginnings)
    }


def handlers() -> Iterator[tuple[str, str, ast.ExceptHandler]]:
    for module, source in MODULES.items():
        for node, function in source.nodes:
            if isinstance(node, ast.ExceptHandler):
                yield module, function, node


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The names of what it catches; empty where it catches all without a word."""
    if handler.type is None:
        return set()
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {dotted(kind) for kind in kinds}


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether its last word is to raise what it has caught, and nothing of it ends the function before."""
    last = handler.body[-1]
    leaves = any(isinstance(node, (ast.Return, ast.Continue, ast.Break)) for node in ast.walk(handler))
    return isinstance(last, ast.Raise) and last.exc is None and not leaves


class ProgramsTest(unittest.TestCase):
    def test_programs_are_started_in_one_room_alone(self) -> None:
        found = {(module, other) for module, others in IMPORTS.items() for other in others & PROGRAMS}
        self.assertEqual({("agent.process", "subprocess")}, found)
        self.assertEqual(set(), places(*OTHER_STARTS))

    def test_each_program_has_a_limit(self) -> None:
        functions = {
            node.name: node.args for node, _ in MODULES["agent.process"].nodes if isinstance(node, ast.FunctionDef)
        }
        for name in ("run", "pass_on"):
            with self.subTest(function=name):
                arguments = functions[name].args
                given_always = arguments[: len(arguments) - len(functions[name].defaults)]
                self.assertEqual(["command", "limit"], [one.arg for one in given_always][:2])
                self.assertEqual("float", dotted(given_always[1].annotation))

    def test_each_limit_has_a_name(self) -> None:
        found = {name for source in MODULES.values() for _, name, _ in source.called()}
        self.assertEqual(set(), LIMITED.keys() - found)
        for module, source in MODULES.items():
            for call, name, _ in source.called():
                if name in LIMITED:
                    with self.subTest(module=module, line=call.lineno):
                        self.assertNotIsInstance(call.args[LIMITED[name]], ast.Constant)

    def test_a_process_becomes_another_program_only_where_it_hands_over(self) -> None:
        self.assertEqual(HAND_OVERS, places("os.exec"))

    def test_a_process_forks_only_for_what_may_hang(self) -> None:
        self.assertEqual(FORKS, places("os.fork"))


class CaughtTest(unittest.TestCase):
    def test_nothing_is_caught_without_a_name(self) -> None:
        self.assertEqual([], [(module, function) for module, function, one in handlers() if one.type is None])

    def test_everything_is_caught_only_where_a_run_ends_or_it_is_raised_again(self) -> None:
        found = {
            (module, function)
            for module, function, one in handlers()
            if caught(one) & EVERYTHING and not raises_again(one)
        }
        self.assertEqual(LAST_RESORTS, found)

    def test_nothing_is_suppressed_that_nobody_has_named(self) -> None:
        for module, source in MODULES.items():
            for call, name, _ in source.called():
                if name == "contextlib.suppress":
                    with self.subTest(module=module, line=call.lineno):
                        kinds = {dotted(argument) for argument in call.args}
                        self.assertTrue(kinds)
                        self.assertEqual(set(), kinds & {*EVERYTHING, ""})


if __name__ == "__main__":
    unittest.main()
