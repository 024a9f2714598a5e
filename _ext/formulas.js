// What MathJax is told before it starts. Its menu, 108 kB, comes when a reader turns to a formula, or has used it before.
{
  const page = window.MathJax;
  const [formulas, TURNS] = ["mjx-container", ["focusin", "contextmenu"]];

  async function ready() {
    if (localStorage.getItem("MathJax-Menu-Settings")) await MathJax.loader.load("ui/menu");
    if (!(await fontsCome())) {
      await MathJax.loader.load("output/svg");
      MathJax.config.startup.output = "svg";
    }
    MathJax.startup.defaultReady();
  }

  async function pageReady() {
    await MathJax.startup.defaultPageReady();
    if (MathJax.startup.document.menu) return;
    for (const formula of document.querySelectorAll(formulas)) formula.tabIndex = 0; // as the menu does
    for (const event of TURNS) addEventListener(event, turn);
  }

  // A page without an origin, in a sandboxed frame or from a disk, may not be given fonts; then formulas are drawn.
  async function fontsCome() {
    if (window.origin !== "null") return true;
    const url = `${MathJax.config.loader.paths.mathjax}/output/chtml/fonts/woff-v2/MathJax_Zero.woff`;
    return new FontFace("MathJax_Zero", `url("${url}")`).load().then(() => true, () => false);
  }

  let coming;

  async function turn(event) {
    if (!event.target.closest?.(formulas)) return;
    if (event.type === "contextmenu") event.preventDefault();
    await (coming ??= bringMenu());
    if (event.type === "contextmenu") event.target.dispatchEvent(new MouseEvent("contextmenu", event));
  }

  async function bringMenu() {
    await MathJax.loader.load("ui/menu");
    for (const event of TURNS) removeEventListener(event, turn);
    // As MathJax does when its menu loads what makes another kind of document: the formulas go over to it.
    const { math, processed } = MathJax.startup.document;
    MathJax.startup.getComponents();
    const { document } = MathJax.startup;
    document.processed = processed;
    for (const old of math) {
      const formula = Object.assign(new document.options.MathItem(), old);
      document.math.push(formula);
      document.menu.addMenu(formula);
    }
  }

  page.loader = { load: [] };
  page.startup = { ready, pageReady };
}
