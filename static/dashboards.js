// Dashboards: keys, full screen, and the builder. It changes a draft, which one request stores.

const state = { panels: [], saved: "", undo: [], etag: "", of: "" };
const on = document.addEventListener.bind(document);
const byId = (id) => document.getElementById(id);
const board = () => byId("board");
const builder = () => byId("builder");
const find = (name) => builder()?.querySelector(`[data-do=${name}]`);
const text = () => JSON.stringify(state.panels);
const isDirty = () => Boolean(builder()) && text() !== state.saved;
const elementOf = (id) => [...board().children].find((one) => one.dataset.panel === id);
const panelWith = (id) => state.panels.find((one) => one.id === id);
const COLUMNS = 12, MAX_HEIGHT = 40, MAX_ROW = 2000;
const GAP = 16, ROW = 40 + GAP; // px

function say(text) {
  byId("said").textContent = text;
}

async function send(method, url, body, headers = {}) {
  const own = JSON.parse(board().closest("[hx-headers]").getAttribute("hx-headers"));
  try {
    return await fetch(url, { method, body, headers: { ...own, ...headers } });
  } catch {
    say("The server cannot be reached. Nothing is lost: try again.");
  }
}

const inOrder = (a, b) => a.place.y - b.place.y || a.place.x - b.place.x;
const overlaps = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

// Moves panels down until none is over another. The dragged one stays.
function settle(first) {
  const order = state.panels.toSorted((a, b) => (b.id === first) - (a.id === first) || inOrder(a, b));
  const placed = [];
  for (const { place } of order) {
    for (let over; (over = placed.filter((other) => overlaps(place, other))).length; ) place.y = Math.max(...over.map((other) => other.y + other.height));
    placed.push(place);
  }
}

function showPlaces() {
  for (const { id, place: { x, y, width, height } } of state.panels) {
    for (const [name, value] of Object.entries({ x, w: width, k: 0, t: 0, y, g: 0, h: height })) elementOf(id)?.style.setProperty(`--${name}`, value);
  }
}

// The order of reading, for the keyboard and narrow screens.
function sortElements() {
  const focused = document.activeElement;
  const sorted = state.panels.toSorted(inOrder).map(({ id }) => elementOf(id)).filter(Boolean);
  if (sorted.some((one, place) => one !== board().children[place])) board().append(...sorted);
  if (document.activeElement !== focused) focused.focus({ preventScroll: true });
}

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

function change(panel, from, columns, rows, isSize) {
  const place = { ...from };
  if (isSize) {
    place.width = clamp(from.width + columns, 1, COLUMNS - from.x);
    place.height = clamp(from.height + rows, 2, MAX_HEIGHT);
  } else {
    place.x = clamp(from.x + columns, 0, COLUMNS - from.width);
    place.y = clamp(from.y + rows, 0, MAX_ROW);
  }
  panel.place = place;
}

const snapshot = () => structuredClone(state.panels);
const textOf = (panel) => JSON.stringify({ ...panel, place: 0 });

function remember(before) {
  state.undo.push(before);
  showState();
}

function showState() {
  find("undo").disabled = !state.undo.length;
  find("save").disabled = !isDirty();
}

function showDraft(isReload = false) {
  for (const one of [...board().children]) if (one.dataset.panel && !panelWith(one.dataset.panel)) one.remove();
  const stored = new Map(JSON.parse(state.saved).map((one) => [one.id, textOf(one)]));
  for (const panel of state.panels) {
    const now = textOf(panel);
    const element = elementOf(panel.id) ?? newElement(panel);
    const shown = element.drawn ?? stored.get(panel.id);
    if (shown !== now || (isReload && stored.get(panel.id) !== now)) draw(element, panel);
    element.drawn = now;
  }
  showPlaces();
  sortElements();
  findPanels();
  showState();
}

function newElement(panel) {
  const element = byId("new-panel").content.firstElementChild.cloneNode(true);
  element.dataset.panel = panel.id;
  element.id = `panel-draft-${panel.id}`;
  board().append(element);
  return element;
}

// Draws a panel of the draft: the server renders it, and stores nothing.
async function draw(element, panel, body = new URLSearchParams({ panel: JSON.stringify(panel) })) {
  element.removeAttribute("hx-get");
  element.removeAttribute("data-poll-seconds");
  const url = `${builder().dataset.preview}?${byId("main").dataset.query}`;
  const mine = (element.turn = (element.turn ?? 0) + 1);
  const answer = await send("POST", url, body, { "HX-Request": "true", "HX-Current-URL": location.href });
  if (!answer || mine !== element.turn) return;
  const html = await answer.text();
  const error = element.querySelector(".panel-error");
  error.hidden = answer.ok;
  element.classList.toggle("stale", !answer.ok);
  element.ariaBusy = "false";
  if (answer.ok) show(element, html);
  else error.querySelector("p").textContent = parseHtml(html).body.textContent.trim().slice(0, 300);
  if (panel) setTitle(element, answer.headers.get("X-Panel-Title"));
}

function setTitle(element, title) {
  const text = decodeURIComponent(title ?? "");
  element.ariaLabel = text || "Text";
  const head = element.querySelector("h2");
  if (!head) return;
  head.title = text;
  // Cut in the middle where there is no room, as on the page.
  const ends = text.match(/^(.*?)(\s\S{1,14}\s*|\S{1,8}\s*)$/su)?.slice(1) ?? [text, ""];
  head.replaceChildren(...ends.map((end) => Object.assign(document.createElement("span"), { textContent: end })));
}

const panelOfHandle = (handle) => handle && panelWith(handle.closest("[data-panel]").dataset.panel);

function startDrag(event) {
  const handle = event.target.closest?.("[data-move], [data-resize]");
  const panel = !event.button && panelOfHandle(handle);
  if (!panel) return;
  event.preventDefault();
  handle.focus({ preventScroll: true });
  handle.setPointerCapture(event.pointerId);
  const before = snapshot(), from = panel.place, element = elementOf(panel.id);
  const column = (board().clientWidth + GAP) / COLUMNS;
  const start = { x: event.pageX, y: event.pageY };
  element.classList.add("moved");
  const onMove = (move) => {
    const rest = new Map(before.map((one) => [one.id, one.place]));
    for (const one of state.panels) one.place = { ...rest.get(one.id) };
    change(panel, from, Math.round((move.pageX - start.x) / column), Math.round((move.pageY - start.y) / ROW), "resize" in handle.dataset);
    settle(panel.id);
    showPlaces();
  };
  const onEnd = () => {
    handle.removeEventListener("pointermove", onMove);
    element.classList.remove("moved");
    finish(panel, before);
  };
  handle.addEventListener("pointermove", onMove);
  handle.addEventListener("lostpointercapture", onEnd, { once: true });
}

function finish(panel, before) {
  if (JSON.stringify(before) === text()) return;
  remember(before);
  sortElements();
  const { x, y, width, height } = panel.place;
  say(`${elementOf(panel.id).ariaLabel}: column ${x + 1}, row ${y + 1}, ${width} wide, ${height} high`);
  elementOf(panel.id).dispatchEvent(new Event("panel:changed", { bubbles: true }));
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onArrow(event) {
  const panel = STEPS[event.key] && panelOfHandle(event.target.closest?.("[data-move]"));
  if (!panel) return false;
  const before = snapshot();
  change(panel, panel.place, ...STEPS[event.key], event.shiftKey);
  settle(panel.id);
  showPlaces();
  finish(panel, before);
  return true;
}

const formElement = () => byId("panel-edit");
const focusKind = () => formElement().querySelector("[name=kind]:checked").focus();

async function openForm(body) {
  const answer = await send("POST", builder().dataset.form, body);
  if (!answer?.ok) return answer && say("The form cannot be shown right now.");
  showForm(await answer.text());
  builder().scrollIntoView({ block: "start" });
  focusKind();
}

function showForm(html) {
  const place = byId("panel-form");
  const next = place.cloneNode(false);
  next.innerHTML = html;
  const shown = byId("panel-preview");
  if (shown) next.querySelector("#panel-preview").replaceWith(shown);
  place.replaceChildren(...next.childNodes);
  showPreview();
}

let previewTimer = 0;
function showPreview() {
  const preview = byId("panel-preview");
  if (!formElement() || !preview) return;
  preview.hidden = false;
  clearTimeout(previewTimer);
  previewTimer = setTimeout(() => formElement() && draw(preview, null, new FormData(formElement())), 250);
}

function closeForm() {
  byId("panel-form").replaceChildren();
}

async function apply() {
  const body = new FormData(formElement());
  body.set("apply", 1);
  const answer = await send("POST", builder().dataset.form, body);
  if (!answer) return;
  if (!answer.headers.get("Content-Type").includes("json")) {
    showForm(await answer.text());
    return formElement().querySelector(":has(> .field-error) :is(input, select, textarea)")?.focus();
  }
  const { panel } = await answer.json();
  const before = snapshot(), known = panelWith(panel.id ?? "");
  if (known) Object.assign(known, panel, { place: known.place });
  else state.panels.push({ ...panel, id: freeId(), place: freePlace(panel.place) });
  closeForm();
  remember(before);
  showDraft();
  const { id } = known ?? state.panels.at(-1);
  elementOf(id).querySelector("[data-move]").focus();
  elementOf(id).scrollIntoView({ block: "nearest" });
  say(`${known ? "Changed" : "Added"}. Save stores it.`);
}

function freeId() {
  for (let number = 1; ; number++) if (!panelWith(`p${number}`)) return `p${number}`;
}

// Beside the last panel if there is room, or else below all.
function freePlace(place) {
  const taken = state.panels.toSorted(inOrder).map((one) => one.place);
  const last = taken.at(-1) ?? { x: COLUMNS, y: 0, width: 0 };
  const beside = { ...place, x: last.x + last.width, y: last.y };
  if (beside.x + place.width <= COLUMNS && !taken.some((one) => overlaps(one, beside))) return beside;
  return { ...place, x: 0, y: Math.max(0, ...taken.map((one) => one.y + one.height)) };
}

async function offerValues(row) {
  const list = row.querySelector("datalist"), name = row.querySelector("[name=filter]").value;
  if (list.dataset.of === name) return;
  list.dataset.of = name;
  const answer = await ask(`${list.dataset.values}?${new URLSearchParams({ filter: name })}`);
  if (answer) list.innerHTML = await answer.text();
}

async function save() {
  if (!isDirty()) return;
  const body = JSON.stringify({ panels: state.panels });
  const answer = await send("PATCH", builder().dataset.api, body, { "Content-Type": "application/json", "If-Match": state.etag });
  if (!answer) return;
  const said = await answer.json();
  if (answer.ok) return leave(builder().dataset.page);
  if (answer.status !== 412) return say(`Not saved. ${said.detail}`);
  byId("conflict").hidden = false;
  byId("conflict").querySelector("span").textContent = said.detail;
}

async function saveCopy() {
  const draft = JSON.parse(byId("draft").textContent);
  const body = JSON.stringify({ ...draft, name: `${draft.name.slice(0, 110)} (mine)`, panels: state.panels });
  const answer = await send("POST", builder().dataset.copy, body, { "Content-Type": "application/json" });
  if (!answer) return;
  const made = await answer.json();
  if (!answer.ok) return say(`Not saved. ${made.detail}`);
  leave(builder().dataset.page.replace(/[0-9a-f-]{36}$/, made.id));
}

function leave(path) {
  state.saved = text();
  location.assign(path + find("leave").search);
}

function undo() {
  const before = state.undo.pop();
  if (!before) return;
  state.panels = before;
  showDraft();
  say("Undone.");
}

function begin() {
  if (!builder()) return;
  const { of, etag } = builder().dataset;
  find("save").hidden = false;
  if (state.etag === etag && state.of === location.pathname && isDirty()) {
    showDraft(true); // another window or filter of the same page
  } else {
    state.panels = JSON.parse(byId("draft").textContent).panels ?? [];
    Object.assign(state, { saved: text(), undo: [], etag, of: location.pathname });
    showState();
  }
  if (formElement()) {
    showPreview();
    focusKind();
  }
}

on("pointerdown", (event) => builder() && startDrag(event));

const ACTIONS = {
  add: () => openForm(new URLSearchParams({ kind: "line", measure: "cost_usd" })),
  change: (id) => openForm(new URLSearchParams({ panel: JSON.stringify(panelWith(id)) })),
  close: closeForm,
  undo,
  save,
  copy: saveCopy,
  delete(id) {
    const before = snapshot();
    state.panels = state.panels.filter((one) => one.id !== id);
    remember(before);
    showDraft();
    say("Deleted. Undo brings it back.");
    find("undo").focus();
  },
};

on("click", (event) => {
  const target = builder() && event.target.closest?.("[data-do]");
  if (!target) return;
  const action = ACTIONS[target.dataset.do];
  if (action || (isDirty() && !confirm("Leave without saving?"))) event.preventDefault();
  else state.saved = text();
  action?.(target.closest("[data-panel]")?.dataset.panel);
}, true);

on("submit", (event) => {
  if (event.target !== formElement() || !builder()) return;
  event.preventDefault();
  apply();
}, true);

on("input", (event) => {
  if (!formElement()?.contains(event.target)) return;
  if (event.target.name === "kind") changeKind(event.target);
  showPreview();
});

// Shows the fields of the chosen kind, and gives a new panel its size.
function changeKind({ dataset }) {
  const form = formElement(), { elements } = form;
  for (const part of form.querySelectorAll("[data-field]")) part.hidden = !dataset.fields.split(" ").includes(part.dataset.field);
  if ("needsBy" in dataset && !elements.dimension[0].value) elements.dimension[0].value = "agent_id";
  if (!elements.id.value) for (const name of ["width", "height"]) elements[name].value = dataset[name];
}

for (const name of ["focusin", "change"]) on(name, ({ target }) => {
  const row = target.closest?.(".filter-row:has(datalist)");
  if (row) offerValues(row);
});

on("keydown", (event) => {
  const { key, target } = event;
  if (onArrow(event)) return event.preventDefault();
  const isHeld = event.ctrlKey || event.metaKey;
  const isTyping = target.closest("input:not([type=radio]), select, textarea");
  if (builder() && isHeld && key === "s") save();
  else if (builder() && isHeld && key === "z" && !isTyping) undo();
  else if (key === "Enter" && target.matches("#panel-edit :is(input, select)")) apply();
  else if (isHeld || event.altKey || isTyping) return;
  else if ((key === "a" || key === "e") && !formElement()) document.querySelector(`[data-do=${key === "a" ? "add" : "edit"}]`)?.click();
  else if ("1234".includes(key)) document.querySelectorAll("#time-range > a")[key - 1]?.click();
  else if (key === "Escape" && formElement()) closeForm();
  else if (key === "Escape") document.querySelector("[data-screen] a")?.click();
  else return;
  event.preventDefault();
});

addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());
on("page:changed", begin);
const theme = new URLSearchParams(location.search).get("theme"); // of a screen on a wall
if (theme && document.querySelector("[data-screen]")) document.documentElement.dataset.theme = theme;
begin();
