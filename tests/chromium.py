"""A real browser, told what to do over a pipe: Chromium's DevTools Protocol, https://chromedevtools.github.io."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

WAIT_SECONDS = 240


class Chromium:
    """One window, without a screen. Use it in a `with` statement."""

    def __init__(self, program: str, folder: Path) -> None:
        reads, self._orders = os.pipe()
        self._answers, writes = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
        flags.append("--window-size=1280,900")
        # It reads from descriptor 3 and writes to 4.
        run = ["bash", "-c", f'exec "$0" "$@" 3<&{reads} 4>&{writes}', program, *flags, f"--user-data-dir={folder}"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(run, pass_fds=(reads, writes), **quiet)
        os.close(reads)
        os.close(writes)
        self._number = 0
        self._session: dict[str, str] = {}
        self._read = b""
        self.complaints: list[Any] = []
        """What the page has thrown, and what the browser has logged as an error."""
        target = self.order("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log"):
            self.order(f"{domain}.enable")

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._orders)  # which ends it
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def order(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command, and waits for its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._orders, json.dumps(command).encode() + b"\0")
        while (message := self._next()).get("id") != self._number:
            if message.get("method") == "Runtime.exceptionThrown" or (
                message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error"
            ):
                self.complaints.append(message["params"])
        assert "error" not in message, message
        return message["result"]

    def evaluate(self, expression: str) -> Any:
        """The value of some JavaScript."""
        result = self.order("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str) -> None:
        """Waits until it is true."""
        ends = time.monotonic() + WAIT_SECONDS
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < ends, expression
            time.sleep(0.02)

    def drag(self, selector: str, share: float) -> None:
        """Drags the thumb of a range to a share of its track, in steps, as a hand does."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"void {element}.scrollIntoView({{block: 'center'}})")
        where = self.evaluate(f"{element}.getBoundingClientRect().toJSON()")
        now = float(self.evaluate(f"{element}.style.getPropertyValue('--now')"))
        y = where["y"] + where["height"] / 2
        for step, kind in enumerate(["mousePressed", *["mouseMoved"] * 10, "mouseReleased"]):
            place = now + (share - now) * min(step, 10) / 10
            x = where["x"] + 8 + place * (where["width"] - 16)
            self.order("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def press(self, key: str, code: int, shift: bool = False) -> None:
        """Presses a key, once."""
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        for kind in ("keyDown", "keyUp"):
            self.order("Input.dispatchKeyEvent", type=kind, **pressed)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser has ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)
