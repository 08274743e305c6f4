// Checks a campaign while it is typed: what is wrong stands beside its field, and its message on the phone beside the
// form. Without this script the button "Check without saving" does both.
"use strict";

(() => {
  const PAUSE = 400;
  const form = document.getElementById("campaign");
  const phone = document.querySelector("iframe.phone");
  // What nobody has come to yet is not called missing.
  const touched = new Set();
  let timer = 0;
  let asked = 0;

  const tell = (mark, faults) => {
    const name = mark.id.slice(0, -"-wrong".length);
    const fault = faults.find((one) => one.field === name);
    const text = fault && (fault.law || touched.has(name)) ? fault.text : "";
    const field = document.getElementById(name);
    if (mark.textContent !== text) {
      mark.textContent = text;
    }
    if (field && text) {
      field.setAttribute("aria-invalid", "true");
    } else if (field) {
      field.removeAttribute("aria-invalid");
    }
  };

  const check = async () => {
    const number = (asked += 1);
    const answer = await fetch(form.dataset.check, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    // A sign-in that is over answers with a page.
    const type = answer.headers.get("Content-Type") || "";
    if (number !== asked || !answer.ok || !type.startsWith("application/json")) {
      return;
    }
    const said = await answer.json();
    form.querySelectorAll(".wrong").forEach((mark) => tell(mark, said.faults));
    if (phone && said.phone && phone.srcdoc !== said.phone) {
      phone.srcdoc = said.phone;
    }
  };

  form.addEventListener("input", (event) => {
    touched.add(event.target.name);
    clearTimeout(timer);
    // Off line nothing is told: the form is checked again when it is sent.
    timer = setTimeout(() => check().catch(() => undefined), PAUSE);
  });
})();
