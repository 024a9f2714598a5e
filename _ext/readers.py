"""Readers' notebooks: every chapter as it is read outside the site, in JupyterLab, in Colab and on GitHub.

There nobody knows MyST. So theorems, proofs, exercises and solutions become headings and quotations, references become
words and links to the site, equations carry their numbers, and captions and text alternatives stand as text under
figures. The code is the source's. They take the place of the sources that the site offers for download, and the
workflow puts them on a branch of their own, `BRANCH`, from which Colab and GitHub open them.
"""

import html
import json
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.errors import ExtensionError
from sphinx.util.docutils import new_document, sphinx_domains

BRANCH = "notebooks"

FENCE = re.compile(r"(?P<marks>`{3,}|:{3,})(?:\{(?P<name>[\w:-]+)\})? *(?P<rest>.*)")
OPTION = re.compile(r":(\w+): *(.*)")
TARGET = re.compile(r"\([\w-]+\)=")
ROLE = re.compile(r"\{[\w:]+\}`[^`]+`")
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+\.(?:ipynb|md)(?:#[^)\s]*)?)\)")
DISPLAY = re.compile(r"\$\$(.+?)\$\$(?:[ \t]*\(([\w-]+)\))?", re.S)
NOTE = """\
*A chapter of [{book}]({site}), as a notebook: [the same page there]({page}) has explorers that run without a kernel.*

To run it here, install the package it is about, and start the kernel again. In Colab the first cell of code does that.

```sh
{install}
```"""


def setup(app):
    app.connect("html-page-context", lead_readers_here, priority=600)  # the theme makes its buttons at 501
    app.connect("html-page-context", offer_the_book, priority=600)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}


def lead_readers_here(app, page, _template, context, _doctree):
    """Have the buttons of a notebook's page download, and open, the notebook for readers."""
    if context.get("page_source_suffix") != ".ipynb":
        return
    options = app.config.html_theme_options
    repository, branch = options["repository_url"], options["repository_branch"]
    for group in context["header_buttons"]:
        for button in group.get("buttons", []):
            if button.get("text") == "Colab":
                button["url"] = button["url"].replace(f"/blob/{branch}/", f"/blob/{BRANCH}/")
        if group.get("label") == "launch-buttons":
            url = f"{repository}/blob/{BRANCH}/{page}.ipynb"
            group["buttons"].append(
                {"type": "link", "url": url, "text": "GitHub", "tooltip": "Read on GitHub", "icon": "fab fa-github"}
            )


def offer_the_book(app, _page, _template, context, _doctree):
    """Add to what can be downloaded the whole book, which the workflow puts on the site: see `make print`."""
    for group in context["header_buttons"]:
        if group.get("label") == "download-buttons":
            for kind, icon in (("pdf", "fas fa-file-pdf"), ("epub", "fas fa-file")):
                url = f"{app.config.html_baseurl}hill-adam.{kind}"
                button = {
                    "type": "link",
                    "url": url,
                    "text": f"book .{kind}",
                    "tooltip": "The whole book",
                    "icon": icon,
                }
                group["buttons"].append(button)


def write(app, error):
    if error or app.builder.format != "html":
        return
    for page in sorted(app.env.found_docs):
        source = Path(app.env.doc2path(page))
        if source.suffix == ".ipynb":
            notebook = json.loads(source.read_text(encoding="utf-8"))
            text = json.dumps(Readers(app, page).notebook(notebook), indent=1, ensure_ascii=False, sort_keys=True)
            Path(app.outdir, "_sources", f"{page}.ipynb").write_text(text + "\n", encoding="utf-8")


class Readers:
    """One page on its way out of the site."""

    def __init__(self, app, page):
        self.app, self.page = app, page
        self.site = app.config.html_baseurl
        self.address = urljoin(self.site, app.builder.get_target_uri(page))
        self.settings = app.env.get_doctree(page).settings
        self.resolved = {}
        self.level = 1  # of the last heading

    def notebook(self, notebook):
        cells = [self.note(notebook)]
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cells += self.markdown(cell)
            else:
                cells += self.code(cell)
        folded = [cell["id"] for cell in cells if cell["metadata"].get("jp-MarkdownHeadingCollapsed")]
        metadata = notebook["metadata"] | {"colab": {"collapsed_sections": folded}}
        return notebook | {"cells": cells, "metadata": metadata}

    def note(self, notebook):
        first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        install = re.search(r"pip install \"[^\"]+\[\w+\] @ [^\"]+\"", "".join(first["source"]))
        if not install:
            raise ExtensionError(f"{self.page}: the first cell of code does not say how to install the package.")
        book = self.app.config.html_title
        return new_cell("readers", NOTE.format(book=book, site=self.site, page=self.address, install=install[0]))

    def code(self, cell):
        """Return a cell of code, its code folded where it is on the page, and what stands under its figure."""
        metadata = {key: value for key, value in cell["metadata"].items() if key != "mystnb"}
        if {"hide-cell", "hide-input", "remove-input"} & set(metadata.get("tags", [])):
            metadata["jupyter"] = {"source_hidden": True}
        figure = cell["metadata"].get("mystnb")
        if not figure:
            return [cell | {"metadata": metadata}]
        number = self.plain(f"{{numref}}`{figure['figure']['name']}`")
        caption = f"**{number}.** {self.inline(figure['figure']['caption'])}"
        words = re.sub(r"([\\`*_$\[\]])", r"\\\1", html.escape(figure["image"]["alt"], quote=False))
        below = f"{caption}\n\n{folded('The figure in words', words)}"
        return [cell | {"metadata": metadata}, new_cell(f"{cell['id']}-caption", below)]

    def markdown(self, cell):
        """Return the cells that a cell of text becomes: exercises and solutions begin one of their own."""
        texts, kinds = [""], [None]
        for piece in pieces("".join(cell["source"]), self.page):
            kind, text = self.piece(*piece)
            if kind:
                texts.append("")
                kinds.append(kind)
            texts[-1] += text + "\n"
        cells = []
        for text, kind in zip(texts, kinds, strict=True):
            if text.strip():
                name = f"{cell['id']}-{len(cells)}" if cells else cell["id"]
                cells.append(new_cell(name, re.sub(r"\n{3,}", "\n\n", text).strip()))
                if kind == "solution":
                    cells[-1]["metadata"]["jp-MarkdownHeadingCollapsed"] = True
        return cells

    def piece(self, name, title, options, body):
        """Return the kind of cell that this begins, if it does, and its text."""
        if name is None:
            for heading in re.findall(r"^(#+) ", body, re.M):
                self.level = len(heading)
            return None, self.inline(body)
        if name == "code":
            return None, body
        if name == "exercise":
            number = self.plain(f"{{numref}}`{options['label']}`")
            return "exercise", f"{'#' * (self.level + 1)} {self.named(number, title)}\n\n{self.blocks(body)}"
        if name == "solution":
            return None, folded(self.answers(title), self.blocks(body))
        if name == "solution-start":  # over several cells: a section, and folded as one
            return "solution", f"{'#' * (self.level + 2)} {self.answers(title)}\n\n"
        if name == "solution-end":
            return None, ""
        if name == "prf:proof":
            body = self.blocks(body)
            return None, f"*Proof.* {body}" + (" ∎" if not body.endswith(("$\\square$", "∎")) else "")
        if name == "admonition":
            return None, f"**{self.inline(title)}.** {self.blocks(body)}"
        if name.startswith("prf:"):
            number = self.plain(f"{{prf:ref}}`{options['label']}`")
            body = self.blocks(body)
            named = f"**{self.named(number, title)}.**"
            if body.startswith("|"):  # nbconvert knows no tables in quotations
                return None, f"{named}\n\n{body}"
            return None, quotation(named + ("\n\n" if re.match(r"[*\-\d]|\$\$", body) else " ") + body)
        raise ExtensionError(f"{self.page}: readers' notebooks know no directive {{{name}}} (_ext/readers.py).")

    def blocks(self, text):
        """Return the text of a directive's body, which may hold code, but no other directive."""
        return "".join(self.piece(*piece)[1] + "\n" for piece in pieces(text, self.page)).strip()

    def named(self, number, title):
        return f"{number} ({self.inline(title)})" if title else number

    def answers(self, exercise):
        return f"Solution to {self.plain(f'{{numref}}`{exercise}`')}"

    def inline(self, text):
        """Return text whose references are words or links, and whose equations have their numbers."""
        text = ROLE.sub(lambda found: self.linked(found[0]), text)
        text = LINK.sub(lambda found: f"[{found[1]}]({self.there(found[2])})", text)
        return DISPLAY.sub(self.equation, text)

    def equation(self, found):
        formula, label = found[1].strip(), found[2]
        if "\\\\" in formula and not formula.startswith("\\begin"):
            formula = f"\\begin{{split}}\n{formula}\n\\end{{split}}"  # as Sphinx does
        if label:
            formula += f" \\tag{{{self.plain(f'{{eq}}`{label}`').strip('()')}}}"
        return f"$$\n{formula}\n$$" if "\n" in found[0] or label else f"$$ {formula} $$"

    def there(self, path):
        """Return the address, on the site, of another page of the book."""
        url = urlsplit(path)
        name = re.sub(r"\.(ipynb|md)$", ".html", url.path)
        return urljoin(self.address, name + (f"#{url.fragment}" if url.fragment else ""))

    def plain(self, role):
        return self.resolve(role).astext()

    def linked(self, role):
        """Return what a reference says, with links to other pages; on this one there is nothing to link to."""
        return "".join(self.written(node) for node in self.resolve(role).children)

    def written(self, node):
        if isinstance(node, nodes.literal):
            return f"`{node.astext()}`"
        if isinstance(node, nodes.Text):
            return str(node).replace("[", "(").replace("]", ")")  # a citation's brackets would be a link's
        inside = "".join(self.written(child) for child in node.children)
        if isinstance(node, nodes.math):
            return f"${node.astext()}$"
        if isinstance(node, nodes.reference) and node.get("refuri"):
            address = urljoin(self.address, node["refuri"])
            return inside if urlsplit(address).path == urlsplit(self.address).path else f"[{inside}]({address})"
        return inside

    def resolve(self, role):
        """Return the paragraph that Sphinx makes of a reference which stands on this page."""
        if role not in self.resolved:
            env = self.app.env
            env.prepare_settings(self.page)
            document = new_document(env.doc2path(self.page), self.settings)
            with sphinx_domains(env):
                MystParser().parse(role, document)
            env.resolve_references(document, self.page, self.app.builder)
            self.resolved[role] = next(document.findall(nodes.paragraph))
        return self.resolved[role]


def pieces(text, page):
    """Divide text into prose, code, and directives: (name, title, options, body), the name None for prose."""
    prose, lines = [], iter(text.splitlines())
    for line in lines:
        fence = FENCE.fullmatch(line)
        if not fence:
            if not TARGET.fullmatch(line):
                prose.append(line)
            continue
        if prose:
            yield None, "", {}, "\n".join(prose)
            prose = []
        marks, body = fence["marks"], []
        for inner in lines:
            if re.fullmatch(rf"{marks[0]}{{{len(marks)},}} *", inner):
                break
            body.append(inner)
        else:
            raise ExtensionError(f"{page}: a fence is not closed: {line!r}")
        if not fence["name"]:
            yield "code", "", {}, "\n".join([line, *body, inner])
            continue
        options = {}
        while body and (option := OPTION.fullmatch(body[0])):
            options[option[1]] = option[2]
            del body[0]
        yield fence["name"], fence["rest"].strip(), options, "\n".join(body).strip()
    if prose:
        yield None, "", {}, "\n".join(prose)


def quotation(text):
    """Return a quotation; a formula in it takes one line, for the marks of other lines would be read into it."""
    text = DISPLAY.sub(lambda found: "$$ " + " ".join(found[1].split()) + " $$", text)
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def folded(title, text):
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"


def new_cell(name, text):
    return {"cell_type": "markdown", "id": name[:64], "metadata": {}, "source": text.splitlines(keepends=True)}
