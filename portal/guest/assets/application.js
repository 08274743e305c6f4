// Has the browser keep the page for when there is no connection. Without this script, or where a browser has no worker
// (a captive window), every page is as it is: only that page is missing.
"use strict";

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register(document.currentScript.dataset.worker).catch(() => {});
}
