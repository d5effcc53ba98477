"""Chromium without a window: what a page looks like, and what it asks the network for."""

import http.server
import re
import shutil
import subprocess
import threading
import zlib
from collections import Counter
from pathlib import Path

MISSING = "there is no Chromium here: `deploy/parts --tests`, or install Debian's package chromium"
OWN = re.compile(r"\S+ (?:https?://)?[\w-]+\.google(?:apis)?\.com[:/]")
"""What Chromium asks its maker by itself, whatever it shows: the time, and whether it is up to date."""

LIMIT = 60.0
"""Seconds that a picture may take on a busy machine."""


class Proxy(http.server.ThreadingHTTPServer):
    """Takes the place of the whole network: remembers what a page asks for, and gives nothing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(5)


class _Refusal(http.server.BaseHTTPRequestHandler):
    """One connection, on which nothing may come: Chromium opens some to have them at hand."""

    server: Proxy

    def parse_request(self) -> bool:
        """It is asked for something; whatever that is, there is no method for it (501)."""
        readable = super().parse_request()
        if not OWN.match(self.requestline):
            self.server.asked.append(self.requestline)
        return readable

    def log_message(self, *_: object) -> None:
        """Nothing is printed: what was asked is in `asked`."""


class Picture:
    """A PNG as Chromium writes it: eight bits a colour, without interlace."""

    def __init__(self, file: Path) -> None:
        data = file.read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n"), "no PNG"
        chunks, at = [], 8
        while at < len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
            at += size + 12
        header = chunks[0][1]
        self.width, self.height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
        assert (header[8], header[12]) == (8, 0), "another kind of PNG"
        self._channels = {2: 3, 6: 4}[header[9]]
        packed = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
        self._rows = self._unfiltered(packed)

    def colours(self) -> Counter[str]:
        """How many dots there are of each colour, as `#rrggbb`."""
        step = self._channels
        found = Counter(
            bytes(row[at : at + 3]) for row in self._rows for at in range(0, self.width * step, step)
        )
        return Counter({f"#{colour.hex()}": number for colour, number in found.items()})

    def _unfiltered(self, packed: bytes) -> list[bytearray]:
        """The rows, by the filters of the PNG specification, 9.2."""
        step, length = self._channels, self.width * self._channels
        rows: list[bytearray] = []
        above = bytearray(length)
        for at in range(0, len(packed), length + 1):
            kind, row = packed[at], bytearray(packed[at + 1 : at + 1 + length])
            for i in range(length) if kind else ():
                left = row[i - step] if i >= step else 0
                corner = above[i - step] if i >= step else 0
                row[i] = (row[i] + _predicted(kind, left, above[i], corner)) & 255
            rows.append(row)
            above = row
        return rows


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    if kind < 4:
        return (0, left, above, (left + above) // 2)[kind]
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))


class Browser:
    """Chromium with a profile of its own, which goes nowhere but to a proxy of ours."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("chromium")
        assert found is not None, MISSING
        self._program = found
        self._folder = folder
        self.proxy = Proxy()

    def close(self) -> None:
        self.proxy.close()

    def picture(self, page: Path, width: int, height: int, *, dark: bool = False) -> Picture:
        """What somebody sees who opens the page."""
        file = self._folder / f"{page.stem}.png"
        # 0 is what Blink calls dark, 1 light.
        colours = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        self._run(f"--screenshot={file}", f"--window-size={width},{height}", colours, page.as_uri())
        return Picture(file)

    def _run(self, *arguments: str) -> None:
        command = [
            self._program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={self._folder / 'profile'}",
            f"--proxy-server=127.0.0.1:{self.proxy.server_port}",
            "--proxy-bypass-list=<-loopback>",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stderr
