"""Logins to registries, and what an image means there."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import unittest
from unittest import mock

from agent.engine import EngineRefused, EngineTimedOut
from agent.errors import Damaged, Hopeless, Refused, Unavailable
from agent.process import CommandTimedOut
from agent.registry import (
    Distribution,
    distribution,
    docker_environment,
    know_registry,
    login_for,
    refused,
    registry_auth,
    registry_of,
)
from fakes import FakePrograms, MachineTest

HUB = "https://index.docker.io/v1/"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
OTHER = "registry.example.org:5000"
IMAGE = f"{OTHER}/acme/shop:1"
PATH = f"GET /distribution/{IMAGE}/json"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/registry-AbCdEf"
PASSWORD = "eyJwYXlsb2FkIjoi"
LOGIN = json.dumps({"username": "deploy", "password": PASSWORD})
DIGEST = "sha256:" + "0123456789abcdef" * 4
WANTED = f'the secret {ARN}, which has to hold {{"username": "…", "password": "…"}}, '


class RegistryOfTest(unittest.TestCase):
    # https://github.com/distribution/reference/blob/v0.6.0/normalize_test.go
    def test_the_registry_of_a_reference(self) -> None:
        for image, registry in (
            ("nginx", HUB),
            ("nginx:1.30", HUB),
            ("acme/shop:1", HUB),
            ("registry/shop", HUB),
            ("docker.io/acme/shop", HUB),
            ("index.docker.io/acme/shop", HUB),
            ("docker.io/registry.example.org/shop:1", HUB),
            ("shop.example.org", HUB),
            ("localhost/shop", "localhost"),
            ("localhost:5000/shop:1", "localhost:5000"),
            ("registry:5000/shop", "registry:5000"),
            ("Registry/shop", "Registry"),
            ("127.0.0.1:5000/acme/shop", "127.0.0.1:5000"),
            ("registry.example.org/acme/shop@sha256:0", "registry.example.org"),
        ):
            with self.subTest(image):
                self.assertEqual(registry, registry_of(image))


class RegistryTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms().answer("docker login")
        for module in ("agent.registry.run", "agent.aws.run"):
            patch = mock.patch(module, self.programs)
            patch.start()
            self.addCleanup(patch.stop)
        environment = mock.patch.dict(os.environ, {"HOME": str(self.root / "root")})
        environment.start()
        self.addCleanup(environment.stop)
        os.environ.pop("DOCKER_CONFIG", None)
        self.said = io.StringIO()
        output = contextlib.redirect_stdout(self.said)
        output.__enter__()
        self.addCleanup(output.__exit__, None, None, None)

    def secret(self, value: object, image: str = IMAGE) -> None:
        """The application comes from a registry of its own, and Secrets Manager answers this."""
        self.write_settings(TWINHOST_APP_IMAGE=image, TWINHOST_APP_REGISTRY_SECRET=ARN)
        answer = value if isinstance(value, BaseException) else json.dumps({"ARN": ARN, "SecretString": value})
        self.programs.answer("aws secretsmanager", answer)


class LoginTest(RegistryTest):
    def test_it_logs_in_to_amazons_registry_as_its_machine_whatever_the_secret(self) -> None:
        self.secret(LOGIN, f"{ECR}/shop:1")
        self.programs.answer("aws ecr", f"{PASSWORD}\n")

        self.assertTrue(know_registry(self.context, self.context.settings(), f"{ECR}/shop/front:v1"))
        self.assertEqual(
            [
                "aws ecr get-login-password --region eu-west-1",
                f"docker login --username AWS --password-stdin {ECR}",
            ],
            self.programs.calls,
        )
        self.assertEqual(f"{PASSWORD}\n", self.programs.inputs[1])
        self.assertEqual({"DOCKER_CONFIG": str(self.root / "run/twinhost/docker")}, self.programs.environments[1])

    def test_it_logs_in_with_the_secret_and_shows_it_to_nobody(self) -> None:
        odd = 'it\'s $HOME \\ "quoted" ü'
        self.secret(json.dumps({"username": "a b", "password": odd}))

        self.assertTrue(know_registry(self.context, self.context.settings(), IMAGE))
        self.assertEqual(
            [
                f"aws secretsmanager get-secret-value --region eu-west-1 --secret-id {ARN} --output json",
                f"docker login --username a b --password-stdin {OTHER}",
            ],
            self.programs.calls,
        )
        self.assertEqual(f"{odd}\n", self.programs.inputs[1])
        self.assertEqual("", self.said.getvalue())

    def test_no_other_registry_gets_the_password(self) -> None:
        self.secret(LOGIN)
        for image in (
            "nginx:1",
            "public.ecr.aws/docker/library/nginx:1",
            "registry.example.org/shop:1",
            f"{OTHER}.evil.net/shop:1",
            f"docker.io/{OTHER}/shop:1",
            f"{ECR}.evil.org/shop:1",
            "123456789012.dkr.ecr.x.amazonaws.com.evil.org/a",
        ):
            with self.subTest(image):
                login = login_for(self.context, self.context.settings(), image)
                self.assertIsNone(login)
                self.assertEqual({}, docker_environment(self.context, login))
                self.assertFalse(know_registry(self.context, self.context.settings(), image))
        self.assertEqual([], self.programs.calls)

    def test_where_there_is_no_application_nobody_gets_it(self) -> None:
        self.secret(LOGIN, image="")
        self.assertIsNone(login_for(self.context, self.context.settings(), "nginx:1"))

    def test_a_secret_that_lacks_something_is_named_without_showing_it(self) -> None:
        nothing = "holds no JSON object"
        control = "has a colon or a control character in its username"
        for value, reason in (
            (PASSWORD, nothing),
            (LOGIN[:-1], nothing),
            (json.dumps(["deploy", PASSWORD]), nothing),
            ("null", nothing),
            ("", nothing),
            (None, nothing),
            (7, nothing),
            ("{}", "holds no username and no password"),
            (json.dumps({"password": PASSWORD}), "holds no username"),
            (json.dumps({"username": "deploy", "password": 7}), "holds no password"),
            (json.dumps({"username": "", "password": PASSWORD}), "holds no username"),
            (json.dumps({"username": "a:b", "password": PASSWORD}), control),
            (json.dumps({"username": "a\nb", "password": PASSWORD}), control),
            (json.dumps({"username": "a\x85b", "password": PASSWORD}), control),
        ):
            with self.subTest(value):
                self.secret(value)
                with self.assertRaises(Refused) as raised:
                    know_registry(self.context, self.context.settings(), IMAGE)
                self.assertEqual(WANTED + reason, raised.exception.reason)
        self.assertFalse([call for call in self.programs.calls if call.startswith("docker")])

    def test_a_broken_answer_is_no_login(self) -> None:
        self.secret(LOGIN)
        for answer, reason in (
            ("", "could not be read"),
            ("[{", "could not be read"),
            ("null", "holds no JSON object"),
            ("[]", "holds no JSON object"),
            ("{}", "holds no JSON object"),
            ('{"SecretBinary":"eyJ"}', "holds no JSON object"),
        ):
            with self.subTest(answer), self.assertRaises(Refused) as raised:
                self.programs.answer("aws secretsmanager", answer)
                know_registry(self.context, self.context.settings(), IMAGE)
            self.assertEqual(WANTED + reason, raised.exception.reason)

    def test_a_registry_that_refuses_the_password_is_asked_once(self) -> None:
        self.secret(LOGIN)
        refusal = f'Error response from daemon: Get "https://{OTHER}/v2/": unauthorized: incorrect password'
        self.programs.fail("docker login", f"WARNING! unencrypted\n{refusal}\n")

        with self.assertRaises(Refused) as raised:
            know_registry(self.context, self.context.settings(), IMAGE)
        self.assertEqual(
            f"the registry {OTHER} refuses the login of the secret {ARN}: {refusal}", raised.exception.reason
        )
        self.assertEqual(2, len(self.programs.calls))
        self.assertEqual("", self.said.getvalue())

    def test_a_registry_that_does_not_answer_is_asked_again(self) -> None:
        self.secret(LOGIN)
        self.programs.fail("docker login", "Error: EOF")

        with self.assertRaises(Refused) as raised:
            know_registry(self.context, self.context.settings(), IMAGE)
        self.assertEqual(f"waited 60 s for the registry {OTHER}, last: Error: EOF", raised.exception.reason)
        self.assertTrue(self.said.getvalue().endswith(f": waits for the registry {OTHER}: Error: EOF\n"))

    def test_amazons_words_are_the_reason(self) -> None:
        refusal = "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: no"
        self.secret(LOGIN)
        self.programs.fail("aws secretsmanager", f"\n{refusal}\nmore\n", 254)
        login = login_for(self.context, self.context.settings(), IMAGE)
        assert login is not None
        with self.assertRaises(Unavailable) as raised:
            login.log_in()
        self.assertEqual(refusal, raised.exception.reason)

    def test_what_takes_too_long_can_be_tried_again(self) -> None:
        self.secret(LOGIN)
        login = login_for(self.context, self.context.settings(), IMAGE)
        assert login is not None
        for begin, reason in (
            ("docker login", "no answer in time"),
            ("aws secretsmanager", "Secrets Manager did not answer in time"),
        ):
            self.programs.answer(begin, CommandTimedOut("it had no end"))
            with self.subTest(begin), self.assertRaises(Unavailable) as raised:
                login.log_in(5)
            self.assertEqual(reason, raised.exception.reason)

    def test_a_login_that_fails_without_a_word_has_a_reason(self) -> None:
        self.secret(LOGIN)
        self.programs.fail("docker login", "", 3)
        login = login_for(self.context, self.context.settings(), IMAGE)
        assert login is not None
        with self.assertRaises(Unavailable) as raised:
            login.log_in()
        self.assertEqual("docker login ended with status 3", raised.exception.reason)

    def test_words_of_a_refusal(self) -> None:
        for words in ("Unauthorized: x", "denied: y", "403 Forbidden", "no basic auth credentials"):
            self.assertTrue(refused(words), words)
        self.assertFalse(refused("EOF"))

    def test_hopeless_is_no_reason_to_wait(self) -> None:
        self.secret("{}")
        login = login_for(self.context, self.context.settings(), IMAGE)
        assert login is not None
        with self.assertRaises(Hopeless):
            login.log_in()


class DistributionTest(RegistryTest):
    def setUp(self) -> None:
        super().setUp()
        self.answer: dict[str, object] = {"Descriptor": {"digest": DIGEST}, "Platforms": None}
        self.engine.answer(PATH, self.answer)

    def auth(self) -> object:
        header = self.engine.headers[-1].get("X-Registry-Auth")
        return None if header is None else json.loads(base64.urlsafe_b64decode(header))

    def test_what_a_reference_means_now(self) -> None:
        self.answer["Platforms"] = [
            {"os": "linux", "architecture": "arm64"},
            {"os": "linux", "architecture": "amd64"},
            {"os": "linux", "architecture": "arm64", "variant": "v8"},
            {"os": "unknown", "architecture": "unknown"},
            {"os": "", "architecture": ""},
            {"architecture": "arm"},
        ]
        self.assertEqual(Distribution(DIGEST, ("linux/amd64", "linux/arm64")), distribution(self.context, IMAGE))
        self.assertIsNone(self.auth())
        self.assertEqual([30], self.engine.limits)

    def test_no_broken_answer_is_a_digest(self) -> None:
        for answer in (
            "",
            "null",
            {},
            [],
            {"Descriptor": 7},
            {"Descriptor": {"digest": None}},
            {"Descriptor": {"digest": "sha256:0123"}},
            {"Descriptor": {"digest": f"{DIGEST}\n"}},
            '{"Descriptor":{"digest":"sha256:',
        ):
            with self.subTest(answer), self.assertRaises(Unavailable) as raised:
                self.engine.answer(PATH, answer)
                distribution(self.context, IMAGE)
            self.assertEqual("the answer names no digest", raised.exception.reason)

    def test_platforms_that_cannot_be_read_are_not_every_platform(self) -> None:
        for platforms in ({}, "linux/arm64", ["linux/arm64"], [{"os": 7}], [{"os": "linux"}]):
            with self.subTest(platforms), self.assertRaises(Unavailable):
                self.answer["Platforms"] = platforms
                distribution(self.context, IMAGE)

    def test_the_registrys_own_words(self) -> None:
        self.engine.answer(PATH, EngineRefused("errors: denied: no", 500))
        with self.assertRaises(Unavailable) as raised:
            distribution(self.context, IMAGE)
        self.assertEqual("errors: denied: no", raised.exception.reason)

    def test_a_registry_that_takes_too_long(self) -> None:
        self.engine.answer(PATH, EngineTimedOut("Docker did not answer within 5 s"))
        with self.assertRaises(Unavailable) as raised:
            distribution(self.context, IMAGE, 5)
        self.assertEqual("no answer within 5 s", raised.exception.reason)
        self.assertEqual([5], self.engine.limits)

    def test_nothing_is_asked_for_that_is_no_reference(self) -> None:
        for image in ("shop?x=[1-9]", "", "a b", "a\n"):
            with self.subTest(image), self.assertRaises(Unavailable):
                distribution(self.context, image)
        self.assertEqual([], self.engine.calls)

    def test_it_asks_with_the_login_that_docker_has(self) -> None:
        password = "p:ä?ÿ>~ 'quoted'"
        entry = {"auth": base64.b64encode(f"deploy:{password}".encode()).decode()}
        for folder, environment in (
            ("root/.docker", {}),
            ("elsewhere", {"DOCKER_CONFIG": str(self.root / "elsewhere")}),
        ):
            self.write(f"{folder}/config.json", json.dumps({"auths": {"other.example.org": {}, OTHER: entry}}))
            with self.subTest(folder), mock.patch.dict(os.environ, environment):
                distribution(self.context, IMAGE)
                self.assertEqual({"username": "deploy", "password": password, "serveraddress": OTHER}, self.auth())
                self.assertNotRegex(self.engine.headers[-1]["X-Registry-Auth"], "[+/\n]")
            (self.root / folder / "config.json").unlink()

    def test_it_asks_with_its_own_login_where_it_has_one(self) -> None:
        self.secret(LOGIN)
        own = base64.b64encode(b"deploy:fresh").decode()
        self.write("root/.docker/config.json", json.dumps({"auths": {OTHER: {"auth": "b2xkOm9sZA=="}}}))
        self.write("run/twinhost/docker/config.json", json.dumps({"auths": {OTHER: {"auth": own}}}))
        distribution(self.context, IMAGE)
        self.assertEqual({"username": "deploy", "password": "fresh", "serveraddress": OTHER}, self.auth())

    def test_a_token_stands_for_the_password(self) -> None:
        entry = {"auth": base64.b64encode(b"deploy:").decode(), "identitytoken": "t0ken"}
        self.write("c/config.json", json.dumps({"auths": {OTHER: entry}}))
        found = registry_auth(self.root / "c", IMAGE)
        assert found is not None
        self.assertEqual(
            {"username": "deploy", "serveraddress": OTHER, "identitytoken": "t0ken"},
            json.loads(base64.urlsafe_b64decode(found)),
        )

    def test_without_a_login_that_can_be_read_it_asks_without_one(self) -> None:
        for config in (
            '{"auths":{"registry.example.org":{"auth":"ZGVwbG95OnB3"}}}',
            '{"auths":{"registry.example.org:5000":{}},"credsStore":"pass"}',
            '{"auths":{"registry.example.org:5000":7}}',
            '{"auths":{"registry.example.org:5000":{"auth":7}}}',
            '{"auths":{"registry.example.org:5000":{"auth":"?"}}}',
            '{"auths":{"registry.example.org:5000":{"auth":"/w=="}}}',
            '{"auths":[]}',
            '{"auths":',
            "",
        ):
            with self.subTest(config):
                self.write("c/config.json", config)
                self.assertIsNone(registry_auth(self.root / "c", IMAGE))
        self.assertIsNone(registry_auth(self.root / "nowhere", IMAGE))

    def test_settings_that_cannot_be_read_are_no_settings_without_a_login(self) -> None:
        (self.machine.release / "settings.env").write_text("export TWINHOST_DOMAIN='exam")
        with self.assertRaises(Damaged):
            distribution(self.context, IMAGE)
