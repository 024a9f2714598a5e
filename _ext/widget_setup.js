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
}
