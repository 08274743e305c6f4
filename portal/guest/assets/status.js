// The page of one's connection. Without this script it asks again by itself when what it says has changed (Refresh).
// Here: a page that the browser kept in memory asks again when it is shown.
"use strict";

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
