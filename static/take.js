// Takes panels along: their rows as CSV, their charts as pictures.

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function takeCsv(panel) {
  const url = new URL(panel.getAttribute("hx-get"), location.href);
  url.searchParams.set("format", "csv");
  const answer = await ask(url);
  if (!answer) return fail(panel, "The file cannot be made right now.");
  const name = /filename="(.+?)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "data.csv";
  download(await answer.blob(), name);
}

// A picture has what the page shows around the chart: the heading, the legend and the ground.
async function takePicture(panel, format) {
  for (const chart of panel.querySelectorAll(".chart")) {
    await plotted(chart);
    const { clientWidth: width, clientHeight } = chart;
    const heading = panel.querySelector("h2")?.textContent.trim() ?? "";
    const around = { title: { text: plain(heading), x: 0.02 }, showlegend: true, margin: { l: 56, r: 16, t: 48, b: 40 }, paper_bgcolor: token("--card") };
    const figure = { data: chart.data, layout: { ...chart.layout, ...around } };
    const size = { width: Math.max(width, 640), height: clientHeight + 120 };
    const address = await window.Plotly.toImage(figure, { format: "svg", ...size });
    const name = `${chart.id.replace("chart-", "")}.${format}`;
    const svg = decodeURIComponent(address.slice(address.indexOf(",") + 1));
    if (format === "svg") download(new Blob([svg], { type: "image/svg+xml" }), name);
    else download(await png(address, size), name);
  }
}

async function png(address, { width, height }) {
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".take button");
  if (!button) return;
  const panel = button.closest(".panel");
  const { csv, picture, kind, log, without } = button.dataset;
  if (csv !== undefined) takeCsv(panel);
  if (picture) takePicture(panel, picture).catch(() => fail(panel, "The picture cannot be made right now."));
  if (kind) choose(panel, { kind });
  if (without) choose(panel, { without: choiceOf(panel).without ? "" : without });
  if (log !== undefined) choose(panel, { isLog: !choiceOf(panel).isLog });
  closeMenus();
});
