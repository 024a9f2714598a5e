"""The built book. That it builds without a warning is what the `site` fixture asserts."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import imagesize
import pytest
import yaml
from bs4 import BeautifulSoup
from readers import BRANCH

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
ADDRESS = CONFIG["html"]["baseurl"]
NOTEBOOKS = {path.relative_to(ROOT) for path in ROOT.glob("book/**/*.ipynb") if ".ipynb_checkpoints" not in path.parts}


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, parsed, by its path."""
    paths = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path.relative_to(site): BeautifulSoup(path.read_text(), "html.parser") for path in paths}


def articles(pages):
    for page in sorted(pages):
        if page.parts[0] == "book":
            yield page, pages[page].find("article")


def test_every_page_of_the_contents_is_built(pages):
    sources = {path.relative_to(ROOT).with_suffix(".html") for path in ROOT.glob("book/**/*.[im][pd]*")}
    assert {page for page, _ in articles(pages)} == sources


def test_every_image_has_a_text_alternative(pages):
    # Sphinx puts the file's name where none is given.
    missing = [
        f"{page}: {image['src']}"
        for page, article in articles(pages)
        for image in article.find_all("img")
        if not image.get("alt") or Path(image["alt"]).name == Path(image["src"]).name
    ]
    assert not missing


def test_every_plotted_figure_has_a_caption(pages):
    missing = [
        f"{page}: {image['src']}"
        for page, article in articles(pages)
        for image in article.select(".cell_output img")
        if not image.find_parent("figure") or not image.find_parent("figure").find("figcaption")
    ]
    assert not missing


def test_an_interval_in_a_table_can_be_kept_whole(pages):
    cells = [cell for _, article in articles(pages) for cell in article.select("table.dataframe td")]
    intervals = [cell for cell in cells if re.fullmatch(r"[-+.\d]+ \([-+.\d]+( to |–)[-+.\d]+\)( ○)?", cell.get_text())]
    assert len(intervals) > 20
    assert {cell.find(class_="together").get_text()[0] for cell in intervals} == {"("}


def test_per_cent_stays_beside_its_number(pages):
    found = {}
    for page, article in articles(pages):
        for text in article.find_all(string=re.compile(r"\d\s%")):
            if not text.find_parent(["pre", "code", "script", "table"]):
                found.setdefault(re.search(r"\d(\s)%", text)[1], []).append(f"{page}: {text}")
    assert found.keys() == {"\N{NO-BREAK SPACE}"}, found[" "]


def test_a_name_with_a_hyphen_stays_on_one_line(pages):
    apart = [
        f"{page}: {text}"
        for page, article in articles(pages)
        for text in article.find_all(string=re.compile("[A-Z]-(ADAM|BFGS|ES)|Hill-ADAM"))
        if not text.find_parent(["pre", "code", "script", "style"]) and not text.find_parent(class_="together")
    ]
    assert not apart


def test_every_link_within_the_site_holds(site, pages):
    names = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in pages.items()}
    broken = []
    for page, soup in pages.items():
        for link in soup.find_all("a", href=True):
            url = urlsplit(link["href"])
            if url.scheme or url.netloc:
                continue
            path = url.path.removeprefix(urlsplit(ADDRESS).path) if page.name == "404.html" else page.parent / url.path
            target = (site / path).resolve().relative_to(site.resolve()) if url.path else page
            anchors = names.get(target, set())
            if not (site / target).is_file() or (url.fragment and unquote(url.fragment) not in anchors):
                broken.append(f"{page}: {link['href']}")
    assert not broken


def test_next_leads_through_all_pages_in_order_and_previous_back(pages):
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    files = [contents["root"], *(page["file"] for top in chapters for page in (top, *top.get("sections", [])))]
    pairs = [(Path(f"{one}.html"), Path(f"{other}.html")) for one, other in pairwise(files)]

    def leads(page, button):
        return (ROOT / page.parent / pages[page].select_one(f".prev-next-area .{button}")["href"]).resolve()

    for one, other in pairs:
        assert leads(one, "right-next") == ROOT / other
        assert leads(other, "left-prev") == ROOT / one


def test_every_notebook_and_nothing_else_opens_in_colab_and_on_github(pages):
    address = CONFIG["repository"]["url"]
    colab = address.replace("https://github.com", "https://colab.research.google.com/github")
    for opener in (address, colab):
        links = {page: [a["href"] for a in soup.select(f"a[href*='{opener}/blob/']")] for page, soup in pages.items()}
        assert {page: found for page, found in links.items() if found} == {
            path.with_suffix(".html"): [f"{opener}/blob/{BRANCH}/{path.as_posix()}"] for path in NOTEBOOKS
        }


def test_every_source_is_downloaded_and_not_shown(site, pages):
    buttons = {page: soup.select("a.btn-download-source-button") for page, soup in pages.items()}
    sources = {path.relative_to(ROOT).with_suffix(".html") for path in ROOT.glob("book/**/*.[im][pd]*")}
    assert {page for page, found in buttons.items() if found} == sources
    for page in sources:
        [button] = buttons[page]
        assert "download" in button.attrs and (site / page.parent / button["href"]).is_file()


def test_every_page_describes_itself_where_it_is_linked(site, pages):
    descriptions, pictures = [], []
    for page in (page for page in pages if page.parts[0] == "book"):
        tags = pages[page].find_all("meta", content=True)
        meta = {tag.get("property") or tag.get("name"): tag["content"] for tag in tags}
        description, picture = meta["og:description"], meta["og:image"]
        assert description[-1] in ".?!" and 40 <= len(description) <= 250, f"{page}: {description}"
        assert not any(odd in description for odd in ("minutes, with", "\\", "[", " .", " ,")), f"{page}: {description}"
        assert meta["description"] == description
        assert meta["og:url"] == ADDRESS + page.as_posix()
        assert picture.startswith(ADDRESS) and (site / picture.removeprefix(ADDRESS)).is_file(), f"{page}: {picture}"
        assert len(meta["og:image:alt"]) > 40, f"{page}: {meta['og:image:alt']}"
        size = imagesize.get(site / picture.removeprefix(ADDRESS))
        assert [meta["og:image:width"], meta["og:image:height"]] == [str(side) for side in size]
        assert abs(size[0] / size[1] - 1.91) < 0.01
        assert meta["twitter:card"] == "summary_large_image"
        pictures.append(picture)
        descriptions.append(description)
    assert len(set(descriptions)) == len(descriptions) == len(set(pictures))


@pytest.mark.usefixtures("site")  # which leaves the browser's libraries in the cache
def test_a_broken_reference_fails_every_build(build, copy_of):
    book = copy_of("_config.yml", "_ext", "_static", "_templates", "_build/.npm", "book/images", "book/references.bib")
    (book / "_toc.yml").write_text("format: jb-book\nroot: page\nchapters: [{file: chapter}]\n")
    (book / "chapter.md").write_text("# A chapter\n")

    (book / "page.md").write_text("# A page\n\n(here)=\n## A section\n\nSee {ref}`here` and {ref}`nowhere`.\n")
    for _ in range(2):  # also when nothing has changed since the last one
        done = build(book)
        assert done.returncode == 1
        assert "'nowhere'" in done.stdout and "'here'" not in done.stdout


def test_a_page_loads_what_its_explorers_share_once(site, pages):
    inside = {}
    for page, soup in pages.items():
        scripts = [
            tag["src"].partition("?")[0] for tag in soup.find_all("script", src=True) if "explorers/" in tag["src"]
        ]
        code = "".join((site / page).parent.joinpath(src).read_text() for src in scripts)
        parts = re.findall(r"^(?:const \w+ =|return) \(\(\) => \{\n.*?^\}\)\(\);$", code, re.M | re.S)
        bodies = [part.partition("(() =>")[2] for part in parts]
        assert len(bodies) == len(set(bodies)), page
        inside[page.as_posix()] = len(bodies)
    assert inside["book/hill-adam/crossing.html"] > inside["book/index.html"] > 5
