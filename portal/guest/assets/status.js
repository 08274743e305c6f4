// The page of one's connection, kept true while it is open. Without this script the page is whole: it asks again by
// itself when what it says has changed (Refresh). With it: the time left counts down by the server's clock; the page
// asks on return to it, once a minute and at the end, and shows what the server says, or that it does not answer.
"use strict";

(() => {
  const MINUTE = 60000, PATIENCE = 8000, OLD = 75000;
  const said = document.getElementById("said");
  let stay = document.getElementById("stay"), shown = stay.dataset.state, isWished = false;
  let answeredAt = Date.now(), changesAt = Infinity, endsAt = 0, share = 0, whole = 1;
  let timer = 0, isAsking = false, isDue = false, isAway = false, title = document.title;

  // Date.now() goes on while a device sleeps; only differences of it are used, so that a wrong clock does no harm.
  const learn = (left, changes) => {
    answeredAt = Date.now();
    endsAt = answeredAt + left * 1000;
    changesAt = answeredAt + changes * 1000;
  };

  const words = (left) => {
    const text = stay.dataset, seconds = Math.max(0, Math.ceil(left)), minutes = Math.floor(seconds / 60);
    const put = (form, h, m, s) => form.replace("{h}", h).replace("{m}", m).replace("{s}", s);
    const two = (number) => String(number).padStart(2, "0");
    if (minutes >= 60 && minutes % 60 === 0) return put(text.whole, minutes / 60, "", "");
    if (minutes >= 60) return put(text.hours, Math.floor(minutes / 60), two(minutes % 60), "");
    if (!("ending" in text)) return put(text.minutes, "", minutes, "");
    return put(minutes ? text.seconds : text.last, "", minutes, minutes ? two(seconds % 60) : seconds);
  };

  const write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const count = () => {
    if (shown !== "online") return;
    const left = (endsAt - Date.now()) / 1000, text = words(left);
    write(document.getElementById("left"), stay.dataset.phrase.replace("{left}", text));
    for (const ring of stay.querySelectorAll(".left [stroke-dasharray]")) {
      ring.setAttribute("stroke-dasharray", `${Math.max(0, (share * left) / whole)} 100`);
    }
    if (stay.dataset.title) title = stay.dataset.title.replace("{left}", text);
    if (document.title !== title) document.title = title;
  };

  // Another state: its own words stand in the place of the page, once; a screen reader is told them, once.
  const show = (state) => {
    if (shown === state) return;
    shown = state;
    const other = document.getElementById(state), before = document.getElementById("instead");
    if (before) before.remove();
    stay.hidden = Boolean(other);
    if (!other) {
      document.title = title;
      write(said, stay.dataset.said || "");
      return;
    }
    const instead = document.createElement("div");
    instead.id = "instead";
    instead.append(other.content.cloneNode(true));
    for (const link of instead.querySelectorAll("a")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        ask();
      });
    }
    stay.before(instead);
    const heading = instead.querySelector("h1").textContent;
    document.title = heading;
    if (state !== "asking") write(said, heading);
  };

  const begin = () => {
    const text = stay.dataset;
    share = Number(text.share || 0);
    whole = Number(text.left || 1) || 1;
    learn(Number(text.left || 0), "changes" in text ? Number(text.changes) : Infinity);
    const icon = document.querySelector("link[rel=icon]");
    if (icon && icon.getAttribute("href") !== text.icon) icon.setAttribute("href", text.icon);
    offer();
  };

  const fetched = async (address) => {
    const stop = new AbortController(), alarm = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const answer = await fetch(address, { cache: "no-store", signal: stop.signal });
      if (!answer.ok) throw new Error(answer.status);
      return { text: await answer.text(), url: answer.url };
    } finally {
      clearTimeout(alarm);
    }
  };

  // The page as it would be if it were loaded now, in the place of the one that is here.
  const renew = async () => {
    const { text, url } = await fetched(stay.dataset.page);
    const page = new DOMParser().parseFromString(text, "text/html"), next = page.getElementById("stay");
    if (!next) return location.replace(url);
    const wasEnding = "ending" in stay.dataset, hadFocus = stay.contains(document.activeElement);
    stay.replaceWith(next);
    stay = next;
    title = page.title;
    begin();
    shown = "";
    show(stay.dataset.state);
    if (hadFocus) {
      const heading = stay.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    if ("ending" in stay.dataset && !wasEnding) notify(stay.dataset.said);
  };

  const ask = async () => {
    if (isAsking) {
      // What happened meanwhile, the answer that is on its way may not know.
      isDue = true;
      return;
    }
    isAsking = true;
    isDue = false;
    try {
      const answer = JSON.parse((await fetched(stay.dataset.ask)).text);
      // What was answered before the page was put away is old when it is shown again.
      if (isAway) throw new Error("away");
      if (answer.state === "unknown") throw new Error("unknown");
      if (answer.key !== stay.dataset.key) await renew();
      else {
        if (answer.state === "online") learn(answer.seconds_left, answer.changes_in);
        answeredAt = Date.now();
        show(answer.state);
      }
      count();
    } catch (error) {
      answeredAt = Date.now();
      show(isAway ? "asking" : "unreachable");
    }
    isAsking = false;
    plan();
    if (isDue) ask();
  };

  const plan = () => {
    clearTimeout(timer);
    const now = Date.now(), asks = shown === "unreachable" ? 5000 : MINUTE;
    // A moment after the change: then the server says it.
    const next = Math.min(answeredAt + asks, Math.max(now + 500, changesAt + 300));
    const tick = (endsAt - now > 0 ? (endsAt - now) % 1000 : 1000) + 20;
    timer = setTimeout(() => (Date.now() >= next ? awake() : (count(), plan())), Math.min(Math.max(next - now, 20), tick));
  };

  // After a sleep, or from a browser's memory, nothing is claimed before the server has answered.
  const awake = () => {
    if (Date.now() - answeredAt > OLD && shown !== "unreachable") show("asking");
    ask();
  };

  const canNotify = () => {
    if (!("Notification" in window) || Notification.permission === "denied") return false;
    if (Notification.permission === "granted") return true;
    try {
      // Where pages may not, but only their worker may, this throws; without permission it shows nothing.
      new Notification("");
      return true;
    } catch (error) {
      return Boolean(navigator.serviceWorker && navigator.serviceWorker.controller);
    }
  };

  // The button that asks for a notification: nothing is asked of the browser before it was pressed.
  const offer = () => {
    const place = document.getElementById("notify");
    if (!place || !canNotify()) return;
    place.hidden = false;
    if (isWished) place.textContent = place.dataset.on;
    else place.querySelector("button").addEventListener("click", async () => {
      isWished = (await Notification.requestPermission()) === "granted";
      place.textContent = isWished ? place.dataset.on : place.dataset.off;
      write(said, place.textContent);
    });
  };

  const notify = async (body) => {
    if (!isWished) return;
    const options = { body, tag: "arobase-ending", lang: document.documentElement.lang, icon: stay.dataset.icon };
    try {
      new Notification(document.title, options);
    } catch (error) {
      const worker = await navigator.serviceWorker.ready;
      worker.showNotification(document.title, options);
    }
  };

  addEventListener("pagehide", () => {
    isAway = true;
    show("asking");
  });
  addEventListener("pageshow", (event) => {
    isAway = false;
    if (event.persisted) ask();
  });
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && awake());
  addEventListener("online", ask);
  addEventListener("offline", ask);
  const start = () => {
    // The browser need not load the page anew (Refresh): this script asks.
    stop();
    const how = performance.getEntriesByType("navigation")[0];
    if (how && how.type === "back_forward") show("asking");
    ask();
  };
  begin();
  if (document.readyState === "complete") start();
  else addEventListener("load", () => setTimeout(start));
})();
