"use strict"; // What only the pages of the settings need.

// Passkeys: asks the browser, and sends its answer with the form.
document.addEventListener("submit", async (event) => {
  const form = event.target, kind = form.dataset.passkey;
  if (!kind) return;
  event.preventDefault();
  const error = form.querySelector("[data-passkey-error]");
  error.textContent = "";
  try {
    const options = JSON.parse(document.getElementById("passkey-options").textContent);
    const publicKey = kind === "create"
      ? PublicKeyCredential.parseCreationOptionsFromJSON(options.creation_options.publicKey)
      : PublicKeyCredential.parseRequestOptionsFromJSON(options.request_options.publicKey);
    const credential = await navigator.credentials[kind]({ publicKey });
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (fault) {
    error.textContent = fault.name === "NotAllowedError" ? "Nothing was chosen. Try again." : "This browser or this address cannot use passkeys: " + fault.message;
  }
});

// The theme of the profile replaces the one that this browser has stored.
document.addEventListener("submit", (event) => {
  const choice = event.target.querySelector("[data-theme-choice]");
  if (!choice) return;
  if (choice.value) localStorage.setItem("theme", choice.value);
  else localStorage.removeItem("theme");
});
