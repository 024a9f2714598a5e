"""A widget that brings a picture of itself shows it until it runs: in print, and without JavaScript.

MyST-NB would take the widget alone and drop the picture. Here the picture stays, with its caption and its text
alternative, and the widget comes into the same figure; book.css hides the picture once an explorer stands there.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

WIDGET = "application/vnd.jupyter.widget-view+json"


def setup(app):
    app.add_post_transform(KeepPicture)
    return {"parallel_read_safe": True}


class KeepPicture(SphinxPostTransform):
    default_priority = 3  # MyST-NB chooses one kind of output at 4
    formats = ("html",)

    def run(self):
        for bundle in self.document.findall(nodes.container):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            outputs = {output["mime_type"]: output for output in bundle}
            picture = outputs.get("image/png") or outputs.get("image/jpeg")
            if WIDGET in outputs and picture:
                image = next(picture.findall(nodes.image))
                image["classes"].append("static-picture")
                image.parent.insert(image.parent.index(image) + 1, outputs[WIDGET].children)
                outputs[WIDGET].children = picture.children
