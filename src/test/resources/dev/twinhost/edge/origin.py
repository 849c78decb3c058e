"""origin.py ADDRESS PORT: an application that speaks HTTP to the letter, at ADDRESS and every other of its place. Prints a line of JSON for each request.

The query says how it answers: each `header=Name: value` is a header, `status=404` the status, `etag="1"` a validator that it heeds, `size=5000` the
length of the body (the page's number otherwise, which counts the answers), `undated=1` that it has no Date, `ends=1` that it closes the connection without an answer,
`wav=600` a recording of so many seconds, 32000 bytes each,
`stream=text/html` a stream of that type: five lines, each but the first when `/next` with the stream's `name=…` has been asked for once more.
A Range is heeded.
"""

import itertools
import json
import re
import struct
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

numbers = itertools.count(1)
asked_for_next = defaultdict(lambda: threading.Semaphore(0))


class Origin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_method(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = {"at": self.connection.getsockname()[0], "method": self.command, "path": self.path, "headers": headers, "body": body.decode()}
        print(json.dumps(seen), flush=True)
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        lines = [line.split(": ", 1) for line in parse_qs(url.query).get("header", [])]
        if url.path == "/next":
            asked_for_next[query["name"]].release()
        if "ends" in query:
            self.close_connection = True
        elif "stream" in query:
            self.stream(query["stream"], asked_for_next[query["name"]], lines)
        else:
            self.answer(query, lines)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_one_method

    def answer(self, query, lines):
        if "wav" in query:
            query["type"] = "audio/wav"
            body = recording(int(query["wav"]))
        elif "size" in query:
            body = b"x" * int(query["size"])
        else:
            body = str(next(numbers)).encode()
        status = int(query.get("status", 200))
        etag = query.get("etag")
        if etag:
            lines.append(("ETag", etag))
            if etag in self.headers.get("If-None-Match", ""):
                status = 304
            if self.headers.get("If-Match", etag) not in ("*", etag):
                status = 412
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if part and status == 200 and self.command == "GET":
            first, last = int(part[1]), min(int(part[2] or len(body)), len(body) - 1)
            lines.append(("Content-Range", f"bytes {first}-{last}/{len(body)}"))
            status, body = 206, body[first : last + 1]
        if "undated" in query:
            self.send_response_only(status)
        else:
            self.send_response(status)
        for line in lines:
            self.send_header(*line)
        if status in (204, 304):
            body = b""
        else:
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", query.get("type", "text/plain"))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stream(self, kind, more, lines):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        for line in lines:
            self.send_header(*line)
        self.end_headers()
        for number in range(1, 6):
            if number > 1 and not more.acquire(timeout=20):
                break
            self.chunk(f"data: line {number}\n\n".encode())
        self.chunk(b"")

    def chunk(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def log_message(self, *words):
        pass


def recording(seconds):
    """Silence, 16000 samples of 16 bits each second: http://soundfile.sapp.org/doc/WaveFormat/"""
    size = seconds * 32000
    return struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", size) + bytes(size)


class Server(ThreadingHTTPServer):
    request_queue_size = 100


Server(("", int(sys.argv[2])), Origin).serve_forever()
