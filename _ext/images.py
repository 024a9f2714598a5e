"""A figure comes when the reader comes near it, and has its room in the page from the beginning.

Its shape, width over height, stands beside it, so that book.css can keep a tall one low enough to be seen as a whole.
"""

import re
from pathlib import Path

import imagesize

IMAGE = re.compile(r'<img (?=[^>]*src="[./]*(_images/[^"]+)")')


def setup(app):
    app.connect("html-page-context", wait)
    return {"parallel_read_safe": True}


def wait(app, _page, _template, context, _doctree):
    sources = {Path(app.builder.imagedir, name).as_posix(): source for source, name in app.builder.images.items()}

    def sized(image):
        width, height = imagesize.get(Path(app.srcdir, sources[image[1]]))
        return f'<img loading="lazy" width="{width:.0f}" height="{height:.0f}" style="--shape: {width / height:.3f}" '

    context["body"] = IMAGE.sub(sized, context.get("body", ""))
