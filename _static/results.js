// What the page of the search shows of a result: its text without menus and counts of lines, and its formulas set.
{
  const { htmlToText, makeSearchSummary } = Search;
  const [LEFT_OUT, FIRST] = [".bd-header-article, #jb-print-docs-body, .prev-next-footer, .cell summary", 0xe000]; // for private use
  const loaded = new Promise((done) => addEventListener("load", done));
  let formulas;

  Search.htmlToText = (page, anchor) => {
    const read = new DOMParser().parseFromString(page, "text/html");
    for (const part of read.querySelectorAll(LEFT_OUT)) part.remove();
    formulas = [...read.querySelectorAll("span.math")];
    formulas.forEach((formula, i) => formula.replaceWith(String.fromCharCode(FIRST + i)));
    for (const formula of read.querySelectorAll("div.math")) formula.replaceWith(" … ");
    return htmlToText(read.documentElement.outerHTML, anchor);
  };

  // A formula is one character until the summary is cut, so that it stays whole.
  Search.makeSearchSummary = (...of) => {
    const summary = makeSearchSummary(...of);
    if (!summary) return summary;
    const parts = summary.textContent.split(/([\ue000-\uf8ff])/);
    summary.replaceChildren(...parts.map((part, i) => (i % 2 ? formulas[part.charCodeAt(0) - FIRST] : part)));
    loaded.then(() => MathJax.startup.promise).then(() => MathJax.typesetPromise([summary]));
    return summary;
  };
}
