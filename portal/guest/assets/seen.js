// Tells once that the message was open for its least time, and whether its picture failed. Pages work without it.
"use strict";

for (const form of document.querySelectorAll("form[data-seen]")) {
  const tell = (what) => {
    const told = new URLSearchParams({ ticket: form.elements.ticket.value, [what]: "1" });
    navigator.sendBeacon(form.dataset.seen, told);
  };
  let left = Number(form.dataset.seconds) * 10;
  const timer = setInterval(() => {
    // Time in a window that nobody sees does not count.
    if (document.visibilityState === "visible") left -= 1;
    if (left > -5) return;
    clearInterval(timer);
    tell("viewed");
  }, 100);
  let blocked = false;
  const failed = () => {
    if (!blocked) tell("blocked");
    blocked = true;
  };
  for (const picture of form.querySelectorAll("img, video, source")) {
    picture.addEventListener("error", failed);
    if (picture.complete && !picture.naturalWidth) failed();
  }
}
