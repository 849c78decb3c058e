"""The engine behind its socket: whole answers, refusals, and engines that hang or trickle."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Callable

from agent.engine import Engine, EngineRefused, EngineTimedOut
from agent.errors import Damaged, Unavailable

OK = b"HTTP/1.1 200 OK\r\n"


class EngineTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "docker.sock"
        self.asked = b""

    def engine(self, answer: Callable[[socket.socket], object]) -> Engine:
        """One that answers a single call like this."""
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(self.path))
        server.listen()

        def serve() -> None:
            with server, server.accept()[0] as client:
                self.asked = client.recv(65536)
                try:
                    answer(client)
                except BrokenPipeError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        return Engine(self.path)

    def test_an_answer_in_chunks_is_put_together(self) -> None:
        chunks = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"
        self.assertEqual([1, 2], self.engine(lambda client: client.sendall(chunks)).nodes(role="manager"))
        self.assertTrue(
            self.asked.startswith(b"GET /v1.44/nodes?filters=%7B%22role%22%3A%5B%22manager%22%5D%7D HTTP/1.1")
        )
        self.assertEqual(1, self.asked.count(b"Host: docker\r\n"))

    def test_a_refusal_has_the_engines_own_words_in_one_line(self) -> None:
        refusal = b'{"message":"no\\nleader"}'
        head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n" % len(refusal)
        engine = self.engine(lambda client: client.sendall(head + refusal))
        with self.assertRaises(EngineRefused) as end:
            engine.nodes()
        self.assertEqual(("no leader", 503), (end.exception.reason, end.exception.status))

    def test_what_is_cut_short_is_no_answer(self) -> None:
        engine = self.engine(lambda client: client.sendall(OK + b"Content-Length: 100\r\n\r\n[]"))
        with self.assertRaises(Unavailable):
            engine.nodes()

    def test_what_is_no_json_is_damaged(self) -> None:
        engine = self.engine(lambda client: client.sendall(OK + b"Content-Length: 2\r\n\r\n[}"))
        with self.assertRaises(Damaged):
            engine.nodes()

    def test_one_that_hangs_has_its_limit(self) -> None:
        self._has_its_limit(lambda client: client.recv(1))

    def test_one_that_trickles_has_its_limit_for_all_of_it(self) -> None:
        for head in (b"", OK + b"Content-Length: 1000\r\n\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"):
            with self.subTest(head):
                self._has_its_limit(lambda client, head=head: self._trickle(client, head))  # type: ignore[misc]
                self.path.unlink()

    def _has_its_limit(self, answer: Callable[[socket.socket], object]) -> None:
        engine = self.engine(answer)
        begun = time.monotonic()
        with self.assertRaises(EngineTimedOut) as end:
            engine.get("/info", 0.2)
        self.assertEqual("Docker did not answer within 0.2 s", end.exception.reason)
        self.assertLess(time.monotonic() - begun, 1)

    def _trickle(self, client: socket.socket, head: bytes) -> None:
        client.sendall(head)
        while True:
            client.sendall(b"1")
            time.sleep(0.02)

    def test_where_there_is_none(self) -> None:
        with self.assertRaisesRegex(Unavailable, r"\ADocker cannot be asked: No such file or directory\Z"):
            Engine(self.path).ping()


if __name__ == "__main__":
    unittest.main()
