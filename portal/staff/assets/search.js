// Finds while somebody types: what is found so far stands below the field, and how much is said to whoever listens.
// Without this script, and with Enter, the form is sent as it is. Nothing of it goes into addresses or the history.
"use strict";

(() => {
  const PAUSE = 250;
  const form = document.querySelector("form[data-typed]");
  const field = form.querySelector('input:not([type="hidden"])');
  const found = document.getElementById("found");
  const told = document.getElementById("told");
  let last = field.value.trim();
  let timer = 0;
  let asked = 0;
  let waiting = null;

  const ask = async () => {
    const words = field.value.trim();
    if (words === last || words.length === 1) {
      return;
    }
    last = words;
    const number = (asked += 1);
    // Nobody waits for the answer to what stands there no more.
    waiting?.abort();
    waiting = new AbortController();
    const answer = await fetch(form.dataset.typed, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      signal: waiting.signal,
    });
    const text = await answer.text();
    const part = new DOMParser().parseFromString(text, "text/html").querySelector("[data-told]");
    // A sign-in that is over answers with another page; an old answer never takes the place of a newer one.
    if (number === asked && answer.ok && part) {
      found.replaceChildren(part);
      told.textContent = part.dataset.told;
    }
  };

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) {
      // Off line nothing is found: Enter says so.
      timer = setTimeout(() => ask().catch(() => undefined), PAUSE);
    }
  });
})();
