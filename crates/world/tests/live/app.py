"""A small web service: answers with its version, and misbehaves as the file `mode` beside it says."""

import http.server
import os
import socket
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
version = open(os.path.join(here, "VERSION")).read().strip()
mode = open(os.path.join(here, "mode")).read().strip()
count = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        # Without this, a small answer waits for the client to acknowledge its head.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        global count
        if self.path == "/health":
            count += 1
            if mode == "die" and count == 2:
                print("something is very wrong", flush=True)
                os._exit(3)
            if mode == "login":
                return self.answer(302, b"", [("location", "/login")])
            if mode == "flap" and count % 2 == 0:
                return self.answer(500, b"flap")
        if self.path == "/slow":
            time.sleep(0.1)
        if self.path == "/env":
            return self.answer(200, os.environ.get("TOLD", "").encode())
        self.answer(200, f"version {version}".encode())

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        time.sleep(0.01)
        self.answer(200, f"version {version}".encode())

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if mode == "crash":
    print("cannot find its configuration", flush=True)
    sys.exit(7)
if sys.argv[1] == "socket":
    # The manager listens, and hands the socket over (sd_listen_fds(3)).
    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket = socket.socket(fileno=3)
    server.serve_forever()
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
