"""A name of a setting is the same wherever it stands: where the app exports it (SiteRelease.java), in the agent, in the
compose files, in nginx/ and in the launcher (user-data.sh).
"""

from __future__ import annotations

import ast
import re
import unittest

from source import CHECKOUT, MODULES, dotted, read

NAME = "(?:AWS|TWINHOST)_[A-Z0-9_]+"
# makes another limit of a deploy another release, and is read by nobody
UNREAD = {"TWINHOST_DEPLOY_SECONDS"}
# noted by bootstrap, for this boot and the next; and by whoever wants other limits than the agent's
OF_THE_INSTANCE = {"TWINHOST_INSTANCE", "TWINHOST_ADDRESS"}
LIMITS = {"TWINHOST_LIMIT_DOWN", "TWINHOST_LIMIT_MISSING", "TWINHOST_LIMIT_LEADERLESS"}
# of the environment: where tests put a machine's root, and its metadata service
SEAMS = {"TWINHOST_ROOT", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}
# what the launcher alone works with
OF_THE_LAUNCHER = {"TWINHOST_FILE_SYSTEM", "TWINHOST_SIGNAL_RESOURCE", "TWINHOST_LOG_GROUP"}
COMPOSE = ("stack", "app/stack", "app/service", "app/health", "app/trial")


def exported() -> set[str]:
    java = read("src/main/java/dev/twinhost/SiteRelease.java")
    found = re.findall(r'exports\.put\(\s*"([A-Z0-9_]+)"', java)
    assert len(found) == java.count("exports.put(") == len(set(found)) > 20, found
    return set(found)


def made() -> set[str]:
    """What a release gives the compose files beside the settings, or in their place."""
    nodes = [
        node
        for node, function in MODULES["agent.release.plan"].nodes
        if function in ("values", "environment") and isinstance(node, ast.Dict)
    ]
    keys = {str(key.value) for node in nodes for key in node.keys if isinstance(key, ast.Constant)}
    more = {
        keyword.arg
        for source in MODULES.values()
        for call, name, _ in source.called()
        if dotted(call.func).endswith("plan.environment")
        for keyword in call.keywords
        if keyword.arg
    }
    return keys | more


def named_by_the_agent() -> set[str]:
    return {
        str(node.value)
        for source in MODULES.values()
        for node, _ in source.nodes
        if isinstance(node, ast.Constant) and re.fullmatch(NAME, str(node.value))
    }


def named_in(*texts: str) -> set[str]:
    return {name for text in texts for name in re.findall(rf"\$\{{?({NAME})", text)}


def compose() -> set[str]:
    return named_in(*(read(f"docker/{name}.yml") for name in COMPOSE))


def rendered() -> set[str]:
    """What is filled in before a service reads it."""
    files = [*(CHECKOUT / "nginx").rglob("*"), CHECKOUT / "docker/app/nginx.conf", CHECKOUT / "docker/app/index.html"]
    return named_in(*(file.read_text("utf-8") for file in files if file.is_file()))


def launcher() -> set[str]:
    """What is noted of the machine when it is launched."""
    found = re.search(r"for name in (AWS_REGION [A-Z_ ]+); do", read("src/main/resources/dev/twinhost/user-data.sh"))
    assert found
    return set(found[1].split())


class SettingsTest(unittest.TestCase):
    def test_everything_that_is_exported_is_read(self) -> None:
        self.assertEqual(UNREAD, exported() - named_by_the_agent() - compose() - rendered())

    def test_the_agent_knows_no_setting_that_nobody_exports(self) -> None:
        known = exported() | made() | OF_THE_INSTANCE | LIMITS | SEAMS | launcher()
        self.assertEqual(set(), named_by_the_agent() - known)
        self.assertEqual(OF_THE_LAUNCHER, known - exported() - named_by_the_agent() - {"TWINHOST_NODE"})

    def test_the_compose_files_ask_for_what_a_release_gives_them_and_it_gives_nothing_else(self) -> None:
        self.assertEqual(set(), compose() - exported() - made())
        self.assertEqual(set(), made() - exported() - compose())

    def test_the_files_of_services_ask_for_settings_alone(self) -> None:
        self.assertEqual(set(), rendered() - exported())

    def test_the_compose_files_are_all_there_are(self) -> None:
        there = {str(file.relative_to(CHECKOUT / "docker"))[:-4] for file in (CHECKOUT / "docker").rglob("*.yml")}
        self.assertEqual(set(COMPOSE), there)


if __name__ == "__main__":
    unittest.main()
