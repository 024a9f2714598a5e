// What MathJax is told before it starts. Its menu, 108 kB, comes when a reader turns to a formula, or has used it before.
{
  const page = window.MathJax;
  const formulas = "mjx-container";

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
    for (const event of ["focusin", "contextmenu"]) addEventListener(event, turn);
  }

  // A page without an origin, in a sandboxed frame or from a disk, may not be given fonts; then formulas are drawn.
  async function fontsCome() {
    if (window.origin !== "null") return true;
    const url = `${MathJax.config.loader.paths.mathjax}/output/chtml/fonts/woff-v2/MathJax_Zero.woff`;
    return new FontFace("MathJax_Zero", `url("${url}")`).load().then(() => true, () => false);
  }

  async function turn(event) {
    if (!event.target.closest(formulas)) return;
    for (const event of ["focusin", "contextmenu"]) removeEventListener(event, turn);
    if (event.type === "contextmenu") event.preventDefault();
    await MathJax.loader.load("ui/menu");
    // As MathJax does itself when its menu loads what makes another kind of document: the formulas go over to it.
    const { math } = MathJax.startup.document;
    MathJax.startup.getComponents();
    const { document } = MathJax.startup;
    for (const formula of math) document.math.push(Object.assign(new document.options.MathItem(), formula));
    document.addMenu();
    if (event.type === "contextmenu") event.target.dispatchEvent(new MouseEvent("contextmenu", event));
  }

  page.loader = { load: [] };
  page.startup = { ready, pageReady };
}
