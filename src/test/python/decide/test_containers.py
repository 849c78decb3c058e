"""What a container says that is asked about files or an image."""

from __future__ import annotations

import unittest

from agent.decide.containers import Said, why_files_refused, why_health_unknown

REFUSED = "the files of this release are refused"


class ContainersTest(unittest.TestCase):
    def test_why_files_are_refused(self) -> None:
        for words, reason in (
            (
                '2026/11/27 17:07:09 [emerg] 1#1: unknown directive "bogus" in /etc/nginx/conf.d/site.conf:9\n'
                "nginx: configuration file /etc/nginx/nginx.conf test failed",
                'Nginx refuses the files of this release: unknown directive "bogus" in /etc/nginx/conf.d/site.conf:9',
            ),
            (
                'nginx: [emerg] no "events" section in configuration',
                'Nginx refuses the files of this release: no "events" section in configuration',
            ),
            (
                "[warn] 1#1: conflicting server name\n/healthz is answered with 301 instead of 200",
                f"{REFUSED}: /healthz is answered with 301 instead of 200",
            ),
            (
                "docker: Error response from daemon: no space left on device\nRun 'docker run --help'",
                "Nginx could not be asked about the files of this release: docker: Error response from daemon: no space"
                " left on device",
            ),
            ("", f"{REFUSED}: without a word"),
            ("\n\n", f"{REFUSED}: without a word"),
        ):
            with self.subTest(words):
                self.assertEqual(reason, why_files_refused(Said(1, words)))

    def test_who_can_be_asked_for_its_health(self) -> None:
        self.assertIsNone(why_health_unknown(Said(0, "/usr/bin/curl"), "shop:1"))
        for status in (1, 127):
            self.assertIn("has no shell with curl or wget", why_health_unknown(Said(status, ""), "shop:1") or "")
        self.assertEqual(
            "the application's image could not be asked for curl or wget: docker: no space left on device",
            why_health_unknown(Said(125, "docker: no space left on device\nmore"), "shop:1"),
        )
        self.assertEqual(
            "the application's image could not be asked for curl or wget: no answer within 60 s",
            why_health_unknown(Said(124, "x\nno answer within 60 s"), "shop:1"),
        )


if __name__ == "__main__":
    unittest.main()
