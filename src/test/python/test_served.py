"""What the edge shows, and what openssl reads in it."""

from __future__ import annotations

import time
from dataclasses import replace
from unittest import mock

from agent.errors import Damaged, Unavailable
from agent.process import CommandFailed, CommandTimedOut
from agent.served import days_left, issuer_of, names_of, served, trusted
from fakes import FakePrograms, MachineTest

ONE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
TWO = ONE.replace("MIIB", "MIIC")
SHOWN = f"CONNECTED(00000003)\n---\nCertificate chain\n 0 s:CN = x\n{ONE} 1 s:CN = y\n{TWO}---\nServer certificate\n"
DAY = 86400


class ServedTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms()
        patch = mock.patch("agent.served.run", self.programs)
        patch.start()
        self.addCleanup(patch.stop)

    def served(self) -> str | None:
        return served(self.machine, self.context.settings())

    def test_the_certificate_and_its_chain(self) -> None:
        self.programs.answer("openssl s_client", SHOWN)
        self.assertEqual(ONE + TWO, self.served())
        self.assertEqual(
            ["openssl s_client -connect 10.0.0.10:443 -servername www.example.com -showcerts"], self.programs.calls
        )

    def test_what_was_shown_counts_however_the_connection_ends(self) -> None:
        self.programs.answer("openssl s_client", CommandFailed("broken pipe", "", 1, SHOWN))
        self.assertEqual(ONE + TWO, self.served())

    def test_an_edge_that_shows_nothing(self) -> None:
        for answer in (
            "",
            "CONNECTED\n",
            ONE[:-8],
            "-----END CERTIFICATE-----\n",
            CommandFailed("refused", "", 1),
            CommandTimedOut("openssl had no end within 5 s"),
        ):
            with self.subTest(answer):
                self.programs.answer("openssl s_client", answer)
                self.assertIsNone(self.served())

    def test_a_machine_without_an_address_has_no_edge(self) -> None:
        machine = replace(self.machine, address=None)
        self.assertIsNone(served(machine, self.context.settings()))

    def test_whole_days_until_the_end(self) -> None:
        end = 1_900_000_000
        self.programs.answer("openssl x509 -noout -enddate", "notAfter=Mar 17 17:46:40 2030 GMT\n")
        for now, days in ((end - 60 * DAY, 60), (end - 60 * DAY + 1, 59), (end - 1, 0), (end + DAY, -1)):
            with self.subTest(now), mock.patch.object(time, "time", return_value=float(now)):
                self.assertEqual(days, days_left(ONE))
        self.assertEqual(ONE, self.programs.inputs[0])

    def test_an_end_that_cannot_be_read_is_no_number(self) -> None:
        for answer in ("", "notAfter=", "notAfter=tomorrow", "notAfter=Mar 17 17:46:40 2030", "null"):
            with self.subTest(answer), self.assertRaises(Damaged):
                self.programs.answer("openssl x509", answer)
                days_left(ONE)
        self.programs.fail("openssl x509", "unable to load certificate")
        with self.assertRaises(Unavailable):
            days_left(ONE)

    def test_names_and_issuer(self) -> None:
        self.programs.answer(
            "openssl x509 -noout -ext subjectAltName",
            "X509v3 Subject Alternative Name: \n    DNS:www.example.com, DNS:example.com, IP Address:10.0.0.1\n",
        )
        self.assertEqual(["www.example.com", "example.com"], names_of(ONE))
        self.programs.answer("openssl x509 -noout -issuer -nameopt RFC2253", "issuer=CN=R3,O=Some CA\n")
        self.assertEqual("CN=R3,O=Some CA", issuer_of(ONE))

    def test_it_is_trusted_where_openssl_says_so_of_every_name(self) -> None:
        file = self.root / "served.pem"
        verify = "openssl verify -purpose sslserver -verify_hostname"
        self.programs.answer(verify, f"{file}: OK\n")
        self.assertTrue(trusted(file, ["www.example.com", "example.com"]))
        self.assertEqual(f"{verify} example.com -untrusted {file} {file}", self.programs.calls[-1])
        self.assertFalse(trusted(file, []))
        for answer in ("", "null", "OK", f"error {file}: OK", CommandFailed("no", "", 2), CommandTimedOut("no end")):
            with self.subTest(answer):
                self.programs.answer(f"{verify} example.com", answer)
                self.assertFalse(trusted(file, ["www.example.com", "example.com"]))
