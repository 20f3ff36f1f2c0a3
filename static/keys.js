// The keys of every page.

const find = document.querySelector(".find");

function search(isForAll) {
  const own = [...document.querySelectorAll("main input[type=search]")].find((input) => !isForAll && input.checkVisibility());
  if (!own && find) find.open = true;
  (own ?? find?.querySelector("input"))?.focus();
}

document.addEventListener("keydown", (event) => {
  const { key } = event;
  const isForAll = key === "k" && (event.ctrlKey || event.metaKey);
  if (!isForAll && (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]"))) return;
  if (isForAll || key === "/") search(isForAll);
  else if (key === "?") document.querySelector("#keys")?.togglePopover();
  else return;
  event.preventDefault();
});
