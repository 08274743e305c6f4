"""Where things stand in a page as laid out: what reaches over an edge, is cut, overlaps or is too small."""

from __future__ import annotations

from playwright.sync_api import Page

# What a thumb touches (44 pixels high); small pieces of text may hold small links (WCAG 2.2, 2.5.8, "inline").
TARGETS = (
    ".go, .tap, .objections button, .brand, .languages a, .languages button:not(.unseen), footer a, summary, "
    "input:not([type=hidden])"
)
# The marks of a map are drawn where the places are; what is for screen readers alone is one pixel large.
APART = ".map, .unseen, .skip"

LOOK = """([targets, apart]) => {
  const faults = [], near = 1.5;
  const name = (one) => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 100);
  const seen = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !one.closest(apart);
  if (document.documentElement.scrollWidth > innerWidth) {
    const over = [...document.querySelectorAll('body *')].map(one => [one, one.getBoundingClientRect()])
      .filter(([, box]) => box.right > innerWidth + near || box.left < -near);
    faults.push(...over.map(([one]) => `reaches over an edge: ${name(one)}`), 'can be scrolled sideways');
  }
  // Each line of text, with the element that it is in.
  // What a part that scrolls by itself holds further down is in nobody's way.
  const isScrolledAway = (parent, box) => {
    for (let up = parent; up && up !== document.body; up = up.parentElement) {
      if (!['auto', 'scroll'].includes(getComputedStyle(up).overflowY)) continue;
      const room = up.getBoundingClientRect();
      if (box.top >= room.bottom - 1 || box.bottom <= room.top + 1) return true;
    }
    return false;
  };
  const lines = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = new Range();
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement;
    if (!text.data.trim() || ['SCRIPT', 'STYLE', 'TEMPLATE'].includes(parent.tagName) || !seen(parent)) continue;
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      if (box.width < 1) continue;
      if (box.right > innerWidth + near || box.left < -near) faults.push(`outside of the window: ${name(parent)}`);
      for (let up = parent; up && up !== document.body; up = up.parentElement) {
        if (!['hidden', 'clip'].includes(getComputedStyle(up).overflowX) || up.tagName === 'svg') continue;
        const room = up.getBoundingClientRect();
        const isWithin = box.right <= room.right + near && box.left >= room.left - near;
        if (!isWithin || box.bottom > room.bottom + 4 || box.top < room.top - 4)
          faults.push(`cut off: ${name(parent)}`);
      }
      if (isScrolledAway(parent, box)) continue;
      // Ascenders and descenders of neighbouring lines may share a pixel; letters may not.
      const inset = box.height / 4;
      lines.push({parent, top: box.top + inset, bottom: box.bottom - inset, left: box.left + 1, right: box.right - 1});
    }
  }
  lines.sort((one, other) => one.top - other.top);
  lines.forEach((one, index) => {
    for (let next = index + 1; next < lines.length && lines[next].top < one.bottom; next++) {
      const other = lines[next];
      if (other.left < one.right && one.left < other.right && other.parent !== one.parent)
        faults.push(`two texts in one place: ${name(one.parent)} and ${name(other.parent)}`);
    }
  });
  for (const field of document.querySelectorAll('input:not([type=hidden]), button')) {
    if (seen(field) && field.tagName === 'BUTTON' && field.scrollWidth > field.clientWidth + near)
      faults.push(`its words do not fit: ${name(field)}`);
  }
  for (const one of document.querySelectorAll('a, button, input:not([type=hidden]), summary')) {
    if (!seen(one)) continue;
    const box = one.getBoundingClientRect(), isInText = getComputedStyle(one).display === 'inline';
    if (!isInText && Math.min(box.width, box.height) < 24) faults.push(`under 24 pixels: ${name(one)}`);
    if (one.matches(targets) && box.height < 44) faults.push(`under 44 pixels: ${name(one)}`);
  }
  // What stands beside the page in a wide window is beside it, and the two fill the window.
  const main = document.querySelector('main').getBoundingClientRect(), side = document.querySelector('.stripe');
  const beside = side.getBoundingClientRect(), isBeside = getComputedStyle(side).position === 'fixed';
  if (isBeside && beside.left < main.right && main.left < beside.right) faults.push('the picture lies over the page');
  const used = main.width + (isBeside ? beside.width : 0);
  if (innerWidth >= 1200 && used < innerWidth * .75) faults.push(`a narrow column: ${used} pixels of ${innerWidth}`);
  return [...new Set(faults)];
}"""


def layout_faults(page: Page) -> list[str]:
    """What is wrong with the layout at the window's present size."""
    found: list[str] = page.evaluate(LOOK, [TARGETS, APART])
    return found
