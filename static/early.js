// Repeats clicks that came before the other scripts ran: these wait for the last panel.
const early = [];
const remember = ({ target }) => {
  const button = target.closest?.("button[type=button]:not([popovertarget])");
  if (button) early.push(button);
};
document.addEventListener("click", remember);
document.addEventListener("DOMContentLoaded", () => {
  document.removeEventListener("click", remember);
  // htmx begins to listen in this same event.
  setTimeout(() => {
    document.querySelectorAll(".menu[open]").forEach((menu) => menu.dispatchEvent(new Event("toggle")));
    early.forEach((button) => button.click());
  });
});
