// Polling, its errors and the few controls. Panels themselves are plain htmx.

const live = document.querySelector(".live");
const panels = [...document.querySelectorAll(".panel")];
const asked = new Map(); // panel -> when it was last asked for, in ms
let answeredAt = null;
let paused = false;

const panelOf = (event) => event.target.closest(".panel");

function refresh(panel) {
  asked.set(panel, Date.now());
  htmx.trigger(panel, "poll");
}

function tick() {
  const now = Date.now();
  if (answeredAt !== null) {
    const seconds = Math.round((now - answeredAt) / 1000);
    live.querySelector("[data-age]").textContent = paused ? "paused" : `updated ${seconds} s ago`;
  }
  if (paused || document.hidden) return;
  for (const panel of panels) {
    const due = (asked.get(panel) ?? now) + Number(panel.dataset.pollSeconds) * 1000;
    if (now >= due) refresh(panel);
  }
}

function fail(panel, reason) {
  panel.classList.add("stale");
  panel.setAttribute("aria-busy", "false");
  live.classList.add("failing");
  const error = panel.querySelector(".panel-error");
  error.querySelector("p").textContent = reason;
  error.hidden = false;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const panel = panelOf(event);
  if (panel) asked.set(panel, Date.now());
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const panel = panelOf(event);
  const { xhr } = event.detail;
  if (!panel) return;
  if (xhr.status === 401) location.reload(); // the session ended: the page leads to the sign-in
  if (xhr.status >= 400) return;
  answeredAt = Date.now();
  panel.classList.remove("stale");
  panel.setAttribute("aria-busy", "false");
  panel.querySelector(".panel-error").hidden = true;
  if (!document.querySelector(".panel.stale")) live.classList.remove("failing");
  // The same answer again changes nothing on the page: selections, scrolling and open tables stay.
  if (panel.dataset.answer === xhr.responseText) event.detail.shouldSwap = false;
  panel.dataset.opened = [...panel.querySelectorAll("details[open]")].map((one) => one.id).join(" ");
});

document.addEventListener("htmx:afterSwap", (event) => {
  const panel = panelOf(event);
  if (!panel) return;
  panel.dataset.answer = event.detail.xhr.responseText;
  for (const id of (panel.dataset.opened || "").split(" ").filter(Boolean)) document.getElementById(id).open = true;
});

document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const panel = panelOf(event);
  if (panel) fail(panel, answer.body.textContent.trim().slice(0, 300) || "The server answered with an error.");
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => panelOf(event) && fail(panelOf(event), "The server cannot be reached."));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("retry" in button.dataset) refresh(button.closest(".panel"));
  if ("refresh" in button.dataset) panels.forEach(refresh);
  if ("pause" in button.dataset) {
    paused = !paused;
    button.setAttribute("aria-pressed", paused);
    button.textContent = paused ? "Resume" : "Pause";
    live.classList.toggle("paused", paused);
    tick();
  }
  if ("copy" in button.dataset) {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  }
  if ("themeSwitch" in button.dataset) {
    const root = document.documentElement;
    const isDark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    document.dispatchEvent(new Event("themechange"));
  }
});

document.addEventListener("change", (event) => {
  if ("submit" in event.target.dataset) event.target.form.submit();
});

setInterval(tick, 1000);
