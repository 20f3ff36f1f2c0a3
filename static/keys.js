// The keys of every page.

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isHeld = event.ctrlKey || event.metaKey || event.altKey;
  const isTyping = isHeld || target.closest("input, select, textarea");
  if ((key === "k" && isHeld) || (key === "/" && !isTyping)) {
    const own = key === "/" && document.querySelector("main [role=search] [type=search]");
    const find = document.querySelector(".find");
    if (!own && find) find.open = true;
    (own || document.querySelector(".nav [type=search]"))?.focus();
  } else if (key === "?" && !isTyping) document.querySelector("#keys")?.togglePopover();
  else return;
  event.preventDefault();
});
