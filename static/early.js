// What is clicked or opened before the other scripts run. They wait for the last panel; then it is said to them again.
if (document.readyState === "loading") {
  let clicked = null;
  const remember = ({ target }) => (clicked = target.closest?.("button[type=button]:not([popovertarget])") ?? clicked);
  document.addEventListener("click", remember);
  document.addEventListener("DOMContentLoaded", () => {
    document.removeEventListener("click", remember);
    // htmx begins to listen in this same event.
    setTimeout(() => {
      document.querySelectorAll(".menu[open]").forEach((menu) => menu.dispatchEvent(new Event("toggle")));
      clicked?.click();
    });
  });
}
