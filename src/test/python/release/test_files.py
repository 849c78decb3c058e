"""Every file that a service reads, filled in with the settings."""

from __future__ import annotations

import hashlib
import json
import re
import unittest
from pathlib import Path

from agent.errors import Refused
from agent.release.application import compose
from agent.release.files import config_name, fill_in, grpc_headers, render_files, write_configs
from agent.release.plan import create_plan
from release.things import CHECKOUT, HostTest

NAMES = frozenset({"TWINHOST_EMAIL", "TWINHOST_DOMAIN"})
ODD = "a'b\"c $HOME `id` \\ ${TWINHOST_EMAIL} \\1 %s"
VALUES = {"TWINHOST_EMAIL": ODD, "TWINHOST_DOMAIN": "example.com", "HOME": "/root"}


class FillInTest(unittest.TestCase):
    def test_only_settings_are_filled_in_and_survive_as_they_are(self) -> None:
        for text, filled in (
            ("# ${TWINHOST_EMAIL} $host ${host} ${TWINHOST_DOMAIN}", f"# {ODD} $host ${{host}} example.com"),
            ("$HOME ${HOME} $$ $ ${} $1 ${TWINHOST_DOMAIN", "$HOME ${HOME} $$ $ ${} $1 ${TWINHOST_DOMAIN"),
            # as envsubst, which filled them in before
            ("$TWINHOST_DOMAIN.", "example.com."),
            ("$TWINHOST_DOMAINS", "$TWINHOST_DOMAINS"),
            ("", ""),
        ):
            with self.subTest(text):
                self.assertEqual(filled, fill_in(text, "file", NAMES, VALUES))

    def test_a_setting_that_does_not_exist_is_refused(self) -> None:
        text = "${TWINHOST_DOMAIN} ${TWINHOST_DOMIAN} ${TWINHOST_}"
        with self.assertRaises(Refused) as refused:
            fill_in(text, "nginx/extra.conf", NAMES, VALUES)
        self.assertEqual(
            "nginx/extra.conf asks for settings that do not exist: ${TWINHOST_DOMIAN} ${TWINHOST_}",
            refused.exception.reason,
        )


class RenderTest(HostTest):
    def setUp(self) -> None:
        super().setUp()
        nginx = self.machine.release / "nginx"
        nginx.rename(self.root / "away")
        nginx.symlink_to(CHECKOUT / "nginx")
        self.plan = create_plan(self.context)

    def test_every_file_of_the_checkout_is_handed_to_swarm_by_its_content(self) -> None:
        files = render_files(self.context, self.plan)
        write_configs(self.context, files)

        configs = json.loads(self.read("var/lib/twinhost/stack/configs.json"))
        targets = [config["target"] for config in configs["services"]["edge"]["configs"]]
        for target in ("nginx.conf", "conf.d/default.conf", "snippets/tls.conf", "snippets/grpc-request-headers.conf"):
            self.assertIn(f"/etc/nginx/{target}", targets)
        self.assertIn("/twinhost/entrypoint.sh", targets)
        self.assertEqual(
            ["/twinhost/entrypoint.sh", "/twinhost/check.py"],
            [config["target"] for config in configs["services"]["certbot"]["configs"]],
        )
        self.assertEqual({"edge", "certbot", "challenge", "app"}, set(configs["services"]))
        self.assertEqual(len(files), len(configs["configs"]))
        for name, config in configs["configs"].items():
            digest = hashlib.sha256(Path(config["file"]).read_bytes()).hexdigest()[:16]
            self.assertEqual(name, config["name"])
            self.assertTrue(name.endswith(f"_{digest}"))
            self.assertRegex(name, r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9]\Z")

    def test_nothing_is_left_to_fill_in_and_what_is_no_conf_stays(self) -> None:
        render_files(self.context, self.plan)
        for file in (self.root / "var/lib/twinhost/stack").rglob("*.conf"):
            self.assertIsNone(re.search(r"\$\{?TWINHOST_[A-Z]", file.read_text()), str(file))
        page = "maintenance.html"
        rendered = self.root / "var/lib/twinhost/stack/nginx" / page
        self.assertEqual((CHECKOUT / "nginx" / page).read_bytes(), rendered.read_bytes())

    def test_a_release_without_the_list_of_headers_is_refused(self) -> None:
        nginx = self.machine.release / "nginx"
        nginx.unlink()
        nginx.mkdir()
        with self.assertRaisesRegex(Refused, "nginx/snippets/request-headers.conf is missing"):
            render_files(self.context, self.plan)

    def test_an_application_brings_no_page_of_ours(self) -> None:
        self.with_application()
        files = render_files(self.context, create_plan(self.context))
        self.assertEqual({"edge", "certbot", "challenge"}, {one.service for one in files})


class ComposeTest(unittest.TestCase):
    def test_the_list_of_headers_for_grpc(self) -> None:
        text = (
            "# a note\nproxy_set_header Host $host;\nproxy_set_header Connection $x;\nproxy_set_header Upgrade $y;\n"
            'proxy_set_header If-None-Match "";\nproxy_set_header Iffy 1;\nproxy_http_version 1.1;\n'
        )
        self.assertEqual("grpc_set_header Host $host;\ngrpc_set_header Iffy 1;\n", grpc_headers(text))

    def test_the_name_of_a_config_is_short_and_plain(self) -> None:
        digest = hashlib.sha256(b"x").hexdigest()[:16]
        self.assertEqual(f"edge_etc-nginx-nginx.conf_{digest}", config_name("edge", "/etc/nginx/nginx.conf", b"x"))
        long = config_name("challenge", "/etc/nginx/" + "a" * 80 + "_b.conf", b"x")
        self.assertEqual(f"challenge_{'a' * 29}-b.conf_{digest}", long)

    def test_dollars_and_templates_reach_the_application_as_they_are(self) -> None:
        odd = 'it\'s ${TWINHOST_EMAIL} $$ "quoted"\n\\ second line, {{name}} {{{ }}'
        made = compose({"ODD": odd, "spring.datasource-url": "x"}, {"db": "app_db_1"})
        self.assertEqual(
            {
                "version": "3.9",
                "secrets": {"db": {"external": True, "name": "app_db_1"}},
                "services": {
                    "app": {
                        "environment": {
                            "ODD": odd.replace("$", "$$").replace("{{", '{{"{{"}}'),
                            "spring.datasource-url": "x",
                        },
                        "secrets": [{"source": "db", "target": "db", "mode": 292}],
                    }
                },
            },
            made,
        )


if __name__ == "__main__":
    unittest.main()
