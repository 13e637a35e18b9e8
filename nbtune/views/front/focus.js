// Whose the keys are, and where the keyboard is while parts of the page are drawn anew. The notebook's "d d" deletes a cell.

import { set } from "./dom.js";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

/**
 * Keys that are pressed in `root` are no shortcuts of the notebook's. JupyterLab looks for this mark from the element that
 * has the focus upwards, and for shortcuts of any such element at that one first, so that it has to have the mark itself.
 */
export function own_keys(root) {
  root.addEventListener("focusin", (event) => set(event.target, { "data-lm-suppress-shortcuts": "true" }));
  return root;
}

/** Makes a change in `root`; whoever was in there with the keyboard stays there, or where that is gone as near as can be. */
export function keeping_focus(root, change) {
  const was = document.activeElement;
  if (!root.contains(was)) return change();
  const around = [];
  for (let part = was; part !== root; ) {
    part = part.parentNode;
    around.push([part, reachable(part).indexOf(was)]);
  }
  const name = name_of(was);
  change();
  const now = document.activeElement;
  if (now !== was && root.contains(now)) return; // the change has moved it
  if (is_reachable(was)) return now === was || was.focus();
  for (const [part, place] of around) {
    const near = part.isConnected ? reachable(part) : [];
    if (!near.length) continue;
    return (near.find((one) => name_of(one) === name) ?? near[Math.min(Math.max(place, 0), near.length - 1)]).focus();
  }
}

function reachable(part) {
  return [...part.querySelectorAll(FOCUSABLE)].filter((one) => one.tabIndex >= 0 && is_reachable(one));
}

function is_reachable(element) {
  return element.isConnected && !element.disabled && element.checkVisibility({ visibilityProperty: true });
}

function name_of(element) {
  return `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`;
}
