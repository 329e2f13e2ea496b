# SPDX-License-Identifier: Apache-2.0
"""TLS in front of a TCP server, with the certificate the client's server name asks for; and certificates for it."""
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ports import family_of


class Names(NamedTuple):
    first: str
    second: str


# Two names that lead to this machine everywhere, without a name server.
NAMES = Names("localhost", socket.gethostname())
ADDRESSES = ["127.0.0.1", "::1"]


@dataclass
class Certificates:
    authority: Path
    by_name: dict      # server name or address: (certificate, key)
    by_fault: dict     # "other_name", "self_signed", "expired": (certificate, key)


def openssl(folder, *words):
    done = subprocess.run(["openssl", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def sign(folder, name, stem, days="30", issuer=True):
    """A certificate for `name`, signed by the folder's authority or by itself."""
    kind = "IP" if name in ADDRESSES else "DNS"
    (folder / f"{stem}.ext").write_text(f"subjectAltName={kind}:{name}\n")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{stem}.key", "-out", f"{stem}.csr", "-subj",
            f"/CN={name}")
    signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"] if issuer else ["-signkey", f"{stem}.key"]
    openssl(folder, "x509", "-req", "-in", f"{stem}.csr", "-out", f"{stem}.pem", "-days", days, "-extfile",
            f"{stem}.ext", *signer)
    return folder / f"{stem}.pem", folder / f"{stem}.key"


def certificates(folder):
    folder.mkdir()
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days",
            "30", "-subj", "/CN=the tests' authority")
    first = NAMES.first
    return Certificates(
        authority=folder / "ca.pem",
        by_name={name: sign(folder, name, f"name{number}") for number, name in enumerate([*NAMES, *ADDRESSES])},
        by_fault={"other_name": sign(folder, "elsewhere.example", "other"),
                  "self_signed": sign(folder, first, "self", issuer=False),
                  "expired": sign(folder, first, "expired", days="-1")})


class TlsFront:
    """Listens on `host`, where the server is, too. A client that asks for no name gets the certificate of `shown`."""

    def __init__(self, port_behind, made, host="127.0.0.1", shown=NAMES.first):
        self.behind, self.certificates, self.names = (host, port_behind), made, NAMES
        self.asked = []
        self.contexts = {name: self.context(pair) for name, pair in made.by_name.items()}
        self.context_in_use = self.context(made.by_name[shown])
        self.context_in_use.sni_callback = self.choose
        self.listener = socket.create_server((host, 0), family=family_of(host))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def context(pair):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        return context

    def choose(self, connection, name, _context):
        self.asked.append(name)
        if name in self.contexts:
            connection.context = self.contexts[name]

    def show(self, fault):
        """From now on this certificate, whatever is asked for."""
        self.contexts = {name: self.context(self.certificates.by_fault[fault]) for name in self.contexts}

    def accept(self):
        while True:
            try:
                plain = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        self.sockets.append(plain)
        try:
            front = self.context_in_use.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            return
        back = socket.create_connection(self.behind)
        self.sockets += [front, back]
        answers = threading.Thread(target=self.carry, args=(back, front), daemon=True)
        answers.start()
        self.carry(front, back)
        answers.join()
        front.close()
        back.close()

    @staticmethod
    def carry(source, target):
        try:
            while data := source.recv(16384):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for each in self.sockets:
            each.close()
