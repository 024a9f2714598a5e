// What the widget manager finds on a page: runs after require.js and before the manager itself.
{
  // Its modules lie beside this file; require.js would ask a public network for them.
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const manager = here + "embed-amd";
  requirejs.config({
    paths: {
      anywidget: here + "anywidget",
      "@jupyter-widgets/base": manager,
      "@jupyter-widgets/controls": manager,
      "@jupyter-widgets/html-manager": manager,
      "@jupyter-widgets/html-manager/dist/libembed-amd": manager,
    },
  });

  // It typesets labels through the interface of MathJax 2, and the page has MathJax 3.
  addEventListener("DOMContentLoaded", () => {
    if (!window.MathJax) return;
    const typeset = ([, , element]) => MathJax.startup.promise.then(() => MathJax.typesetPromise([element]));
    MathJax.Hub = { Queue: typeset };
  });

  // It shows a slider's label without tying it to the slider, and gives pictures no text.
  new MutationObserver(() => {
    for (const handle of document.querySelectorAll(".widget-slider .noUi-handle:not([aria-label])")) {
      handle.ariaLabel = handle.closest(".widget-slider").querySelector(".widget-label").textContent;
    }
    for (const picture of document.querySelectorAll(".widget-image:not([alt])")) {
      picture.alt = "What the settings above give; the text below says it in words.";
    }
  }).observe(document, { childList: true, subtree: true });
}
