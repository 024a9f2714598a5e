"""What follows a formula without a space, a mark or the -th of the t-th, stays on its line, and a bracket before it.
So do the sign of per cent beside its number, the value that a letter is said to have, both parts of a name like
L-BFGS, and an option's dashes before its name: see `code.command` in book.css.

A browser may break a line beside a formula, which is a box to it, even where nobody would between two letters. And in
the cell of a table it may break an interval after each word of it: those in brackets stay whole, too, and numbers
from one to another where they are all that a cell says.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

OPENS = re.compile(r"[(\[“‘]+$")
CLOSES = re.compile(r"^(?:-\w+)?[.,;:!?)\]”’…]*")
CELL = re.compile(r"<td>[^<]*[(\[][^<]*</td>")
WORDS = re.compile(r"(?<=>)[^<>]*(?=</t[hd]>)")  # of a cell that no document has: pandas writes it
OPTION = re.compile(r"(^|\s)--\w")
KEPT = re.compile(r"(?<=\d) (?=%)|(?:(?<=\b[a-zA-Zα-ω])|(?<=[₀-₉])) = (?=[−\d½])")
NAME = re.compile(r"\b([A-Z]\w*-[A-Z]{2,}\w*)")
VERBATIM = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.raw)
RANGE = re.compile(r"(?<=<p>)(?:\w+\.? )?\d+–\d+(?=</p></td>)")
INTERVAL = re.compile(r"[(\[][^()\[\]]{,20}[)\]]( ○)?")


def setup(app):
    app.add_post_transform(Keep)
    app.connect("html-page-context", join)
    return {"parallel_read_safe": True}


class Keep(SphinxPostTransform):
    default_priority = 900  # when folds have moved what they fold
    formats = ("html",)

    def run(self):
        for text in list(self.document.findall(nodes.Text)):
            if KEPT.search(text) and not isinstance(text.parent, VERBATIM):
                text.parent.replace(text, nodes.Text(kept(text)))
        for code in self.document.findall(nodes.literal):
            if OPTION.search(code.astext()):
                code["classes"].append("command")
        for formula in list(self.document.findall(nodes.math)):
            siblings, place = formula.parent.children, formula.parent.index(formula)
            before, after = siblings[max(place - 1, 0)], siblings[min(place + 1, len(siblings) - 1)]
            opening, closing = marks(OPENS, before), marks(CLOSES, after)
            if opening:
                formula.parent[place - 1] = nodes.Text(before.removesuffix(opening))
            if closing:
                formula.parent[place + 1] = nodes.Text(after.removeprefix(closing))
            if opening or closing:
                both = nodes.Text(opening), formula.deepcopy(), nodes.Text(closing)
                formula.parent[place] = nodes.inline("", "", *both, classes=["together"])
        for text in list(self.document.findall(nodes.Text)):
            if NAME.search(text) and not isinstance(text.parent, VERBATIM):
                parts = [nodes.Text(part) for part in NAME.split(text)]
                parts[1::2] = [nodes.inline("", "", name, classes=["together"]) for name in parts[1::2]]
                text.parent.replace(text, [part for part in parts if part.astext()])


def join(_app, _page, _template, context, _doctree):
    def joined(cell):
        return INTERVAL.sub(r'<span class="together">\g<0></span>', cell[0])

    body = RANGE.sub(r'<span class="together">\g<0></span>', context.get("body", ""))
    body = CELL.sub(joined, body)
    context["body"] = WORDS.sub(lambda words: NAME.sub(r'<span class="together">\1</span>', kept(words[0])), body)


def kept(text):
    return KEPT.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def marks(pattern, node):
    found = pattern.search(node) if isinstance(node, nodes.Text) else None
    return found[0] if found else ""
