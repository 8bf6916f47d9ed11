# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens pages in headless Chromium, for tests: at a width, with all that the browser complains of, and with answers to
what JavaScript asks. Speaks the DevTools protocol over a pair of pipes, hence needs Debian's `chromium` alone.

    with Chrome() as chrome:
        page = chrome.open("file:///...", width=400)
        page.evaluate("document.title")
        page.errors         # exceptions, console errors, failed requests, requests to a network, as lines
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --allow-file-access-from-files
--remote-debugging-pipe""".split() + ["--host-resolver-rules=MAP * ~NOTFOUND"]
WEBGL = "--use-angle=swiftshader --enable-unsafe-swiftshader".split()
PATIENCE_S = 120  # for one answer: a deadlock's end, no measure of speed


class Chrome:
    """A browser of its own profile; `webgl` draws in 3D by software."""

    def __init__(self, webgl=False):
        program = shutil.which("chromium")
        if not program:
            raise FileNotFoundError("chromium is not installed (run/setup --full installs it)")
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        flags = FLAGS + (WEBGL if webgl else ["--disable-3d-apis"])
        # The browser reads commands from file 3 and writes answers to file 4. Both ends are first moved out of the way.
        script = f'exec 8<&{commands} 9>&{answers} 3<&8 4>&9 8<&- 9>&-; exec "$0" "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, program, *flags, f"--user-data-dir={self._profile}", "about:blank"],
            pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._rest, self._number, self._events = b"", 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.call("Browser.close")
            self._process.wait(20)
        except (OSError, EOFError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url, width=1280, height=900):
        """A new tab in which the page has been loaded."""
        return Page(self, url, width, height)

    def call(self, method, session=None, **parameters):
        """The answer to a command of the protocol; what it refuses is a RuntimeError."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        number = self._number
        while True:
            told = self._next()
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']['message']}")
                return told["result"]

    def _next(self):
        """The next message; an event is also kept for its page."""
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self._rest:
            if not select.select([self._read], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"chromium said nothing for {PATIENCE_S} s")
            read = os.read(self._read, 1 << 20)
            if not read:
                raise EOFError("chromium ended")
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        told = json.loads(line)
        if "method" in told:
            self._events.append(told)
        return told

    def take(self, session):
        """The events of a page that have come since the last call."""
        mine = [one for one in self._events if one.get("sessionId") == session]
        self._events = [one for one in self._events if one.get("sessionId") != session]
        return mine


class Page:
    """A tab. `errors` grows with each call."""

    def __init__(self, chrome, url, width, height):
        self._chrome, self._urls, self.errors = chrome, {}, []
        self._target = chrome.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = chrome.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def call(self, method, **parameters):
        answer = self._chrome.call(method, self._session, **parameters)
        self._collect()
        return answer

    def resize(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def evaluate(self, script):
        """The value of an expression, a promise's once it is kept."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(_exception(told["exceptionDetails"]))
        return told["result"].get("value")

    def wait(self, condition):
        """Returns once the expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {condition}; errors: {self.errors}")
            time.sleep(0.02)

    def key(self, name):
        """Presses a key, named as in KeyboardEvent.key ("ArrowRight", "Tab", "Enter")."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40}
        for kind in ("rawKeyDown", "char", "keyUp"):
            text = {"Enter": "\r", " ": " "}.get(name)
            if kind == "char" and not text:
                continue
            self.call("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=codes[name],
                      **({"text": text} if kind == "char" else {}))

    def click(self, selector):
        """Scrolls to the first element of a CSS selector and clicks into its middle."""
        where = self.evaluate(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.scrollIntoView({{block:"
            " 'center', behavior: 'instant'}); const box = one.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    def screenshot(self, path, full=True):
        """Writes a PNG of the page, of its visible part only unless `full`."""
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full,
                         **({"clip": self._whole()} if full else {}))
        with open(path, "wb") as file:
            file.write(base64.b64decode(told["data"]))

    def pdf(self, path):
        """Writes the page as it prints on A4."""
        told = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True,
                         printBackground=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(told["data"]))

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def close(self):
        self._chrome.call("Target.closeTarget", targetId=self._target)

    def _whole(self):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}

    def _collect(self):
        for event in self._chrome.take(self._session):
            method, told = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                self.errors.append(_exception(told["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"):
                self.errors.append("console: " + " ".join(str(one.get("value", "")) for one in told["args"]))
            elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
                self.errors.append(f"{told['entry']['source']}: {told['entry']['text']} {told['entry'].get('url', '')}")
            elif method == "Network.requestWillBeSent":
                url = told["request"]["url"]
                self._urls[told["requestId"]] = url
                if url.startswith(("http:", "https:", "ws:", "wss:")) and "//localhost" not in url:
                    self.errors.append(f"asks a network: {url}")
            elif method == "Network.loadingFailed" and not told.get("canceled"):
                self.errors.append(f"failed: {self._urls.get(told['requestId'], '?')}: {told['errorText']}")


def _exception(details):
    return details.get("exception", {}).get("description") or details["text"]
