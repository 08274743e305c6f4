// Keeps one page on the device for when there is no connection: that it is so, and where the wifi is. Nothing else is
// kept: no page of a connection, nothing of a person. What is asked for is always asked of the network first.
"use strict";

const KEPT = "arobase-{version}", AWAY = "{away}";

addEventListener("install", (event) => {
  const page = new Request(AWAY, { cache: "no-store", credentials: "omit" });
  event.waitUntil(caches.open(KEPT).then((kept) => kept.add(page)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const drop = (names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(drop).then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async (error) => (await caches.match(AWAY)) || Promise.reject(error)));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const open = ([page]) => (page ? page.focus() : clients.openWindow("/status"));
  event.waitUntil(clients.matchAll({ type: "window" }).then(open));
});
