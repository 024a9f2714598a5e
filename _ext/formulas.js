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
    fit();
    addEventListener("resize", fit);
    addEventListener("toggle", fit, true); // what was folded had no width
    if (MathJax.startup.document.menu) return;
    for (const formula of document.querySelectorAll(formulas)) formula.tabIndex = 0; // as the menu does
    for (const event of TURNS) addEventListener(event, turn);
  }

  // A formula in a line cannot be broken: where one is wider than its paragraph, as on the narrowest of phones, it shrinks.
  // One that stands by itself shrinks on a phone to three quarters at least; if that is too wide still, it scrolls.
  function fit() {
    const shown = [...document.querySelectorAll(".bd-article .math mjx-container")];
    for (const formula of shown) formula.style.zoom = "";
    if (innerWidth > 480) return;
    const shares = shown.map((formula) => {
      const { clientWidth: room, scrollWidth: need } = formula;
      if (formula.closest("div.math")) return room < need && room > 0.75 * need ? (room - 1) / need : 1;
      const line = formula.closest("p, li, dd, figcaption");
      const width = line?.clientWidth - (formula.closest(".together") ? 8 : 0); // for a mark beside it
      return line ? width / formula.getBoundingClientRect().width : 1;
    });
    shown.forEach((formula, i) => shares[i] < 1 && (formula.style.zoom = shares[i]));
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
