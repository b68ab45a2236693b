// Making and changing elements. Text goes in as text, never as HTML; what did not change is left alone, so that a
// refresh moves nothing, and focus and hover texts stay.

/** An element with properties and children; `data` and `aria` are objects of their own, other names are properties. */
export function make(tag, { data = {}, attributes = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets text and hover text where they differ. */
export function put(element, text, title = "") {
  if (element.textContent !== text) element.textContent = text;
  if (element.title !== title) element.title = title;
}

/** Puts these children in this order, keeping those that are there already. */
export function arrange(place, children) {
  children.forEach((child, index) => {
    if (place.children[index] !== child) place.insertBefore(child, place.children[index] ?? null);
  });
  while (place.children.length > children.length) place.lastElementChild.remove();
}

/** Replaces the children only where `key` differs from the last time. */
export function renew(place, key, children) {
  const text = JSON.stringify(key);
  if (place.dataset.shown === text) return;
  place.dataset.shown = text;
  place.replaceChildren(...children());
}

/** A <details> that closes by Escape and by a click elsewhere, as a menu does. */
export function disclosure(summary, className, ...children) {
  const whole = make("details", { className: `pop ${className}` }, summary, make("div", { className: "pop-body" }, ...children));
  whole.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !whole.open) return;
    event.stopPropagation();
    whole.open = false;
    summary.focus();
  });
  return whole;
}

document.addEventListener("pointerdown", (event) => {
  for (const open of document.querySelectorAll("details.pop[open]")) if (!open.contains(event.target)) open.open = false;
});
