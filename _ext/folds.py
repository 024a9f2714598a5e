"""Proofs, and what has the class `dropdown`, fold without a script, and open for whoever follows a link into them.

On paper, in the EPUB (tools/pages.py) and in readers' notebooks they stand open.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node
from sphinx_proof.nodes import proof_node

PROOF = "Proof. "  # sphinx-proof begins the first paragraph with it


class Fold(nodes.Element):
    """What folds, under its first child, a `Line`."""


class Line(nodes.Element):
    """The line that stays, in the place of the title."""


def setup(app):
    for node, tag in ((Fold, "details"), (Line, "summary")):
        app.add_node(node, html=(visit(tag), depart(tag)))
    app.add_post_transform(FoldUp)
    return {"parallel_read_safe": True}


def visit(tag):
    return lambda translator, node: translator.body.append(translator.starttag(node, tag))


def depart(tag):
    return lambda translator, _node: translator.body.append(f"</{tag}>\n")


class FoldUp(SphinxPostTransform):
    default_priority = 800  # when titles say what they refer to
    formats = ("html",)

    def run(self):
        for proof in list(self.document.findall(proof_node)):
            content = proof.children[0].children
            text = next(content[0].findall(nodes.Text))
            text.parent.replace(text, nodes.Text(text.removeprefix(PROOF)))
            fold(proof, "proof", nodes.Text(PROOF.strip(". ")), content=content)
        for node in list(self.document.findall(nodes.Admonition)):
            if "dropdown" in node.get("classes", []):
                title, *content = node.children
                for link in list(title.findall(nodes.reference)):  # a line that opens is no link
                    link.replace_self(link.children)
                fold(node, "solution" if isinstance(node, solution_node) else "aside", *title.children, content=content)


def fold(node, kind, *line, content):
    """Fold content under a line. The ids of the node stand on what is inside, for a link to open it."""
    inside = nodes.container("", *content, ids=node["ids"])
    node.parent.replace(node, Fold("", Line("", *line), inside, classes=["fold", kind]))
