"""A web of our own for tests: names that resolve to public addresses, and a server whose certificate is trusted."""

import ipaddress
import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PUBLIC = "8.8.4.4"


class Web:
    """`pages` are (status, headers, body) by host and path; `names` are what other names resolve to."""

    def __init__(self):
        self.pages, self.names, self.seen, self.connected = {}, {}, [], []

    def put(self, url, body=b"", *, status=200, **headers):
        """Something lies at `https://host/path`. Returns the address."""
        self.pages[url.removeprefix("https://")] = (status, headers, body)
        return url

    def resolve(self, host, port, *args, **kwargs):
        address = self.names.get(host, PUBLIC if host.rpartition(".")[2].isalpha() else host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]


@contextmanager
def internet(monkeypatch, folder):
    """While it lasts, every name leads to this web, and nothing to the real one."""
    web, connect = Web(), socket.socket.connect
    server = _server(web, folder)

    def connect_here(self, address):
        if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
            web.connected.append(address)
            address = server.server_address if address[0] == PUBLIC and address[1] == 443 else ("127.0.0.1", 9)
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", web.resolve)
    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(folder / "pair.pem"))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


def _server(web, folder):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            web.seen.append((self.headers["Host"].removesuffix(":443") + self.path, dict(self.headers)))
            status, headers, body = web.pages.get(web.seen[-1][0], (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    (folder / "pair.pem").write_bytes(_certificate("*.example", "media.example"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # who hangs up has seen enough
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def _certificate(*names):
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem) + secret
