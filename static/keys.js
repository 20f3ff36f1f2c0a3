// The keys of every page.

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isHeld = event.ctrlKey || event.metaKey || event.altKey;
  const isForAll = key === "k" && isHeld;
  if (isForAll || (key === "/" && !isHeld && !target.closest("input, select, textarea"))) {
    const own = [...document.querySelectorAll("main [type=search]")].find((input) => !isForAll && input.checkVisibility());
    const find = document.querySelector(".find");
    if (!own && find) find.open = true;
    (own ?? document.querySelector(".nav [type=search]"))?.focus();
  } else if (key === "?" && !target.closest("input, textarea")) document.querySelector("#keys")?.togglePopover();
  else return;
  event.preventDefault();
});
