"""A Firefox that Playwright can drive: Debian's, by WebDriver BiDi.

Playwright sets the reader's preferences by a command that this Firefox does not know yet, and gives up. So it gets this
script in place of Firefox: it starts the real one, stands between the two, and answers that command itself.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

NEW = "emulation.setMediaFeaturesOverride"  # what it asks for comes from Firefox's own settings
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


def found() -> str | None:
    """The Firefox that is installed here."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


def stand_in(folder: Path) -> Path:
    """A program that behaves like Firefox, but knows that command."""
    script = folder / "firefox"
    script.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{__file__}' '{found()}' \"$@\"\n")
    script.chmod(0o755)
    return script


class Between(WebSocketHandler):
    """What Playwright says goes to Firefox, and what Firefox says to Playwright."""

    def initialize(self, address):
        self.address = address

    def check_origin(self, origin):
        return True

    async def open(self, *_):
        self.firefox = await websocket_connect(
            self.address + "/session", on_message_callback=self.answer, max_message_size=2**30
        )

    def answer(self, message):
        if message is None:
            self.close()
        else:
            self.write_message(message)

    async def on_message(self, message):
        if json.loads(message)["method"] == NEW:
            self.write_message(json.dumps({"type": "success", "id": json.loads(message)["id"], "result": {}}))
        else:
            await self.firefox.write_message(message)

    def on_close(self):
        self.firefox.close()


async def main(command):
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    async for line in process.stdout:
        text = line.decode(errors="replace")
        if listens := LISTENING.search(text):
            sockets = bind_sockets(0, "127.0.0.1")
            HTTPServer(Application(
                [("/session", Between, {"address": listens[1]})], websocket_max_message_size=2**30
            )).add_sockets(sockets)  # fmt: skip
            text = f"WebDriver BiDi listening on ws://127.0.0.1:{sockets[0].getsockname()[1]}\n"
        print(text, end="", file=sys.stderr, flush=True)
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
