/** What every part of the page's script builds its elements with. */
export const DOM = String.raw`
const $ = (id) => document.getElementById(id);
/** Control characters and those that turn the direction of text: a line of a log must not rearrange what stands around it. */
const visible = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));

/** Texts go in as text: no HTML is ever built from a string. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'onclick') node.addEventListener('click', value);
    else node.setAttribute(name, value);
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(typeof child === 'string' ? visible(child) : child);
  return node;
}
function svg(tag, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
/** New content; whoever was on a button by keyboard stays on the one for the same thing. */
function replace(container, nodes) {
  const focused = container.contains(document.activeElement) ? document.activeElement.dataset.about : undefined;
  container.replaceChildren(...nodes);
  if (focused !== undefined) for (const node of container.querySelectorAll('[data-about]')) if (node.dataset.about === focused) node.focus();
}
const counted = (count, one, many) => count.toLocaleString() + ' ' + (count === 1 ? one : many);
const number = (value, digits) => (value === null || value === undefined ? '–' : value.toFixed(digits).replace(/^-(?=0*\.?0*$)/, ''));
const nanoToDate = (nano) => new Date(Number(BigInt(nano) / 1000000n));
const dateAndTime = (date) => date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
`;
