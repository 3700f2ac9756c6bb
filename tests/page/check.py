#!/usr/bin/env python3
"""Opens each page of a folder in a headless Chromium, on a telephone and on a wall, light and dark, with and without
script, and says what is wrong. Usage: check.py PROGRAM FOLDER [PICTURES]"""

import base64
import functools
import http.server
import pathlib
import sys
import threading

from browser import Browser

SIZES = [(360, 780), (1400, 900)]
SCHEMES = ["light", "dark"]


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves the folder, and keeps what was asked for."""

    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


def open_page(browser, url, size, scheme, script):
    browser.call("Network.setCacheDisabled", cacheDisabled=True)
    browser.call("Emulation.setScriptExecutionDisabled", value=not script)
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=size[0] < 500
    )
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    Server.asked.clear()
    browser.call("Page.navigate", url=url)
    browser.wait_for("Page.loadEventFired")
    return browser


def complaints(browser, url, path):
    """Says what the console and the network show."""
    for event in browser.events:
        method, values = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            yield f"an exception: {values['exceptionDetails'].get('text')}"
        elif method == "Runtime.consoleAPICalled":
            yield f"the console: {values['args']}"
        elif method == "Log.entryAdded":
            yield f"the log: {values['entry']['text']}"
        elif method == "Network.requestWillBeSent":
            asked = values["request"]["url"]
            if asked != url and not asked.startswith("data:"):
                yield f"a request to {asked}"
        elif method == "Network.loadingFailed":
            yield f"a request failed: {values.get('errorText')} {values.get('blockedReason', '')}"
    if Server.asked != [path]:
        yield f"the server was asked for {Server.asked}"


def banner(browser):
    return browser.evaluate("getComputedStyle(document.getElementById('stale')).visibility")


def check(browser, base, page, pictures):
    wrong = []
    path = f"/{page.name}"
    look = pathlib.Path(__file__).with_name("look.js").read_text()
    for size in SIZES:
        for scheme in SCHEMES:
            open_page(browser, base + path, size, scheme, script=True)
            seen = browser.evaluate(look)
            here = [*seen["wrong"], *complaints(browser, base + path, path)]
            if not seen["hostile"]:
                here.append("a script of a hostile name ran")
            wrong += [f"{page.name} at {size[0]} in {scheme}: {text}" for text in here]
            print(f"{page.name} {size[0]} {scheme}: {seen['texts']} texts, least contrast {seen['least']:.2f}")
            if pictures:
                picture(browser, pictures / f"{page.stem}-{size[0]}-{scheme}.png", size)
    # The world of the pages has another clock, so they are old.
    if banner(browser) != "visible":
        wrong.append(f"{page.name}: the script does not say that it is stale")
    open_page(browser, base + path, SIZES[0], "light", script=False)
    if banner(browser) != "hidden":
        wrong.append(f"{page.name}: it is stale at once where no script runs")
    if browser.evaluate("document.querySelector('h1').getBoundingClientRect().height") < 10:
        wrong.append(f"{page.name}: no headline without script")
    # The style reveals the banner in time by itself.
    browser.evaluate("document.getAnimations().forEach((one) => { one.currentTime = 1e9; })")
    if banner(browser) != "visible":
        wrong.append(f"{page.name}: without script it never gets stale")
    return wrong


def picture(browser, file, size):
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = false; })")
    height = browser.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": size[0], "height": min(height, 5000), "scale": 1}
    shot = browser.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    file.write_bytes(base64.b64decode(shot["data"]))


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    pictures = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    handler = functools.partial(Server, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    pages = sorted(folder.glob("*.html"))
    browser = Browser(program)
    try:
        wrong = [text for page in pages for text in check(browser, base, page, pictures)]
    finally:
        browser.close()
    for text in wrong:
        print("WRONG:", text)
    if not pages:
        print("WRONG: no page in", folder)
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
