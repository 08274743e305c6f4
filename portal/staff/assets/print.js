// Opens the print dialog over a sheet that has just been come to, once all its pages are there. The button opens it
// again; without this script another one opens the sheet as PDF.
"use strict";

(() => {
  const button = document.getElementById("print");
  button.hidden = false;
  document.getElementById("as-pdf").classList.replace("go", "calm");
  button.addEventListener("click", () => window.print());
  window.addEventListener("load", () => {
    const [navigation] = performance.getEntriesByType("navigation");
    button.focus();
    // Who goes back to this page, or loads it again, has not asked for another sheet.
    if (navigation && navigation.type === "navigate") {
      window.print();
    }
  });
})();
