"""Print the built book as a PDF: python tools/pdf.py, after `make book`.

Chromium prints all pages at once, so that links lead from one to the other, and makes the outline from their headings.
It prints twice: the page numbers of the contents are known after the first time.
"""

import argparse
import html
import io
import os
import sys
from pathlib import Path

import chromium
from bs4 import BeautifulSoup
from pages import CONFIG, SITE, book
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

OUTPUT = SITE.parent / "print" / "hill-adam.pdf"
DOCUMENT = """<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light">
<head><meta charset="utf-8"><title>{title}</title>{head}<style>{style}</style></head>
<body>
<div class="title-page"><h1>{title}</h1><p>{author}, {year}</p>
<p>The book on the web, with explorers that run: <a href="{address}">{address}</a>.</p>
<p>The code that draws the figures is left out here; the notebooks have it.</p>
<p>Prose and figures: CC BY 4.0. Code: BSD 3-Clause.</p></div>
<nav class="print-contents"><h2>Contents</h2>{contents}</nav>
<main class="bd-main"><div class="bd-content"><div class="bd-article-container">{articles}</div></div></main>
</body></html>"""
WIDTH = 627  # what print.css leaves of A4, in pixels
FIT = """() => {
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    const shrink = (element, share) => (element.style.fontSize = `${share * size(element)}px`);
    for (const formula of document.querySelectorAll("mjx-container[display]")) {
        const share = formula.clientWidth / formula.scrollWidth;
        if (share < 1) shrink(formula.parentNode, share);
    }
    // A row of numbers is one line, unless its letters would be too small for that.
    for (const table of document.querySelectorAll("table.dataframe")) {
        table.style.maxWidth = "none";
        for (const [space, least] of [["nowrap", 0.8], ["normal", 0]]) {
            table.style.whiteSpace = space;
            const share = table.parentNode.clientWidth / table.offsetWidth;
            if (share < least) continue;
            if (share < 1) shrink(table, share);
            break;
        }
    }
}"""
NUMBER = (
    "(numbers) => Object.entries(numbers).forEach(([id, n]) => document.querySelector(`[data-of='${id}']`)?.append(n))"
)


def main(output=OUTPUT, site=SITE, paths=None):
    executable = chromium.find()
    if not executable:
        sys.exit("Chromium prints the book, and is not here; Debian's package is called chromium-headless-shell.")
    pages = book(site, paths)
    output.parent.mkdir(parents=True, exist_ok=True)
    source = output.with_suffix(".html")
    try:
        source.write_text(document(pages, site, os.path.relpath(site, source.parent)), encoding="utf-8")
        output.write_bytes(printed(source, executable))
    finally:
        source.unlink(missing_ok=True)
    print(f"The book on paper: {output}")


def printed(source, executable):
    """Return the book's one HTML page as a PDF."""
    options = {"executable_path": executable, "chromium_sandbox": False, "args": ["--disable-gpu"]}
    with sync_playwright() as playwright, playwright.chromium.launch(**options) as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.emulate_media(media="print")
        page.set_default_timeout(600_000)
        page.goto(source.resolve().as_uri())
        page.wait_for_function("window.MathJax?.startup?.promise")
        page.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => null)")
        page.evaluate(FIT)
        settings = {"prefer_css_page_size": True, "outline": True, "tagged": True, "print_background": True}
        page.evaluate(NUMBER, page_numbers(page.pdf(**settings)))
        return page.pdf(**settings)


def document(pages, site, there):
    """Return the book as one HTML page whose files are `there`."""
    for page in pages:
        page.article["id"] = page.name
        for image in page.article.find_all("img"):
            image["src"] = f"{there}/{image['src']}"
        for link in page.article.find_all("a", href=True):
            if "://" not in link["href"]:
                link["href"] = "#" + link["href"].partition("#")[2]
    return DOCUMENT.format(
        title=html.escape(CONFIG["title"]), author=html.escape(CONFIG["author"]), year=CONFIG["copyright"],
        address=CONFIG["html"]["baseurl"], head=head(site / pages[0].path, site, there),
        style=Path(__file__).with_name("print.css").read_text(encoding="utf-8"),
        contents=listed([(page.name, page.title, page.sections()) for page in pages]),
        articles="".join(map(str, (page.article for page in pages))),
    )  # fmt: skip


def head(path, site, there):
    """Return the styles of the site, and its MathJax."""
    parts = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").head.find_all(["link", "script"])
    kept = [part for part in parts if "stylesheet" in part.get("rel", []) or "mathjax" in str(part).lower()]
    for part in kept:
        for attribute in {"href", "src"} & part.attrs.keys():
            whole = os.path.normpath(path.parent / part[attribute].partition("?")[0])
            part[attribute] = f"{there}/{os.path.relpath(whole, site)}"
    return "".join(map(str, kept))


def listed(entries):
    """Return the contents as a list of links, with room for the page numbers."""
    items = ""
    for name, title, below in entries:
        link = f'<a href="#{name}"><span>{html.escape(title)}</span><span class="page" data-of="{name}"></span></a>'
        items += f"<li>{link}{listed([(*entry, []) for entry in below])}</li>"
    return f"<ol>{items}</ol>" if items else ""


def page_numbers(pdf):
    """Return on which page each place lies to which a link leads."""
    reader = PdfReader(io.BytesIO(pdf))
    return {
        name.lstrip("/"): reader.get_destination_page_number(d) + 1 for name, d in reader.named_destinations.items()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUTPUT)
    main(parser.parse_args().out)
