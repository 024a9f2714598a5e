"""The built book. That it builds without a warning is what the `site` fixture asserts."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]


def articles(site):
    for path in sorted((site / "book").rglob("*.html")):
        yield path.relative_to(site), BeautifulSoup(path.read_text(), "html.parser").find("article")


def test_every_page_of_the_contents_is_built(site):
    sources = {path.relative_to(ROOT).with_suffix(".html") for path in ROOT.glob("book/**/*.[im][pd]*")}
    assert {page for page, _ in articles(site)} == sources


def test_every_image_has_a_text_alternative(site):
    # Sphinx puts the file's name where none is given.
    missing = [
        f"{page}: {image['src']}"
        for page, article in articles(site)
        for image in article.find_all("img")
        if not image.get("alt") or Path(image["alt"]).name == Path(image["src"]).name
    ]
    assert not missing


def test_every_plotted_figure_has_a_caption(site):
    missing = [
        f"{page}: {image['src']}"
        for page, article in articles(site)
        for image in article.select(".cell_output img")
        if not image.find_parent("figure") or not image.find_parent("figure").find("figcaption")
    ]
    assert not missing


@pytest.mark.usefixtures("site")  # which leaves the browser's libraries in the cache
def test_a_broken_reference_fails_every_build(build, copy_of):
    book = copy_of("_config.yml", "_ext", "_static", "_build/.npm", "book/references.bib")
    (book / "_toc.yml").write_text("format: jb-book\nroot: page\n")

    (book / "page.md").write_text("# A page\n\n(here)=\n## A section\n\nSee {ref}`here`.\n")
    assert build(book).returncode == 0
    (book / "page.md").write_text("# A page\n\nSee {ref}`nowhere`.\n")
    assert build(book).returncode == 1
    assert build(book).returncode == 1  # also when nothing has changed since the last one
