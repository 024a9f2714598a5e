"""The built book as one: its pages in order, without what needs a screen, linked with each other."""

import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
# Of a page: what folds, runs or points at itself. Code that is folded on the site is left out here.
SCREEN = "script, style, summary, .headerlink, .explorer, .tag_hide-input details.hide, .tag_hide-cell .cell_input"


class Page:
    """A page of the book: its `article`, whose ids are used once in the book, and the `name` of the page itself."""

    def __init__(self, path, soup):
        self.path, self.name = path, re.sub(r"\W+", "-", path.with_suffix("").as_posix())
        self.article = soup.find("article")
        unfold(self.article)
        for part in self.article.select(SCREEN):
            part.decompose()
        for image in self.article.find_all("img"):
            del image["loading"]
            image["src"] = (path.parent / image["src"]).as_posix()
        self.ids = {}
        for tag in self.article.find_all(id=True):
            name = f"{self.name}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', tag['id'])}"
            if name in self.ids.values():  # sphinx-exercise gives some twice, to which nothing leads
                del tag["id"]
            else:
                self.ids[tag["id"]] = tag["id"] = name

    @property
    def title(self):
        return self.article.find("h1").get_text()

    def sections(self):
        """Return the sections below the title: (id, title)."""
        return [(h2.parent["id"], h2.get_text()) for h2 in self.article.find_all("h2")]


def unfold(article):
    """Have what folds on the site stand open, under its line as a title."""
    for fold in article.select("details.fold, .tag_hide-cell > details"):
        fold.name = "div"
        line = fold.find("summary", recursive=False)
        if "fold" in fold["class"]:
            line.name, line["class"] = "p", "admonition-title"


def book(site=SITE, paths=None):
    """Return the pages of the book, or those named, in order."""
    paths = paths or contents()
    pages = {
        path: Page(path, BeautifulSoup((site / path).read_text(encoding="utf-8"), "html.parser")) for path in paths
    }
    for page in pages.values():
        for link in page.article.find_all("a", href=True):
            link["href"] = leads(page, link["href"], pages)
    return list(pages.values())


def contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    files = [page["file"] for chapter in chapters for page in (chapter, *chapter.get("sections", []))]
    return [Path(f"{file}.html") for file in (toc["root"], *files)]


def leads(page, href, pages):
    """Return where a link leads: within the book to `page#id`, with the page's name; else to its address on the web."""
    url = urlsplit(href)
    if url.scheme or url.netloc:
        return href
    absolute = urlsplit(urljoin(f"/{page.path.as_posix()}", href)).path.lstrip("/")
    target = pages.get(Path(absolute) if url.path else page.path)
    if not target:
        return CONFIG["html"]["baseurl"] + absolute + (f"#{url.fragment}" if url.fragment else "")
    if not url.fragment:
        return f"{target.name}#{target.name}"
    fragment = unquote(url.fragment)
    if fragment not in target.ids:
        raise ValueError(f"Invalid link in {page.path}: {href!r}; expected an id of {target.path}")
    return f"{target.name}#{target.ids[fragment]}"
