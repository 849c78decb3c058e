"""Which images a release runs, and where they may be had."""

from __future__ import annotations

import unittest

from agent.decide import images

DIGEST = "@sha256:" + "d" * 64


class ImagesTest(unittest.TestCase):
    def test_a_dockerfile_names_one_image(self) -> None:
        for text, image in (
            ("FROM nginx:1.30.7\n", "nginx:1.30.7"),
            (f"# why\nFROM certbot/certbot:v5{DIGEST}\n", f"certbot/certbot:v5{DIGEST}"),
            ("", None),
            ("FROM\n", None),
            ("FROM \n", None),
            ("# nothing\n", None),
            ("FROM a:1\nFROM b:1\n", None),
            ("FROM $IMAGE\n", None),
            ("FROM a:1 AS b\n", None),
            ("FROM A:1\n", None),
        ):
            with self.subTest(text):
                self.assertEqual(image, images.named_in(text)[0])

    def test_what_is_noted_counts_by_its_digest_alone(self) -> None:
        self.assertEqual(f"a{DIGEST}", images.noted({"images": {"a:1": f"a{DIGEST}"}}, "a:1"))
        broken: tuple[dict[str, object], ...] = (
            {},
            {"images": None},
            {"images": []},
            {"images": "a:1"},
            {"images": {}},
            {"images": {"a:1": None}},
            {"images": {"a:1": 1}},
            {"images": {"a:1": "a:1"}},
            {"images": {"a:1": "a@sha256:d"}},
            {"images": {"a:1": f"a{DIGEST}x"}},
            {"images": {"b:1": f"b{DIGEST}"}},
        )
        for note in broken:
            with self.subTest(note):
                self.assertIsNone(images.noted(note, "a:1"))

    def test_only_digests_are_worth_noting(self) -> None:
        pairs = [("a:1", f"a:1{DIGEST}"), ("b:1", "b:1"), ("c:1", "")]
        self.assertEqual({"a:1": f"a:1{DIGEST}"}, images.to_note(pairs))

    def test_an_official_image_has_two_places(self) -> None:
        official = ["public.ecr.aws/docker/library/nginx:1", "docker.io/library/nginx:1"]
        for image in ("nginx:1", "library/nginx:1", "docker.io/library/nginx:1", "docker.io/nginx:1", *official):
            with self.subTest(image):
                self.assertEqual(official, images.places(image))
        for image in ("certbot/certbot:5", "local/nginx:1", "registry.example.org/nginx:1", "docker.io/acme/nginx:1"):
            with self.subTest(image):
                self.assertEqual([image], images.places(image))

    def test_a_digest_is_that_of_the_image_itself(self) -> None:
        other = "@sha256:" + "e" * 64
        cases: tuple[tuple[str, list[str], str], ...] = (
            ("nginx:1", [f"nginx{DIGEST}"], f"nginx:1{DIGEST}"),
            ("docker.io/library/nginx:1", [f"nginx{DIGEST}"], f"docker.io/library/nginx:1{DIGEST}"),
            ("docker.io/library/nginx:1", [f"docker.io/library/nginx{DIGEST}"], f"docker.io/library/nginx:1{DIGEST}"),
            ("public.ecr.aws/docker/library/nginx:1", [f"nginx{DIGEST}"], "public.ecr.aws/docker/library/nginx:1"),
            (
                "public.ecr.aws/docker/library/nginx:1",
                [f"nginx{other}", f"public.ecr.aws/docker/library/nginx{DIGEST}"],
                f"public.ecr.aws/docker/library/nginx:1{DIGEST}",
            ),
            ("nginx:1", [], "nginx:1"),
            ("nginx:1", ["", "<none>@<none>"], "nginx:1"),
            ("nginx:1", [f"xnginx{DIGEST}", "nginx@sha256:d"], "nginx:1"),
            (f"nginx:1{DIGEST}", [f"nginx{other}"], f"nginx:1{DIGEST}"),
        )
        for image, digests, found in cases:
            with self.subTest(image=image, digests=digests):
                self.assertEqual(found, images.with_digest(image, digests))

    def test_an_image_for_other_machines_is_a_misfit(self) -> None:
        self.assertEqual("linux/amd64", images.platform("x86_64"))
        self.assertEqual("linux/arm64", images.platform("aarch64"))
        self.assertEqual("linux/riscv64", images.platform("riscv64"))
        self.assertIsNone(images.misfit([], "linux/amd64"))
        self.assertIsNone(images.misfit(["linux/arm64", "linux/amd64"], "linux/amd64"))
        self.assertEqual(
            "it is for linux/arm64, and the machines are linux/amd64: build it for linux/amd64, or choose an"
            " instanceType for which it is, as t4g.small",
            images.misfit(["linux/arm64"], "linux/amd64"),
        )
        self.assertIn("as t3.small", images.misfit(["linux/386", "linux/amd64"], "linux/arm64") or "")
        self.assertIn("as EC2 has none", images.misfit(["linux/riscv64"], "linux/arm64") or "")


if __name__ == "__main__":
    unittest.main()
