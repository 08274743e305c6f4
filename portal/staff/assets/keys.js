// Keys for whoever likes them: "/" to the search, "g" and a letter to a page of the menu, "?" to the list of them.
// Each stands for a link or a field that is there anyway. The page of help switches them off (WCAG 2.2, 2.1.4).
"use strict";

(() => {
  const NAME = "arobase-keys";
  const PAUSE = 1500;
  const menu = document.querySelector("nav[data-keys]");
  const search = document.getElementById("search");
  const keys = JSON.parse(menu.dataset.keys);
  let since = -Infinity;

  const areOff = () => {
    try {
      return localStorage.getItem(NAME) === "off";
    } catch (_) {
      return false;
    }
  };

  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target) || areOff()) {
      return;
    }
    const isSecond = event.timeStamp - since < PAUSE;
    since = -Infinity;
    if (isSecond && Object.hasOwn(keys, event.key)) {
      location.assign(keys[event.key]);
    } else if (event.key === "g") {
      since = event.timeStamp;
    } else if (event.key === "?") {
      location.assign(keys["?"]);
    } else if (event.key === "/") {
      search.focus();
    } else {
      return;
    }
    event.preventDefault();
  });

  const control = document.getElementById("keys");
  if (control === null) {
    return;
  }
  const tell = () => {
    control.textContent = areOff() ? control.dataset.on : control.dataset.off;
  };
  control.addEventListener("click", () => {
    try {
      localStorage.setItem(NAME, areOff() ? "on" : "off");
    } catch (_) {
      return;
    }
    tell();
  });
  tell();
  control.hidden = false;
})();
