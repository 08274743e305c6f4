// Fills in a form with a passkey: the browser asks for a finger, a face or a PIN and signs what the form asks.
// Without this script, or in a browser that knows no passkeys, the form stays hidden and the password does it.
"use strict";

(() => {
  const octets = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const words = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (octet) => String.fromCharCode(octet)).join(""))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: octets(one.id) }));

  const ask = async (form) => {
    const options = JSON.parse(form.dataset.options);
    options.challenge = octets(options.challenge);
    if (form.dataset.call === "create") {
      options.user.id = octets(options.user.id);
      options.excludeCredentials = named(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = named(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  };

  const written = (made) => {
    const response = { clientDataJSON: words(made.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[part]) {
        response[part] = words(made.response[part]);
      }
    }
    return JSON.stringify({ id: made.id, rawId: words(made.rawId), type: made.type, response });
  };

  const prepare = (form) => {
    const said = form.querySelector(".wrong");
    let isAsking = false;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (isAsking) {
        return;
      }
      isAsking = true;
      said.textContent = "";
      ask(form)
        .then((made) => {
          form.elements.passkey_answer.value = written(made);
          form.submit();
        })
        .catch(() => {
          said.textContent = said.dataset.text;
          isAsking = false;
        });
    });
  };

  if (window.PublicKeyCredential) {
    document.querySelectorAll("form.passkey").forEach(prepare);
    document.querySelectorAll(".without").forEach((text) => {
      text.hidden = true;
    });
  }
})();
