"""Where a cell stands in the page, and what its folded code says of itself.

A figure has its caption in the margin beside it, an explorer is as wide as page and margin together; see book.css. The
class names are those of cell tags, which the theme's script knows: it draws in the table of contents beside them.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from static_picture import WIDGET


def setup(app):
    app.add_post_transform(Place)
    return {"parallel_read_safe": True}


class Place(SphinxPostTransform):
    default_priority = 2  # before MyST-NB chooses outputs, at 4, and folds code
    formats = ("html",)

    def run(self):
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") == "cell_code":
                draws = next(cell.findall(nodes.figure), None) is not None
                if any(each.get("mime_type") == WIDGET for each in cell.findall(nodes.container)):
                    cell["classes"].append("tag_full-width")
                elif draws and "tag_full-width" not in cell["classes"]:
                    cell["classes"].append("tag_margin-caption")
                if cell.get("hide_mode"):
                    prompt(cell, draws)


def prompt(cell, draws):
    """Say how much is folded, and what it is for."""
    source = next(cell.findall(nodes.literal_block), None)
    lines = len(source.astext().strip().splitlines()) if source else 0
    says = f"{lines} lines of Python" if lines != 1 else "1 line of Python"
    if cell["hide_mode"] == "all":
        says += ", and what they print" if lines != 1 else ", and what it prints"
    elif draws:
        says += " draw this" if lines != 1 else " draws this"
    cell["prompt_show"] = cell["prompt_hide"] = says
