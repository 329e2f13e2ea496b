# SPDX-License-Identifier: Apache-2.0
"""RTMP servers for the tests, each on a loopback port of its own: nginx-rtmp, node-media-server; nginx's on_publish."""
import http.server
import os
import threading
from pathlib import Path

from ports import free_port, in_url, is_open

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RINGCAST_BUILD", ROOT / "build")).resolve()
NPM = ROOT / "build/npm/rtmp-server/node_modules"
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")

CONFIG = """
daemon off;
master_process off;
load_module {module};
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 128; }}
rtmp {{
    server {{
        listen {host}:{port};
        {server}
        application live {{
            live on;
            wait_key on;
            record all;
            record_path {folder};
            record_suffix .flv;
            record_unique {unique};
            {application}
        }}
    }}
}}
"""


def secret_file(path, text):
    """A file that only its owner reads, as the words file:PATH for an option."""
    path.touch(0o600)
    path.write_text(text + "\n")
    return f"file:{path}"


class NginxRtmp:
    """nginx with the app `live`: what is published is recorded, tag by tag as it came, in `folder`."""

    def __init__(self, start, folder, on_publish=None, server="", unique=False, host="127.0.0.1"):
        self.start_process, self.folder, self.host, self.port = start, folder, host, free_port(host)
        folder.mkdir()
        application = f"on_publish {on_publish};" if on_publish else ""
        (folder / "nginx.conf").write_text(CONFIG.format(
            module=MODULE, folder=folder, host=in_url(host), port=self.port, server=server, application=application,
            unique="on" if unique else "off"))
        self.process = None
        self.start()

    @property
    def url(self):
        return f"rtmp://{in_url(self.host)}:{self.port}/live"

    def start(self):
        self.process = self.start_process("nginx", "-p", self.folder, "-c", self.folder / "nginx.conf",
                                          "-e", self.folder / "error.log")
        wait_for_port(self.process, self.port, self.host)

    def kill(self):
        self.process.kill()

    def log(self):
        return (self.folder / "error.log").read_text(encoding="utf-8", errors="replace")

    def connects(self):
        """The lines in which nginx says what a publisher asked for."""
        return [line for line in self.log().splitlines() if " connect: app=" in line]

    def recordings(self):
        return sorted(self.folder.glob("*.flv"), key=lambda path: path.stat().st_mtime)


class NodeMediaServer:
    def __init__(self, start):
        self.port = free_port()
        self.process = start("node", ROOT / "tests/integration/rtmp_server/server.cjs", self.port, NODE_PATH=str(NPM))
        wait_for_port(self.process, self.port)

    @property
    def url(self):
        return f"rtmp://127.0.0.1:{self.port}/live"


def wait_for_port(process, port, host="127.0.0.1"):
    from conftest import wait_until  # the tests' own; not importable when this module is read as a library
    wait_until(lambda: is_open(port, host) or not process.running(), f"{process} to listen")
    assert process.running(), f"{process} ended: {process.output()[-2000:]}"


class PublishHook:
    """Answers nginx's on_publish, and keeps each body as the bytes that came."""

    def __init__(self, allow=lambda body: True):
        self.bodies = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.bodies.append(body)
                self.send_response(200 if allow(body) else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/publish"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
