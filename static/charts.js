// Draws the figures that json_script put on the page, and redraws them in place: zoom and hover survive a poll.

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Plotly reads some HTML in names and labels: a model that calls itself <a href=…> must stay text.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Colours stand in figures as names of CSS custom properties. Templates are ours and may hold markup.
const coloured = (figure) => JSON.parse(JSON.stringify(figure), (key, value) => {
  if (typeof value !== "string" || key.endsWith("template")) return value;
  return (value.startsWith("--") && token(value)) || plain(value);
});

function layout(own, revision) {
  const axis = { gridcolor: token("--border"), linecolor: token("--border"), zeroline: false, fixedrange: false };
  return {
    height: null,
    autosize: true,
    margin: { l: 48, r: 8, t: 28, b: 32 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: token("--muted") },
    hovermode: "x unified",
    hoverlabel: { bgcolor: token("--card"), bordercolor: token("--border"), font: { color: token("--text") } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", itemclick: false, itemdoubleclick: false },
    dragmode: "zoom",
    uirevision: revision,
    ...own,
    xaxis: { ...axis, showgrid: false, type: "date", ...own.xaxis },
    yaxis: { ...axis, automargin: true, ...own.yaxis },
  };
}

function draw(chart) {
  const source = document.getElementById(chart.dataset.figure);
  if (!source || !window.Plotly) return;
  const figure = coloured(JSON.parse(source.textContent));
  // Never empty: that would mean that nothing is kept.
  const revision = `asked:${document.getElementById("main").dataset.query}`;
  window.Plotly.react(chart, figure.data, layout(figure.layout, revision), { displayModeBar: false, responsive: true });
}

const drawAll = () => document.querySelectorAll(".chart").forEach(draw);

document.addEventListener("htmx:afterSettle", (event) => event.target.querySelectorAll(".chart").forEach(draw));
document.addEventListener("themechange", drawAll);
document.getElementById("plotly").addEventListener("load", drawAll);
