// Draws the figures that json_script put on the page. The server has drawn most of them too (analytics/chart_svg.py):
// Plotly is loaded when the page has time, or somebody comes near a chart, and takes the place of that drawing.
// It redraws in place: zoom and hover survive a poll.

// The colours of both themes are one text, light-dark(#…, #…).
function token(name) {
  const style = getComputedStyle(document.documentElement);
  const value = style.getPropertyValue(name).trim();
  return value.match(/#\w+/g)?.at(isDark() ? -1 : 0) ?? value;
}

// Plotly interprets some HTML: a model with the name <a href=…> must stay text.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Replaces names of CSS custom properties by their colours. Hover templates are our own text and may hold markup.
const coloured = (figure) => JSON.parse(JSON.stringify(figure), (key, value) => {
  if (typeof value !== "string" || key.endsWith("template")) return value;
  return (value.startsWith("--") && token(value)) || plain(value);
});

function bucketWindow(chart, place) {
  const row = document.querySelectorAll(`#${chart.dataset.table} tbody tr`)[place];
  const link = row?.querySelector(".to-traces");
  return link && { row, query: new URL(link.href).searchParams };
}

const seriesOfBuckets = (chart) => chart.data.find((one) => one.customdata);

// The places of the buckets in a part of the axis, in Plotly's own numbers.
function bucketsBetween(chart, from, to) {
  const middles = (seriesOfBuckets(chart)?.x ?? []).map((x) => chart._fullLayout.xaxis.d2c(x));
  return middles.flatMap((middle, place) => (middle >= from && middle <= to ? [place] : []));
}

function narrow(chart, place) {
  bucketWindow(chart, place)?.row.querySelector("a").click();
}

// A drag sets the window of the whole page, by whole buckets. "Reset" and Back undo it.
function dragged(chart, change) {
  if (!("xaxis.range[0]" in change)) return;
  const { xaxis } = chart._fullLayout;
  const places = bucketsBetween(chart, ...[0, 1].map((end) => xaxis.r2c(change[`xaxis.range[${end}]`])));
  const [first, last] = [places[0], places.at(-1)].map((place) => bucketWindow(chart, place)?.query);
  if (!first || !last) return draw(chart);
  first.set("end", last.get("end"));
  go(`?${first}`);
}

let tapped = ""; // the chart and bucket of the last tap
function onClick(chart, event) {
  const bounds = chart.querySelector(".nsewdrag").getBoundingClientRect();
  const { p2c, r2c, range } = chart._fullLayout.xaxis;
  const at = p2c(event.clientX - bounds.left);
  const half = (r2c(range[1]) - r2c(range[0])) / (seriesOfBuckets(chart)?.x.length || 1) / 2;
  const [place] = bucketsBetween(chart, at - half, at + half);
  if (place === undefined) return;
  const bucket = `${chart.id} ${place}`;
  // The first tap of a finger shows the figures, which a mouse shows when it comes near.
  if (event.pointerType === "touch" && tapped !== bucket) {
    tapped = bucket;
    window.Plotly.Fx.hover(chart, [{ xval: at, yval: 0 }]);
    return;
  }
  narrow(chart, place);
}

function listen(chart) {
  let pressed = null;
  chart.addEventListener("pointerdown", (event) => (pressed = event.target.closest(".nsewdrag") && !event.button ? event : null), true);
  // Plotly covers the page while a button is down, so that the chart itself sees no click.
  document.addEventListener("pointerup", (event) => {
    const isClick = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) < 5;
    pressed = null;
    if (isClick) onClick(chart, event);
  }, true);
  chart.on("plotly_relayout", (change) => dragged(chart, change));
}

const choiceOf = (panel) => JSON.parse(localStorage.getItem(`charts ${panel.id}`) ?? "{}");

function choose(panel, choice) {
  localStorage.setItem(`charts ${panel.id}`, JSON.stringify({ ...choiceOf(panel), ...choice }));
  panel.querySelectorAll(".chart").forEach(draw);
}

const isolated = new Map(); // chart's id -> the name of the only series that is shown

// Whether the reader has chosen another form of the chart.
function isChanged(chart) {
  const { kind, isLog, without } = choiceOf(chart.closest(".panel"));
  return Boolean(isLog || without || (kind && kind !== "bars") || isolated.get(chart.id));
}

// Draws bars as lines or as stacked areas. Lines are straight and areas are stepped: nothing is smoothed.
function asKind(series, kind) {
  if (series.type !== "bar" || !kind || kind === "bars") return series;
  const color = series.marker.color;
  const drawn = { ...series, type: "scatter", mode: "lines", marker: undefined, line: { color, width: 2 } };
  return kind === "lines" ? drawn : { ...drawn, stackgroup: "all", line: { color, width: 1, shape: "hvh" } };
}

function asChosen(figure, chart) {
  const panel = chart.closest(".panel");
  const { kind, isLog, without } = choiceOf(panel);
  const hasBars = figure.data.some(({ type }) => type === "bar");
  panel.classList.toggle("has-bars", hasBars);
  for (const button of panel.querySelectorAll("[data-kind]")) button.setAttribute("aria-pressed", button.dataset.kind === (kind ?? "bars"));
  panel.querySelector("[data-log]")?.setAttribute("aria-pressed", Boolean(isLog));
  for (const button of panel.querySelectorAll("[data-without]")) {
    button.hidden = !figure.data.some(({ name }) => name === button.dataset.without);
    button.setAttribute("aria-pressed", button.dataset.without === without);
  }
  const only = isolated.get(chart.id);
  for (const button of chart.parentElement.querySelectorAll("[data-only]")) button.setAttribute("aria-pressed", button.dataset.only === only);
  const isFound = figure.data.some(({ name }) => name === only);
  figure.data = figure.data.map((series) => ({ ...asKind(series, kind), visible: isFound ? series.name === only : series.name !== without }));
  if (isLog && !hasBars) figure.layout.yaxis = { ...figure.layout.yaxis, type: "log", dtick: 1 };
  return figure;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-only]");
  if (!button) return;
  const chart = button.closest("ul").parentElement.querySelector(".chart");
  const name = isolated.get(chart.id) === button.dataset.only ? undefined : button.dataset.only;
  isolated.set(chart.id, name);
  draw(chart);
});

// As many as the server's drawing has.
const ticksFor = (width) => (width < 480 ? 5 : width < 774 ? 7 : 10);

function figureOf(chart) {
  const figure = asChosen(JSON.parse(document.getElementById(chart.dataset.figure).textContent), chart);
  const { xaxis, yaxis } = figure.layout;
  if (xaxis?.type === "date" && !xaxis.dtick) xaxis.nticks = ticksFor(chart.clientWidth);
  // The server's range is that of all series.
  if (isChanged(chart)) delete yaxis?.range;
  return coloured(figure);
}

function draw(chart) {
  const source = document.getElementById(chart.dataset.figure);
  if (!source) return;
  if (window.Plotly) return plot(chart);
  asChosen(JSON.parse(source.textContent), chart); // for its menu
  if (!chart.querySelector(".drawn") || isChanged(chart)) loadPlotly();
}

function plot(chart) {
  const figure = figureOf(chart);
  // Plotly keeps zoom and hover while this text stays the same. An empty one would make it keep nothing.
  const revision = `query:${document.getElementById("main").dataset.query}`;
  const isNew = !chart.on;
  // A finger scrolls the page; zooming is for mice.
  const dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
  const layout = { ...figure.layout, dragmode, uirevision: revision };
  chart.querySelector(".drawn")?.remove();
  window.Plotly.react(chart, figure.data, layout, { displayModeBar: false, responsive: true, doubleClick: false });
  if (isNew) listen(chart);
}

const drawAll = () => document.querySelectorAll(".chart").forEach(draw);
let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(drawAll, 200);
});

let plotlyLoads = null; // the promise that it is there
function loadPlotly() {
  plotlyLoads ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: document.getElementById("plotly").src });
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  plotlyLoads.then(takeOver, () => (plotlyLoads = null)); // the next touch tries again
  return plotlyLoads;
}

// Replaces the server's drawings one by one, so that nothing waits for all of them.
const whenIdle = (work) => (window.requestIdleCallback ? requestIdleCallback(work, { timeout: 1000 }) : setTimeout(work, 1));
function takeOver() {
  const chart = [...document.querySelectorAll(".chart")].find((one) => !one.on && document.getElementById(one.dataset.figure));
  if (!chart) return;
  plot(chart);
  whenIdle(takeOver);
}

// Resolves when Plotly has drawn the chart.
async function plotted(chart) {
  await loadPlotly();
  if (!chart.on) plot(chart);
}

for (const name of ["pointerover", "focusin", "touchstart"]) {
  document.addEventListener(name, ({ target }) => {
    const chart = target.closest?.(".chart");
    if (chart && !chart.on) loadPlotly().then(() => chart.on || plot(chart), () => {});
  }, { passive: true });
}
const whenLoaded = () => whenIdle(() => document.querySelector(".chart") && loadPlotly());
if (document.readyState === "complete") whenLoaded();
else addEventListener("load", whenLoaded);

document.addEventListener("panel:changed", (event) => {
  event.target.querySelectorAll(".chart").forEach(draw);
  if (document.readyState === "complete") whenLoaded();
});
document.addEventListener("themechange", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
