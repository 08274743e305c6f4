// Says in the buttons below a list how many of its rows are ticked, and ticks them all. Without this script the buttons
// say "the ticked ones", and the next page says how many.
"use strict";

(() => {
  const form = document.querySelector("form.ticks");
  const all = document.getElementById("tick-all");
  const boxes = [...form.querySelectorAll('input[type="checkbox"][name]')];
  const buttons = [...form.querySelectorAll("button[data-many]")];
  // What they say of none.
  const texts = new Map(buttons.map((button) => [button, button.textContent]));
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    buttons.forEach((button) => {
      const text = count === 0 ? texts.get(button) : count === 1 ? button.dataset.one : button.dataset.many;
      button.textContent = text.replace("#", count);
      button.disabled = count === 0;
    });
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
  };
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => {
      box.checked = all.checked;
    });
    tell();
  });
  form.addEventListener("change", tell);
  // A browser that comes back to the page ticks what was ticked.
  window.addEventListener("pageshow", tell);
  tell();
})();
