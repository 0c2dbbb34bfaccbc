"""An HTTP proxy that tunnels (`CONNECT`), and keeps what it sees."""

import base64
import contextlib
import socket
import threading

from harness import PATIENCE


class Proxy:
    """Listens on 127.0.0.1 while it is entered. Hosts that it is told, it finds where it is told."""

    def __init__(self, hosts=(), credentials=None):
        self.hosts = dict(hosts)
        self.authorization = credentials and "Basic " + base64.b64encode(credentials.encode()).decode()
        # Instead of a tunnel: a status line; or nothing at all.
        self.refusal = None
        self.is_silent = False
        # What came before the tunnels, and what went through them.
        self.heads = []
        self.sent = b""
        self.answered = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connections = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for each in [self.listener, *self.connections]:
            # Whoever waits in another thread is woken by the first.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                client.settimeout(PATIENCE)
                self.connections.append(client)
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                received = client.recv(1)
                if not received:
                    return
                head += received
            self.heads.append(head.decode())
            method, target, _ = self.heads[-1].split(" ", 2)
            if self.is_silent:
                client.recv(1)
            elif self.refusal:
                client.sendall(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            elif self.authorization and self.header("proxy-authorization") != self.authorization:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            elif method != "CONNECT":
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            else:
                self.tunnel(client, target)

    def tunnel(self, client, target):
        host, _, port = self.hosts.get(target, target).rpartition(":")
        with socket.create_connection((host, int(port)), PATIENCE) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self.relay, args=(server, client, "answered"), daemon=True)
            back.start()
            self.relay(client, server, "sent")
            back.join(PATIENCE)

    def relay(self, source, target, seen):
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                setattr(self, seen, getattr(self, seen) + received)
                target.sendall(received)
            target.shutdown(socket.SHUT_WR)

    def header(self, name):
        """The value of a header field of the latest request."""
        lines = [line.partition(": ") for line in self.heads[-1].splitlines()[1:]]
        return next((value for known, _, value in lines if known.lower() == name), None)
