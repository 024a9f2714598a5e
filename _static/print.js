// Paper is light and cannot be unfolded.
{
  const { dataset } = document.documentElement;
  let theme, folded;
  addEventListener("beforeprint", () => {
    theme = dataset.theme;
    dataset.theme = "light";
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => {
    dataset.theme = theme;
    for (const details of folded) details.open = false;
  });
}
