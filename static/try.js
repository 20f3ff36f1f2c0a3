// Sends the call that the form describes, and shows the answer.

const form = document.querySelector(".try");
const [status, answer] = form.querySelectorAll("[role=status], pre");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  let { method, path } = form.dataset;
  const headers = {};
  const query = new URLSearchParams(form.elements.others?.value);
  for (const { name, value, dataset } of form.elements) {
    if (dataset.place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (dataset.place === "query" && value) query.append(name, value);
    else if (dataset.header && value) headers[dataset.header] = dataset.prefix + value;
  }
  if (query.size) path += `?${query}`;
  let text = "";
  try {
    const response = await fetch(path, { method, headers, body: form.elements.body?.value });
    status.textContent = `${response.status} ${response.statusText}: ${method} ${path}`;
    text = await response.text();
    text = JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    if (error instanceof TypeError) status.textContent = "The server cannot be reached.";
  }
  answer.textContent = text;
});
