// Polls the panels, shows their errors and runs the few controls. A panel itself is plain htmx.

const live = document.querySelector(".live");
const offline = document.querySelector("#offline"); // one for all panels
const tip = document.querySelector("#tip");
let panels = [];
const requestedAt = new Map(); // panel -> time of its last request, in ms
const answeredAt = new Map(); // panel -> time of its last good answer, in ms
const shownHtml = new Map(); // panel -> the HTML it shows
let paused = false;

function findPanels() {
  panels = [...document.querySelectorAll(".panel")];
  for (const times of [requestedAt, answeredAt, shownHtml]) for (const panel of times.keys()) if (!panels.includes(panel)) times.delete(panel);
}
findPanels();

// The list of a menu in a panel is not its content.
const panelOf = (event) => (event.target.closest?.(".menu") ? null : event.target.closest?.(".panel"));
const isForm = (event) => event.detail.requestConfig.elt.matches("form");
const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const ago = (seconds) => (seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`);

function refresh(panel) {
  requestedAt.set(panel, Date.now());
  htmx.trigger(panel, "poll");
}

function tick() {
  const now = Date.now();
  if (answeredAt.size) {
    const age = ago(Math.max(0, Math.round((now - Math.min(...answeredAt.values())) / 1000)));
    live.querySelector("[data-age]").textContent = paused ? `paused, ${age} old` : `updated ${age} ago`;
  }
  if (paused || document.hidden) return;
  for (const panel of panels) {
    const due = (requestedAt.get(panel) ?? now) + Number(panel.dataset.pollSeconds) * 1000;
    if (now >= due) refresh(panel);
  }
}

// Makes `current` equal to `next`, but changes only nodes that differ: focus, scrolling, selections and open tables stay.
// Elements that `isKept` names stay as they are.
function morph(current, next, isKept = () => false) {
  if (current.matches(".chart") && current.on) return; // Plotly makes its content, and charts.js redraws it
  const isLoaded = current.matches(".choices[hx-get]") && current.getAttribute("hx-get") === next.getAttribute("hx-get");
  for (const { name } of [...current.attributes]) if (name !== "open" && !next.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of next.attributes) if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  if (isLoaded) return;
  // What loads itself loads anew from another address. A panel keeps its last figures meanwhile.
  const isOther = (old, child) => child.matches?.("[hx-trigger^=load]:not(.panel)") && old.getAttribute("hx-get") !== child.getAttribute("hx-get");
  const oldChildren = [...current.childNodes];
  const newChildren = [...next.childNodes];
  newChildren.forEach((child, index) => {
    const old = oldChildren[index];
    if (!old) current.append(child);
    else if (old.nodeName !== child.nodeName || old.id !== child.id || isOther(old, child)) old.replaceWith(child);
    else if (child.nodeType === Node.ELEMENT_NODE) isKept(old) || morph(old, child, isKept);
    else if (old.data !== child.data) old.data = child.data;
  });
  oldChildren.slice(newChildren.length).forEach((node) => node.remove());
}

const FITTED = ".table-panel:not(.wide:last-child)";

// Gives the body of a table's panel the height of its rows and one more. It keeps it, so that nothing below it moves.
function fit(body) {
  const most = body.offsetHeight;
  body.style.height = "auto";
  body.style.height = `${Math.min(most, body.offsetHeight + 36)}px`;
}

function show(panel, html) {
  const body = panel.querySelector(".panel-body");
  const hadFocus = body.contains(document.activeElement);
  const next = body.cloneNode(false);
  next.innerHTML = html;
  if (shownHtml.has(panel)) {
    sortRows(panel); // so that each row is compared with itself
    morph(body, next);
  } else {
    body.replaceChildren(...next.childNodes);
    if (panel.matches(FITTED)) fit(body);
  }
  rowsOf(panel).forEach((row, place) => (row.place = place));
  sortRows(panel, sorting.get(panel.id));
  shownHtml.set(panel, html);
  htmx.process(body);
  if (hadFocus && !body.contains(document.activeElement)) {
    panel.tabIndex = -1;
    panel.focus({ preventScroll: true });
  }
  panel.dispatchEvent(new Event("panel:changed", { bubbles: true }));
}

// A click on a head sorts the rows of a table by this column: the largest first, then the smallest, then as they came.

const sorting = new Map(); // panel's id -> the place of the column, and the factor of its order
const rowsOf = (panel) => [...panel.querySelectorAll("table.steady tbody tr")];

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell.title || cell.querySelector("time")?.dateTime || cell.textContent.trim();
  return cell.matches(".number") ? parseFloat(text.replace(/[$,]/g, "").replace("−", "-")) || 0 : text;
}

function sortRows(panel, [column, factor] = []) {
  const focused = document.activeElement;
  const rows = rowsOf(panel);
  const key = (row) => (factor ? valueOf(row, column) : row.place);
  const compare = (x, y) => (x > y) - (x < y);
  const sorted = rows.toSorted((a, b) => a.matches(".rest") - b.matches(".rest") || compare(key(a), key(b)) * (factor || 1));
  for (const { parentElement: head } of panel.querySelectorAll("[data-sort]")) {
    if (factor && head.cellIndex === column) head.ariaSort = factor > 0 ? "ascending" : "descending";
    else head.removeAttribute("aria-sort");
  }
  if (sorted.every((row, place) => row === rows[place])) return;
  rows[0].parentElement.append(...sorted);
  focused.focus({ preventScroll: true });
}

function sortBy(panel, head) {
  const [column, factor] = sorting.get(panel.id) ?? [];
  const first = head.matches(".number, .time") ? -1 : 1;
  const next = column !== head.cellIndex || !factor ? first : factor === first && -first;
  sorting.set(panel.id, [head.cellIndex, next]);
  sortRows(panel, sorting.get(panel.id));
}

function fail(panel, reason, error = panel.querySelector(".panel-error")) {
  panel.classList.add("stale");
  panel.setAttribute("aria-busy", "false");
  live.classList.add("failing");
  const age = answeredAt.has(panel) ? ` What you see is from ${clock(answeredAt.get(panel))}.` : "";
  const words = error.querySelector("p");
  if (error.hidden || error !== offline) words.textContent = reason + age;
  error.hidden = false;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const panel = panelOf(event);
  if (!panel) return;
  if (isForm(event)) showExpectedBudget(event.detail.requestConfig.elt);
  else requestedAt.set(panel, Date.now());
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const panel = panelOf(event);
  const { xhr } = event.detail;
  if (xhr.status === 401) location.reload(); // the session ended: the page leads to the sign-in
  if (!panel || xhr.status >= 400) return;
  event.detail.shouldSwap = false;
  answeredAt.set(panel, Date.now() - 1000 * Number(xhr.getResponseHeader("Age"))); // the cache may have had it for a while
  panel.classList.remove("stale");
  panel.setAttribute("aria-busy", "false");
  panel.querySelector(".panel-error").hidden = offline.hidden = true;
  if (!document.querySelector(".panel.stale")) live.classList.remove("failing");
  if (shownHtml.get(panel) !== xhr.responseText || isForm(event)) show(panel, xhr.responseText);
  if (isForm(event)) showSaved(panel);
  tick();
});

const parseHtml = (text) => new DOMParser().parseFromString(text, "text/html");

function onFailure(explain) {
  for (const name of ["responseError", "sendError", "timeout"]) {
    document.addEventListener(`htmx:${name}`, (event) => {
      const { body } = parseHtml(event.detail.xhr.responseText);
      const words = body.textContent.trim().slice(0, 300) || "The server answered with an error.";
      explain(event, name === "responseError" ? words : "The server cannot be reached.", body);
    });
  }
}
onFailure((event, reason, answer) => {
  const panel = panelOf(event);
  if (!panel) return;
  if (isForm(event)) showRefusal(panel, answer, reason);
  else fail(panel, reason, event.type === "htmx:responseError" ? undefined : offline);
});

// The budget form shows the new limit at once. The server's answer confirms it or takes it back.

// Reads $1,500 as 1500, like the server.
const amount = (text) => Number(text.replace(/^\s*\$/, "").replace(/,(?=\d{3}\b)/g, ""));

function showStatus(form, text, isFailed = false) {
  const status = form.querySelector(".form-status");
  status.classList.toggle("failed", isFailed);
  status.textContent = text;
}

function showExpectedBudget(form) {
  const body = form.closest(".panel-body");
  body.classList.add("saving"); // dims the words that only the server can renew
  showStatus(form, "Saving");
  form.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
  form.querySelectorAll(".field-error").forEach((error) => (error.textContent = ""));
  const bar = body.querySelector("svg.budget");
  const limit = amount(form.elements.monthly_limit_usd.value);
  if (!bar || !(limit > 0)) return;
  const used = (bar.dataset.spend / limit) * 100;
  const projected = (bar.dataset.projected / limit) * 100;
  const scale = Math.max(100, used, Math.min(projected, 200));
  const xPosition = (percentage) => `${(Math.min(percentage, scale) / scale) * 100}%`;
  bar.querySelector(".spent").setAttribute("width", xPosition(used));
  bar.querySelector(".track").setAttribute("width", xPosition(100));
  bar.querySelector(".projected")?.setAttribute("width", xPosition(projected));
  for (const tick of bar.querySelectorAll("[data-percentage]")) {
    for (const name of tick.matches("line") ? ["x1", "x2"] : ["x"]) tick.setAttribute(name, xPosition(tick.dataset.percentage));
  }
  body.querySelector("[data-limit]").textContent = limit.toLocaleString("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 12 });
}

function showSaved(panel) {
  panel.querySelector(".panel-body").classList.remove("saving");
  const form = panel.querySelector("form");
  form.reset();
  showStatus(form, "Saved");
  panels.filter((one) => one !== panel).forEach(refresh);
}

function showRefusal(panel, answer, reason) {
  panel.querySelector(".panel-body").classList.remove("saving");
  show(panel, shownHtml.get(panel));
  const form = panel.querySelector("form");
  const errors = [...answer.querySelectorAll("[data-field]")].filter((one) => form.elements[one.dataset.field]);
  for (const error of errors) {
    const input = form.elements[error.dataset.field];
    input.setAttribute("aria-invalid", "true");
    document.getElementById(input.getAttribute("aria-describedby")).textContent = error.dataset.message;
  }
  showStatus(form, errors.length ? "Not saved" : reason, true);
  if (errors.length) form.elements[errors[0].dataset.field].focus();
}

// Asks the API for the workspace of the page. Returns null if it cannot be reached or refuses.
async function ask(url) {
  const headers = document.querySelector("[hx-headers]").getAttribute("hx-headers");
  const answer = await fetch(url, { headers: JSON.parse(headers) }).catch(() => null);
  return answer?.ok ? answer : null;
}

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1500);
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const button = event.target.closest("button");
  if (!button) return;
  const { dataset } = button;
  if ("sort" in dataset) sortBy(button.closest(".panel"), button.parentElement);
  const ownPanel = button.closest(".panel");
  if ("retry" in dataset && ownPanel) refresh(ownPanel);
  else if ("refresh" in dataset || "retry" in dataset) panels.forEach(refresh);
  if ("copy" in dataset) copy(button, document.getElementById(dataset.copy).textContent);
  if ("copyText" in dataset) copy(button, dataset.copyText);
  if ("pause" in dataset) {
    paused = !paused;
    button.setAttribute("aria-pressed", paused);
    button.textContent = paused ? "Resume" : "Pause";
    live.classList.toggle("paused", paused);
    tick();
  }
  if ("sheet" in dataset) {
    const sheet = button.closest(dataset.sheet);
    const height = sheet.offsetHeight;
    button.setAttribute("aria-expanded", sheet.classList.toggle("open"));
    if (sheet.matches("header")) sheet.style.marginBottom = sheet.matches(".open") ? `${height - sheet.offsetHeight}px` : ""; // it covers what is below
  }
  if ("themeSwitch" in dataset) {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    document.dispatchEvent(new Event("themechange"));
  }
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches(".menu[open]")) event.target.querySelector("input, .dimensions button")?.focus();
}, true);

// Shows to the keyboard what a mouse sees as a title, like the whole of a name that is cut.
function showTip(target) {
  tip.textContent = target.title || target.querySelector?.("[title]")?.title;
  tip.hidden = !tip.textContent || !target.matches("a:focus-visible, button:focus-visible, summary:focus-visible");
  const { left, bottom } = target.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.min(bottom + 6, innerHeight - tip.offsetHeight - 8)}px`;
}
document.addEventListener("focusin", ({ target }) => showTip(target));
document.addEventListener("focusout", () => (tip.hidden = true));
document.addEventListener("scroll", () => tip.hidden || showTip(document.activeElement), true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") tip.hidden = true;
  const menu = event.target.closest?.(".menu[open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (event.key === "Enter" && event.target.matches("input[type=search]")) {
    const choices = [...menu.querySelectorAll(".choice[title]")];
    const search = event.target.value.trim().toLowerCase();
    // The list may still be that of an earlier search, while the answer to the last letter is on its way.
    if (search && choices.length === 1 && choices[0].title.toLowerCase().includes(search)) choices[0].click();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const stops = [...menu.querySelectorAll("input[type=search], .choice, .window-form + .choices a")];
    const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next || event.target.matches("input:not([type=search])")) return;
    event.preventDefault();
    next.focus();
  }
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".window-form")) return;
  const { from, to } = event.target.elements;
  const isBackwards = to.value <= from.value;
  to.removeAttribute("aria-invalid");
  document.getElementById("window-error").textContent = isBackwards ? "To must be later than From" : "";
  if (!isBackwards) return;
  event.preventDefault();
  to.setAttribute("aria-invalid", "true");
  to.focus();
}, true); // before navigate.js, which sends it

document.addEventListener("change", (event) => {
  if ("submit" in event.target.dataset) event.target.form.submit();
});

// Back shows the part of the page that one left. Its panels have their height only after they have loaded.
const scrollKey = () => `scroll ${location.href}`;
addEventListener("pagehide", () => sessionStorage.setItem(scrollKey(), scrollY));
if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") {
  const top = Number(sessionStorage.getItem(scrollKey()));
  let isMoved = false;
  for (const name of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(name, () => (isMoved = true), { once: true, passive: true });
  document.addEventListener("panel:changed", () => {
    if (!isMoved) scrollTo({ top, behavior: "instant" });
  });
}

// Takes over a panel whose first answer was in the page itself.
function adopt(panel) {
  const body = panel.querySelector(".panel-body");
  requestedAt.set(panel, Date.now());
  answeredAt.set(panel, Date.now() - 1000 * Number(panel.dataset.aged));
  shownHtml.set(panel, body.innerHTML);
  if (panel.matches(FITTED)) body.style.height = `${body.offsetHeight}px`;
  rowsOf(panel).forEach((row, place) => (row.place = place));
  panel.dispatchEvent(new Event("panel:changed", { bubbles: true }));
}

panels.filter((panel) => panel.dataset.aged).forEach(adopt);
tick();
setInterval(tick, 1000);
