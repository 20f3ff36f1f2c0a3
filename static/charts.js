// Draws the figures that json_script put on the page. It redraws them in place: zoom and hover survive a poll.

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Plotly interprets some HTML in names and labels: a model with the name <a href=…> must stay text.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Replaces names of CSS custom properties by their colours. Hover templates are our own text and may hold markup.
const coloured = (figure) => JSON.parse(JSON.stringify(figure), (key, value) => {
  if (typeof value !== "string" || key.endsWith("template")) return value;
  return (value.startsWith("--") && token(value)) || plain(value);
});

const DAY_MS = 86_400_000;
const TICKS = [
  { dtickrange: [null, DAY_MS - 1], value: "%H:%M\n%-d %b" },
  { dtickrange: [DAY_MS, null], value: "%-d %b" },
];

function layout(own, revision) {
  const axis = { gridcolor: token("--border"), linecolor: token("--border"), zeroline: false, fixedrange: false };
  return {
    height: null,
    autosize: true,
    margin: { l: 44, r: 8, t: 8, b: 24 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: token("--muted") },
    hovermode: "x unified",
    hoverlabel: { bgcolor: token("--card"), bordercolor: token("--border"), font: { color: token("--text") } },
    showlegend: false,
    // A finger scrolls the page; zooming is for mice.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    uirevision: revision,
    ...own,
    xaxis: { ...axis, showgrid: false, automargin: true, type: "date", tickformatstops: TICKS, ...own.xaxis },
    yaxis: { ...axis, automargin: true, fixedrange: true, tickformat: ",~r", nticks: 6, ...own.yaxis },
  };
}

// A click on a point follows the link of its row in the table.
function follow(chart, event) {
  const point = event.points.find((one) => one.data.customdata);
  const row = point && document.querySelectorAll(`#${chart.dataset.table} tbody tr`)[point.pointIndex];
  row?.querySelector("a")?.click();
}

function draw(chart) {
  const source = document.getElementById(chart.dataset.figure);
  if (!source || !window.Plotly) return;
  const figure = coloured(JSON.parse(source.textContent));
  // Plotly keeps zoom and hover while this text stays the same. An empty one would make it keep nothing.
  const revision = `query:${document.getElementById("main").dataset.query}`;
  const isNew = !chart.on;
  window.Plotly.react(chart, figure.data, layout(figure.layout, revision), { displayModeBar: false, responsive: true });
  if (isNew) chart.on("plotly_click", (event) => follow(chart, event));
}

const drawAll = () => document.querySelectorAll(".chart").forEach(draw);

document.addEventListener("panel:changed", (event) => event.target.querySelectorAll(".chart").forEach(draw));
document.addEventListener("themechange", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
document.getElementById("plotly").addEventListener("load", drawAll);
