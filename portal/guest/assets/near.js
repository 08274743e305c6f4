// The list of hotspots by distance. The position is asked for by a tap alone, stays on the device and is sent nowhere.
// Without this script the list stands by kind and name.
"use strict";

const near = document.getElementById("near");
const says = document.getElementById("near-says");

function metres(from, to) {
  const rad = Math.PI / 180;
  const across = (to[1] - from[1]) * rad * Math.cos(((from[0] + to[0]) / 2) * rad);
  return 6371000 * Math.hypot(across, (to[0] - from[0]) * rad);
}

function words(distance) {
  const far = distance >= 1000;
  const value = far ? distance / 1000 : Math.max(10, Math.round(distance / 10) * 10);
  return new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit: far ? "kilometer" : "meter",
    maximumFractionDigits: far && distance < 10000 ? 1 : 0,
  }).format(value);
}

function sort(here) {
  const places = [...document.querySelectorAll("[data-at]")].map((item) => {
    return [metres(here, item.dataset.at.split(",").map(Number)), item];
  });
  places.sort((one, other) => one[0] - other[0]);
  for (const group of document.querySelectorAll(".list > section")) group.hidden = group.id !== "nearest";
  const list = document.querySelector("#nearest ol");
  for (const [distance, item] of places) {
    let far = item.querySelector(".far");
    if (!far) {
      far = document.createElement("p");
      far.className = "far";
      item.append(far);
    }
    far.textContent = words(distance);
    list.append(item);
  }
  says.textContent = near.dataset.sorted;
}

near.hidden = !("geolocation" in navigator);
near.querySelector("button").addEventListener("click", () => {
  says.textContent = near.dataset.asking;
  navigator.geolocation.getCurrentPosition(
    (found) => sort([found.coords.latitude, found.coords.longitude]),
    (error) => {
      says.textContent = error.code === 1 ? near.dataset.refused : near.dataset.unavailable;
    },
    { timeout: 15000, maximumAge: 60000 },
  );
});
