"""What is asked of a page that is open in Chromium. `test_faults.py` plants what each of these must find."""

import gzip

# Without what is MathJax's in the formulas, with the first fifty entries of the API, and with the first word of each
# colour in a piece of code, for all are made alike: most of the time would go into their thousands of elements.
# Afterwards all is as it was.
RUN_AXE = """async () => {
    const alike = [...document.querySelectorAll("dl.py")].slice(50);
    const parts = new Map([...document.querySelectorAll("mjx-container"), ...alike]
        .map((each) => [each, [...each.childNodes]]));
    for (const each of parts.keys()) each.replaceChildren();
    for (const code of document.querySelectorAll("pre")) {
        const words = [...code.querySelectorAll("span:not(:has(*))")].reverse();
        const kinds = new Map(words.map((word) => [word.className, word.cloneNode(true)]));
        parts.set(code, [...code.childNodes]);
        code.replaceChildren(...[...kinds.values()].flatMap((word) => [word, "\\n"]));
    }
    const { violations } = await axe.run({resultTypes: ["violations"]});
    for (const [each, nodes] of parts) each.replaceChildren(...nodes);
    return violations.filter(({impact}) => ["serious", "critical"].includes(impact))
        .flatMap(({id, nodes}) => nodes.map(({html, target}) => `${id} at ${target}: ${html.slice(0, 200)}`));
}"""
# Mathematics left as text.
UNSET = """() => [...document.querySelectorAll(".math")]
    .filter(math => !math.querySelector("mjx-container") && math.textContent.trim()).map(math => math.textContent)"""

# Boxes that scroll and that no key reaches: axe-core's scrollable-region-focusable, which takes seconds by itself.
UNREACHED = """() => [...document.querySelectorAll("main *, article *")].filter((box) =>
    box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 1 && box.checkVisibility()
    && ["auto", "scroll"].includes(getComputedStyle(box).overflowX) && box.tabIndex < 0
    && ![...box.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
        .some(({tabIndex}) => tabIndex >= 0))
    .map((box) => box.outerHTML.slice(0, 100))"""

# Names of icons that icons.css does not know.
NAMELESS = """() => [...document.querySelectorAll("[class*=fa-]")]
    .filter((icon) => /\\bfa[sb]?\\b|fa-(solid|brands)/.test(icon.className))
    .filter((icon) => getComputedStyle(icon, "::before").content === "none").map((icon) => icon.className)"""

# Bytes of a page, compressed, with its explorers, and without its figures, which come as the reader comes near them.
LIMIT = 400_000
FIGURES = "/_images/"


def watch(page, address):
    """Keep lists of the answers that a page gets and of what goes wrong in it, and cut it off from all other hosts."""
    page.answers, page.faults = [], []

    def serve(route):
        if route.request.url.startswith(address):
            route.continue_()
        else:
            page.faults.append(f"asks another host: {route.request.url}")
            route.abort()

    page.route("**/*", serve)
    page.route_web_socket("**/*", lambda socket: page.faults.append(f"asks another host: {socket.url}"))
    page.on("pageerror", lambda error: page.faults.append(f"script error: {error}"))
    page.on("console", lambda message: message.type == "error" and page.faults.append(f"console: {message.text}"))
    page.on("response", lambda response: page.answers.append(response))
    page.on("response", lambda response: response.ok or page.faults.append(f"{response.status}: {response.url}"))


def settle(page, url):
    """Open a page and wait until its formulas are set, in their fonts."""
    page.goto(url, wait_until="networkidle")
    page.wait_for_function("!window.MathJax || window.MathJax.startup?.promise")  # at first it is its settings alone
    page.evaluate("window.MathJax?.startup.promise")
    page.evaluate("document.fonts.ready.then(() => 0)")


def violations(page, axe):
    """Return what axe-core finds serious."""
    page.add_script_tag(path=axe)
    return page.evaluate(RUN_AXE)


def excess(page):
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def weight(answers):
    """Return the bytes of a page's answers, compressed, without figures."""
    return sum(len(gzip.compress(answer.body())) for answer in answers if FIGURES not in answer.url)
