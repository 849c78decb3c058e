"""The pair that a host serves, with the real openssl."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

from agent import certificates
from agent.errors import Refused, Unavailable
from agent.process import CommandFailed
from agent.verbs import certificate
from fakes import MachineTest

LIVE = "srv/twinhost/letsencrypt/production/live/example.com"
SERVED = "var/lib/twinhost/tls/current"
REFUSED = "the key on the shared storage is not the one of the certificate there; what is served stays"
_made: dict[str, tuple[str, str]] = {}


def pair(name: str) -> tuple[str, str]:
    """A certificate and its key, made once."""
    if name not in _made:
        with tempfile.TemporaryDirectory() as folder:
            command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -keyout k -out c"
            subprocess.run([*command.split(), "-subj", f"/CN={name}"], cwd=folder, check=True, capture_output=True)
            _made[name] = ((Path(folder) / "c").read_text(), (Path(folder) / "k").read_text())
    return _made[name]


class CertificateTest(MachineTest):
    def issue(self, certificate_of: str, key_of: str | None = None) -> None:
        self.write(f"{LIVE}/fullchain.pem", pair(certificate_of)[0])
        self.write(f"{LIVE}/privkey.pem", pair(key_of or certificate_of)[1])

    def serve(self, name: str) -> None:
        """This pair was taken over before."""
        for file, content in zip(("fullchain.pem", "privkey.pem"), pair(name)):
            self.write(f"var/lib/twinhost/tls/{name}/{file}", content)
        (self.root / SERVED).symlink_to(name)

    def verb(self) -> str:
        """What it says."""
        with contextlib.redirect_stdout(io.StringIO()) as said:
            certificate.run(self.context, [])
        return said.getvalue()

    def test_a_placeholder_for_all_names_until_there_is_a_certificate(self) -> None:
        self.write_settings(TWINHOST_EXTRA_DOMAINS="example.net")
        self.assertTrue(
            self.verb().endswith(": serves a placeholder until there is a certificate on the shared storage\n")
        )
        said = subprocess.run(
            ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", str(self.root / SERVED / "fullchain.pem")],
            check=True,
            capture_output=True,
        ).stdout.decode()
        self.assertIn("DNS:www.example.com, DNS:example.com, DNS:example.net", said)
        version = self.read(f"{SERVED}/version")
        self.assertEqual("", self.verb())
        self.assertEqual(version, self.read(f"{SERVED}/version"))

    def test_it_takes_a_certificate_over_and_every_renewal(self) -> None:
        self.issue("first")
        self.assertIn(": serves the certificate from the shared storage: notAfter=", self.verb())
        first = self.read(f"{SERVED}/version").strip()
        self.issue("second")
        self.verb()
        self.assertEqual(pair("second"), (self.read(f"{SERVED}/fullchain.pem"), self.read(f"{SERVED}/privkey.pem")))
        second = self.read(f"{SERVED}/version").strip()
        self.assertNotEqual(first, second)
        tls = self.root / "var/lib/twinhost/tls"
        self.assertEqual({"current", second}, {entry.name for entry in tls.iterdir()})
        self.assertEqual((tls / second).resolve(), (tls / "current").resolve())
        self.assertFalse((self.root / "var/lib/twinhost/certificate").exists())

    def test_a_look_that_finds_nothing_new_starts_no_program(self) -> None:
        self.issue("first")
        self.verb()
        with mock.patch("agent.certificates.run", side_effect=AssertionError):
            self.assertEqual("", self.verb())

    def test_root_alone_reads_the_key(self) -> None:
        self.issue("first")
        self.verb()
        modes = [(self.root / SERVED / name).stat().st_mode & 0o777 for name in ("privkey.pem", "fullchain.pem", "")]
        self.assertEqual([0o600, 0o644, 0o755], modes)

    def test_a_key_of_another_certificate_is_refused_once(self) -> None:
        self.serve("first")
        self.issue("second", key_of="first")
        self.assertTrue(self.verb().endswith(f": {REFUSED}\n"))
        self.assertEqual("", self.verb())
        self.assertEqual(pair("first")[0], self.read(f"{SERVED}/fullchain.pem"))
        self.issue("second")
        self.assertIn("serves the certificate", self.verb())

    def test_files_that_are_damaged_are_never_served(self) -> None:
        self.serve("first")
        whole = pair("second")
        for fullchain, privkey in (
            ("", whole[1]),
            (whole[0], ""),
            (whole[0][:200], whole[1]),
            (whole[0], whole[1][:80]),
            (whole[1], whole[0]),
        ):
            with self.subTest((fullchain[:10], privkey[:10])):
                self.write(f"{LIVE}/fullchain.pem", fullchain)
                self.write(f"{LIVE}/privkey.pem", privkey)
                self.verb()
                served = (self.read(f"{SERVED}/fullchain.pem"), self.read(f"{SERVED}/privkey.pem"))
                self.assertEqual(pair("first"), served)

    def test_what_openssl_cannot_say_is_no_yes(self) -> None:
        self.serve("first")
        self.issue("second")
        for failure in (CommandFailed("killed", "", -9), Unavailable("it had no end"), CommandFailed("none", "", 127)):
            with self.subTest(failure), mock.patch("agent.certificates.run", side_effect=failure):
                self.verb()
                self.assertEqual(pair("first")[0], self.read(f"{SERVED}/fullchain.pem"))
        with mock.patch("agent.certificates.run", return_value=""):
            self.verb()
        self.assertEqual(pair("first")[0], self.read(f"{SERVED}/fullchain.pem"))
        self.verb()
        self.assertEqual(pair("second")[0], self.read(f"{SERVED}/fullchain.pem"))

    def test_it_never_goes_back_to_a_placeholder(self) -> None:
        self.serve("first")
        self.write(f"{LIVE}/fullchain.pem", pair("second")[0])
        self.assertEqual("", self.verb())
        with mock.patch("agent.certificates.contained", side_effect=Unavailable("the shared storage did not answer")):
            self.assertEqual("", self.verb())
        self.assertEqual(pair("first")[0], self.read(f"{SERVED}/fullchain.pem"))

    def test_a_placeholder_that_cannot_be_made_is_the_end(self) -> None:
        broken = mock.patch("agent.certificates.run", side_effect=Unavailable("no openssl"))
        with broken, self.assertRaises(Refused) as raised:
            certificate.run(self.context, [])
        self.assertEqual("the placeholder certificate could not be made", raised.exception.reason)
        self.assertFalse((self.root / SERVED).exists())

    def test_nothing_of_another_acme_server(self) -> None:
        self.issue("first")
        letsencrypt = self.root / "srv/twinhost/letsencrypt"
        (letsencrypt / "production").rename(letsencrypt / "staging")
        self.assertIn("serves a placeholder", self.verb())

    def test_a_pair_shows_no_key(self) -> None:
        self.assertNotIn("secret", repr(certificates.Pair(b"public", b"secret")))


class WitnessHasNoKeyTest(MachineTest):
    role = "witness"

    def test_it_takes_nothing(self) -> None:
        self.write(f"{LIVE}/fullchain.pem", "c")
        certificate.run(self.context, [])
        self.assertFalse((self.root / "var/lib/twinhost/tls").exists())
