// Draws the tree and the waterfall of a trace, and loads what is chosen in it. Of thousands of rows only those in view
// are in the page, and scrolling uses their elements again.

const tree = document.querySelector("#tree");
const body = tree.querySelector(".tree-rows");
const detail = document.querySelector("#detail");
const conversationButton = document.querySelector("#show-conversation");
const [ID, LEVEL, NAME, KIND, STATUS, START, DURATION, FIRST_TOKEN, ORPHAN, NOTE] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const LONG_TRACE = 200; // rows from which the levels below the third are closed at first
const OPEN_LEVELS = 2;
const ROW_PX = 28; // as in trace.css
const SPARE_ROWS = 12;

let data = { version: "", duration_ms: 0, split: [], rows: [] };
let family = []; // for each row: its place among its siblings, how many they are, its parent's row, whether it has children
let shown = []; // the rows that no closed row hides
let active = 0; // the place in `shown`
let selected = new URLSearchParams(location.search).get("span");
const opened = new Map(); // id -> whether a person has opened or closed it
const elements = [];

function duration(ms) {
  if (ms === null) return "";
  if (ms < 1) return ms ? "<1 ms" : "0 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

// Computes what assistive programs say of a row: they cannot count rows that are not in the page.
function relate(rows) {
  const last = []; // of each level
  const counts = new Map(); // of children
  family = rows.map((row, index) => {
    const level = row[LEVEL];
    const parent = level ? last[level - 1] : -1;
    last[level] = index;
    const place = (counts.get(parent) ?? 0) + 1;
    counts.set(parent, place);
    return { place, parent, size: 0, hasChildren: (rows[index + 1]?.[LEVEL] ?? 0) > level };
  });
  for (const one of family) one.size = counts.get(one.parent);
}

function isOpen(index) {
  const row = data.rows[index];
  return opened.get(row[ID]) ?? (data.rows.length <= LONG_TRACE || row[LEVEL] < OPEN_LEVELS);
}

function arrange() {
  shown = [];
  let hiddenFrom = Infinity;
  data.rows.forEach((row, index) => {
    if (row[LEVEL] > hiddenFrom) return;
    hiddenFrom = Infinity;
    shown.push(index);
    if (family[index].hasChildren && !isOpen(index)) hiddenFrom = row[LEVEL];
  });
  active = Math.min(active, shown.length - 1);
  body.style.height = `${shown.length * ROW_PX}px`;
}

function element(place) {
  let item = elements[place];
  if (item) return item;
  item = document.createElement("div");
  item.setAttribute("role", "treeitem");
  const part = (name) => item.appendChild(Object.assign(document.createElement("span"), { className: name }));
  item.parts = { twisty: part("twisty"), name: part("row-name"), time: part("row-time"), lane: part("lane") };
  for (const name of ["wait", "span-bar"]) item.parts[name] = item.parts.lane.appendChild(Object.assign(document.createElement("i"), { className: name }));
  elements[place] = body.appendChild(item);
  return item;
}

function fill(item, place) {
  const index = shown[place];
  const row = data.rows[index];
  const { place: position, size, hasChildren } = family[index];
  const { twisty, name, time, lane } = item.parts;
  item.hidden = false;
  item.id = `row-${index}`;
  item.dataset.place = place;
  item.className = `row ${row[KIND]} ${row[STATUS]}${row[ID] === selected ? " selected" : ""}${place === active ? " active" : ""}`;
  item.style.transform = `translateY(${place * ROW_PX}px)`;
  item.setAttribute("aria-level", row[LEVEL] + 1);
  item.setAttribute("aria-posinset", position);
  item.setAttribute("aria-setsize", size);
  item.setAttribute("aria-selected", row[ID] === selected);
  if (hasChildren) item.setAttribute("aria-expanded", isOpen(index));
  else item.removeAttribute("aria-expanded");
  twisty.style.marginLeft = `${Math.min(row[LEVEL], 12) * 12}px`;
  twisty.textContent = hasChildren ? (isOpen(index) ? "▾" : "▸") : "";
  const notes = [row[NOTE], row[STATUS] === "success" ? "" : row[STATUS], row[ORPHAN] ? "its parent has not arrived" : ""].filter(Boolean);
  name.textContent = row[NAME] + (row[ORPHAN] ? " (orphan)" : "");
  item.title = `${row[NAME]}${notes.length ? ` · ${notes.join(" · ")}` : ""}`;
  time.textContent = duration(row[DURATION]);
  draw(item.parts, row);
  item.setAttribute("aria-label", `${row[NAME]}, ${[row[KIND], ...notes, duration(row[DURATION])].filter(Boolean).join(", ")}`);
  lane.setAttribute("aria-hidden", "true");
}

function draw(parts, row) {
  const percent = (ms) => `${(ms * 100) / (data.duration_ms || 1)}%`;
  const waiting = Math.min(row[FIRST_TOKEN] ?? 0, row[DURATION] ?? 0);
  parts.wait.style.left = percent(row[START]);
  parts.wait.style.width = percent(waiting);
  parts["span-bar"].style.left = percent(row[START] + waiting);
  parts["span-bar"].style.width = percent((row[DURATION] ?? 0) - waiting);
}

function render() {
  const first = Math.max(0, Math.floor(tree.scrollTop / ROW_PX) - SPARE_ROWS);
  const count = Math.ceil(tree.clientHeight / ROW_PX) + 2 * SPARE_ROWS;
  for (let slot = 0; slot < Math.max(count, elements.length); slot += 1) {
    // A row keeps its element while it is in view: its place modulo the number of elements.
    const place = first + ((slot - first) % count + count) % count;
    if (slot < count && place < shown.length) fill(element(slot), place);
    else if (elements[slot]) elements[slot].hidden = true;
  }
  if (shown.length) tree.setAttribute("aria-activedescendant", `row-${shown[active]}`);
}

let isScheduled = false;
function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    render();
  });
}

function drawSplit() {
  const total = data.split.reduce((sum, [, , ms]) => sum + ms, 0) || 1;
  const items = data.split.map(([activity, label, ms]) => {
    const item = Object.assign(document.createElement("li"), { title: `${ms} ms` });
    const track = item.appendChild(Object.assign(document.createElement("div"), { className: `split-track ${activity}` }));
    const fill = track.appendChild(Object.assign(document.createElement("div"), { className: "split-fill" }));
    fill.style.width = `${(ms * 100) / total}%`;
    item.append(`${duration(ms)} ${label}`);
    return item;
  });
  document.querySelector("#trace-split").replaceChildren(...items);
}

function redraw() {
  drawSplit();
  relate(data.rows);
  arrange();
  const axis = document.querySelector(".tree-axis");
  axis.replaceChildren(...[0, 0.5, 1].map((part) => Object.assign(document.createElement("span"), { textContent: duration(data.duration_ms * part) })));
  render();
}

function moveTo(place) {
  active = Math.max(0, Math.min(place, shown.length - 1));
  const top = active * ROW_PX;
  if (top < tree.scrollTop) tree.scrollTop = top;
  if (top + ROW_PX > tree.scrollTop + tree.clientHeight) tree.scrollTop = top + ROW_PX - tree.clientHeight;
  render();
}

function setOpen(index, isToOpen) {
  opened.set(data.rows[index][ID], isToOpen);
  arrange();
  render();
}

function reveal(id) {
  const index = data.rows.findIndex((row) => row[ID] === id);
  if (index < 0) return;
  for (let parent = family[index].parent; parent >= 0; parent = family[parent].parent) opened.set(data.rows[parent][ID], true);
  arrange();
  moveTo(shown.indexOf(index));
}

function load(id) {
  detail.setAttribute("aria-busy", "true");
  const url = id ? `${tree.dataset.url}/spans/${encodeURIComponent(id)}` : tree.dataset.conversation;
  htmx.ajax("GET", url, { source: tree, target: detail, swap: "innerHTML" });
}

function select(id) {
  selected = id;
  const url = new URL(location);
  if (id) url.searchParams.set("span", id);
  else url.searchParams.delete("span");
  history.replaceState(null, "", url);
  conversationButton.setAttribute("aria-pressed", !id);
  load(id);
  render();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== detail) return;
  detail.setAttribute("aria-busy", "false");
  detail.scrollTop = 0;
});

function explain(text) {
  const form = detail.querySelector(".score-form.htmx-request, .score-form:focus-within");
  const message = form?.querySelector(".form-status") ?? Object.assign(document.createElement("p"), { className: "notice" });
  message.textContent = text;
  if (!form) detail.replaceChildren(message);
}
onFailure((event, reason) => explain(reason));

detail.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-span]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  reveal(link.dataset.span);
  select(link.dataset.span);
});
conversationButton.addEventListener("click", () => select(null));

tree.addEventListener("click", (event) => {
  const item = event.target.closest("[role=treeitem]");
  if (!item) return;
  active = Number(item.dataset.place);
  const index = shown[active];
  if (event.target.matches(".twisty") && family[index].hasChildren) setOpen(index, !isOpen(index));
  else select(data.rows[index][ID]);
});

tree.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !shown.length) return;
  const index = shown[active];
  const page = Math.floor(tree.clientHeight / ROW_PX);
  const { hasChildren, parent } = family[index];
  const actions = {
    ArrowDown: () => moveTo(active + 1),
    ArrowUp: () => moveTo(active - 1),
    j: () => moveTo(active + 1),
    k: () => moveTo(active - 1),
    PageDown: () => moveTo(active + page),
    PageUp: () => moveTo(active - page),
    Home: () => moveTo(0),
    End: () => moveTo(shown.length - 1),
    ArrowRight: () => (hasChildren && !isOpen(index) ? setOpen(index, true) : hasChildren && moveTo(active + 1)),
    ArrowLeft: () => (hasChildren && isOpen(index) ? setOpen(index, false) : parent >= 0 && moveTo(shown.indexOf(parent))),
    Enter: () => select(data.rows[index][ID]),
    " ": () => select(data.rows[index][ID]),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});

tree.addEventListener("scroll", schedule, { passive: true });
new ResizeObserver(schedule).observe(tree);

const showNews = (text) => (document.querySelector("#tree-news").textContent = text);

function begin() {
  tree.removeAttribute("aria-busy");
  if (selected) reveal(selected);
}

async function poll() {
  if (document.hidden && data.version) return;
  const answer = await ask(`${tree.dataset.rows}?version=${data.version}`);
  if (answer?.status !== 200) {
    if (!data.version) showNews("The spans cannot be loaded. The page tries again.");
    return;
  }
  const id = data.rows[shown[active]]?.[ID];
  const before = data.rows.length;
  const isFirst = !data.version;
  data = await answer.json();
  redraw();
  showNews("");
  if (isFirst) return begin();
  const index = data.rows.findIndex((row) => row[ID] === id);
  active = Math.max(0, shown.indexOf(index));
  render();
  const more = data.rows.length - before;
  showNews(more > 0 ? `${more} more span${more > 1 ? "s have" : " has"} arrived.` : "");
  htmx.trigger("#trace-head", "trace:changed");
  if (!selected) load(null);
}
setInterval(poll, Number(tree.dataset.pollSeconds) * 1000);

poll();
if (selected) conversationButton.setAttribute("aria-pressed", "false");
load(selected);
