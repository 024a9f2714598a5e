"""The built book served as GitHub Pages does, or with another prefix and other headers."""

import functools
import http.server
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import yaml

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "_config.yml").read_text())
PREFIX = urlsplit(CONFIG["html"]["baseurl"]).path  # /hilladam/


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args, prefix=PREFIX, headers=(), **options):
        self.prefix, self.headers_too = prefix, dict(headers)
        super().__init__(*args, **options)

    def translate_path(self, path):
        return super().translate_path("/" + path.removeprefix(self.prefix))

    def end_headers(self):
        for header in self.headers_too.items():
            self.send_header(*header)
        super().end_headers()

    def send_error(self, code, *args):
        page = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", len(page))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


@contextmanager
def served(site, handler=Handler, prefix=PREFIX, **options):
    """The address of a server of the site's files, for as long as it runs."""
    handler = functools.partial(handler, directory=site, prefix=prefix, **options)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
        server.shutdown()
