// The keys of the list of traces, and "12 new": the list itself never moves while somebody reads it.

const NEWS_MS = 10_000;
const news = document.querySelector("#trace-news");
const list = document.querySelector("#panel-traces");
const rowLinks = () => [...list.querySelectorAll(".row-link")];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key !== "j" && event.key !== "k") return;
  move(event.key === "j" ? 1 : -1);
  event.preventDefault();
});

function move(step) {
  const links = rowLinks();
  const place = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, place + step))]?.focus();
}

async function look() {
  const newest = list.querySelector("[data-newest]")?.dataset.newest;
  if (!newest || paused || document.hidden) return;
  const response = await ask(`${news.dataset.url}&since=${encodeURIComponent(newest)}`);
  if (!response) return;
  const text = (await response.text()).trim();
  if (text !== news.textContent) news.textContent = text;
  news.hidden = !text;
}

// Of a window that ends now, in the order of time.
function isToLook() {
  const query = new URLSearchParams(location.search);
  const isNewestFirst = (query.get("sort") || "newest") === "newest";
  return isNewestFirst && !list.hasAttribute("data-poll-seconds") && !query.has("cursor") && !query.has("end");
}

setInterval(() => isToLook() && look(), NEWS_MS);
document.addEventListener("page:changed", () => (news.hidden = true));
