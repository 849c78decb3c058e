"""The stack that a release judges is the one that docker/stack.yml and docker/app/service.yml describe."""

from __future__ import annotations

import re
import unittest

from agent.decide.stack import SERVICES, STACK
from source import read


class StackTest(unittest.TestCase):
    def test_each_service_of_the_stack_is_judged(self) -> None:
        services = re.search(r"(?ms)^services:$(.*)^networks:$", read("docker/stack.yml"))
        assert services
        there = re.findall(r"(?m)^  ([a-z]+):$", services[1] + read("docker/app/service.yml"))
        self.assertEqual(sorted(f"{STACK}_{name}" for name in there), sorted(SERVICES))


if __name__ == "__main__":
    unittest.main()
