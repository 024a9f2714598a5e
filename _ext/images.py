"""A figure comes when the reader comes near it, and has its room in the page from the beginning.

Its shape, width over height, stands beside it, so that book.css can keep a tall one low enough to be seen as a whole;
and how many inches it was drawn wide, which says how large its letters are. A box around it scrolls where they would be
too small to read: see sideways.js. The picture of an explorer, which is seldom seen, has none.
"""

import re
from pathlib import Path

import imagesize

IMAGE = re.compile(r'<img ([^>]*src="[./]*(_images/[^"]+)"[^>]*>)')


def setup(app):
    app.connect("html-page-context", wait)
    return {"parallel_read_safe": True}


def wait(app, _page, _template, context, _doctree):
    sources = {Path(app.builder.imagedir, name).as_posix(): source for source, name in app.builder.images.items()}

    def sized(image):
        file = Path(app.srcdir, sources[image[2]])
        width, height = imagesize.get(file)
        style = f"--shape: {width / height:.3f}"
        if (dpi := imagesize.getDPI(file)[0]) > 0:
            style += f"; --inches: {width / dpi:.2f}"
        tag = f'<img loading="lazy" width="{width:.0f}" height="{height:.0f}" style="{style}" {image[1]}'
        return tag if "static-picture" in image[1] else f'<div class="sideways">{tag}</div>'

    context["body"] = IMAGE.sub(sized, context.get("body", ""))
