// Presses the button of a form that goes on with what was begun, on a page that has just been come to: receipts are
// handed to a printer a few at a time. Without this script the button is pressed by hand.
"use strict";

(() => {
  const form = document.querySelector("form[data-onward]");
  const [navigation] = performance.getEntriesByType("navigation");
  // Who goes back to this page, or loads it again, has not asked for more paper.
  if (form && navigation && navigation.type === "navigate") {
    form.requestSubmit(form.querySelector("button"));
  }
})();
