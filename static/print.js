// Draws the charts of a report, and prints it: in light colours, and as wide as the paper.

let themeBefore = "";
const drawnCharts = () => [...document.querySelectorAll(".report .chart")].filter((chart) => chart.on);
const resize = (size) => drawnCharts().forEach((chart) => window.Plotly.relayout(chart, size));
const redraw = () => document.dispatchEvent(new Event("themechange"));

addEventListener("beforeprint", () => {
  themeBefore = document.documentElement.dataset.theme ?? "";
  document.documentElement.dataset.theme = "light";
  redraw();
  resize({ width: 680, height: 230 });
});
addEventListener("afterprint", () => {
  if (themeBefore) document.documentElement.dataset.theme = themeBefore;
  else delete document.documentElement.dataset.theme;
  redraw();
  resize({ width: null, height: null, autosize: true });
});
document.addEventListener("click", (event) => event.target.closest?.("[data-print]") && print());
document.addEventListener("page:changed", drawAll);
drawAll();
