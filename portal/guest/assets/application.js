// Has the browser keep the page for when there is no connection, and offers what this browser is able to do: to put the
// page on the home screen, to write a mail, to download. A captive window has no worker: there nothing of it is offered.
// Without this script every page is as it is.
"use strict";

(() => {
  const isBrowser = "serviceWorker" in navigator, install = document.getElementById("install");
  const isInstalled = navigator.standalone === true || matchMedia("(display-mode: standalone)").matches;

  // Apple's browsers have no button for it: one does it by hand.
  if (install && isBrowser && navigator.standalone === false) install.textContent = install.dataset.share;
  if (install && isInstalled) install.hidden = true;
  if (!isBrowser) return;

  navigator.serviceWorker.register(document.currentScript.dataset.worker).catch(() => {});
  for (const place of document.querySelectorAll("[data-browser]")) place.hidden = false;
  for (const text of document.querySelectorAll("[data-mail]")) {
    const link = document.createElement("a");
    link.href = text.dataset.mail;
    link.textContent = text.textContent;
    text.replaceWith(link);
  }

  // Said by a browser that can, and has not done it yet (W3C, Manifest Incubations, "beforeinstallprompt").
  addEventListener("beforeinstallprompt", (event) => {
    if (!install) return;
    event.preventDefault();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "go calm";
    button.textContent = install.dataset.install;
    button.addEventListener("click", () => event.prompt());
    install.replaceChildren(button);
  });
  addEventListener("appinstalled", () => install && (install.hidden = true));
})();
