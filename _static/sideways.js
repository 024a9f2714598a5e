// A figure that is wider than its place scrolls, by keys too: it has a stop for the tab key as long as it does.
{
  const stops = new ResizeObserver((places) => {
    for (const { target } of places) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const place of document.querySelectorAll(".sideways")) stops.observe(place);
}
