// Changes the window, the filters and the order of a page in place: it loads the page of the new address and changes
// only what differs, so that focus, scrolling and the last figures stay until the new ones arrive.

const PARTS = [".nav", ".bar", "#main", "#foot"];
let shownAddress = location.pathname + location.search;
let loading = null; // the AbortController of the request on its way

const isOwnContent = (element) => element.matches(".panel-body, .panel-error, .live");

function isInPlace(url) {
  const isHere = url.origin === location.origin && url.pathname === location.pathname && document.querySelector(".bar");
  const workspace = (query) => query.get("workspace");
  const current = workspace(new URLSearchParams(location.search));
  return Boolean(isHere) && (!current || !workspace(url.searchParams) || workspace(url.searchParams) === current);
}

// The summary stands for what is in a menu that closes.
function closeMenus() {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus({ preventScroll: true });
    menu.open = false;
  }
}

const isSeen = (element) => Boolean(element?.isConnected && element.checkVisibility());

function restoreFocus(focused, place) {
  if (isSeen(focused) && document.activeElement === focused) return;
  const near = [...(document.getElementById(place)?.querySelectorAll("summary, a, button") ?? [])];
  [focused, ...near, document.querySelector(".bar-switch"), document.querySelector(".bar a")].find(isSeen)?.focus({ preventScroll: true });
}

function exchange(next, isSame) {
  const urls = new Map(panels.map((panel) => [panel, panel.getAttribute("hx-get")]));
  const focused = document.activeElement;
  const place = focused.closest("[id]")?.id;
  for (const part of PARTS) morph(document.querySelector(part), next.querySelector(part), isOwnContent);
  document.title = next.title;
  document.querySelectorAll(".bar form, #main form:not(.panel form)").forEach((form) => form.reset());
  document.querySelectorAll(".pop input[type=search]").forEach((input) => (input.value = ""));
  findPanels();
  const isOther = (panel) => isSame || urls.get(panel) !== panel.getAttribute("hx-get");
  const known = panels.filter((panel) => urls.has(panel)); // the others load by themselves
  known.filter(isOther).forEach((panel) => htmx.trigger(panel, "htmx:abort")); // an answer to the question before
  for (const part of PARTS) htmx.process(document.querySelector(part));
  for (const panel of known) isOther(panel) ? refresh(panel) : panel.setAttribute("aria-busy", "false");
  restoreFocus(focused, place);
  document.querySelector(".bar [aria-invalid]")?.focus();
}

// Loads the page of an address into this one. What cannot be shown in place is opened as any link is.
async function go(address, isBack = false) {
  loading?.abort();
  loading = new AbortController();
  const bar = document.querySelector(".bar");
  bar.setAttribute("aria-busy", "true");
  closeMenus();
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html", "X-In-Place": "1" }, signal: loading.signal });
    const next = parseHtml(await answer.text());
    if (!PARTS.every((part) => next.querySelector(part))) return location.assign(answer.url);
    if (!isBack) history.pushState(null, "", answer.url);
    const before = shownAddress;
    shownAddress = location.pathname + location.search;
    exchange(next, shownAddress === before);
    document.dispatchEvent(new Event("page:changed"));
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  const isAnchor = url.hash && url.search === location.search;
  if (isAnchor || link.hasAttribute("download") || !isInPlace(url)) return;
  event.preventDefault();
  go(url.href);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "get" || form.matches(".workspace, .panel form")) return;
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form));
  if (!isInPlace(url)) return;
  event.preventDefault();
  go(url.href);
});

addEventListener("popstate", () => {
  if (location.pathname + location.search !== shownAddress) go(location.href, true);
});
