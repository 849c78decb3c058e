"""What the agent asks of Docker is what Docker 25.0 has, which Amazon Linux packages: its command line and its API."""

from __future__ import annotations

import ast
import re
import unittest

from docker_calls import Call, docker_calls
from source import HOST, MODULES

# Commands and options that are called, all of them in the reference of Docker 25.0; = for those that have a value.
# https://github.com/docker/cli/tree/v25.0.0/docs/reference/commandline
DOCKER_25: dict[str, set[str]] = {
    "image inspect": {"--format="},
    "image rm": {"--force"},
    "pull": {"-q"},
    "run": {"--rm", "--name=", "--network=", "--tmpfs=", "--entrypoint=", "-v="},
    "rm": {"--force"},
    "ps": {"-q", "-f="},
    "stop": {"-t="},
    "stack deploy": {"-c=", "--prune", "--with-registry-auth", "--resolve-image="},
    "service logs": {"--raw", "--tail="},
    "service create": {
        "--quiet",
        "--detach",
        "--name=",
        "--label=",
        "--mode=",
        "--constraint=",
        "--restart-condition=",
        "--no-healthcheck",
        "--no-resolve-image",
        "--with-registry-auth",
        "--entrypoint=",
    },
    "service rm": set(),
    "service update": {
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--with-registry-auth",
        "--force",
        "--label-add=",
        "--label-rm=",
        "--replicas=",
    },
    "logs": {"--tail="},
    "node update": {"--availability="},
    "node demote": set(),
    "node rm": {"--force"},
    "login": {"--username=", "--password-stdin"},
}
# the words after its image are the container's
_ENDS_AT_THE_FIRST = {"run"}


def parse(call: Call) -> tuple[str, set[str]]:
    """The command, and its options as they stand in the table; one that is not there as it is."""
    words = list(call.words)
    pair = " ".join(word or "" for word in words[:2])
    command = pair if pair in DOCKER_25 else words[0] or ""
    known = DOCKER_25.get(command, set())
    options: set[str] = set()
    rest = iter(words[len(command.split()) :])
    for word in rest:
        if word is None or not word.startswith("-"):
            if command in _ENDS_AT_THE_FIRST:
                break
            continue
        name = word.partition("=")[0]
        if f"{name}=" in known:
            name = f"{name}="
            if "=" not in word:
                next(rest)
        options.add(name)
    return command, options


class Docker25Test(unittest.TestCase):
    def test_nothing_is_called_that_is_newer_and_all_of_the_table_is(self) -> None:
        called: dict[str, set[str]] = {}
        for call in docker_calls():
            with self.subTest(module=call.module, line=call.line):
                command, options = parse(call)
                self.assertIn(command, DOCKER_25)
                self.assertEqual(set(), options - DOCKER_25[command])
                called.setdefault(command, set()).update(options)
        self.assertEqual(DOCKER_25, called)

    def test_the_version_of_the_api_is_named_once(self) -> None:
        named = [
            (module, node.value)
            for module, source in MODULES.items()
            for node, _ in source.nodes
            if isinstance(node, ast.Constant) and re.match(r"/?v[0-9]+\.[0-9]+(/|$)", str(node.value))
        ]
        self.assertEqual([("agent.engine", "v1.44")], named)

    def test_what_is_said_of_the_api_is_said_of_this_version(self) -> None:
        text = "".join(file.read_text("utf-8") for file in (HOST / "agent").rglob("*.py"))
        self.assertEqual({"v1.44"}, set(re.findall(r"/api/engine/version/(v[0-9.]+[0-9])", text)))


if __name__ == "__main__":
    unittest.main()
