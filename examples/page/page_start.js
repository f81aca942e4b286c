/* page_start.js: what the page's parts share. Everything from the document gets
 * into the page as text, never as markup, and is kept in Maps, because a node
 * may be called "__proto__". */
'use strict';

const model = JSON.parse(document.getElementById('model').textContent);
const areas = model.overview.areas;
const flows = model.overview.flows;
const applications = Object.entries(model.overview.applications);
const nodes = Object.entries(model.document.nodes); // name, what it is
const areaOf = new Map();

for (const area of areas) {
  for (const name of area.nodes) {
    areaOf.set(name, area.id);
  }
}

const SYMBOL = {direct: '●', bridged: '◆', refused: '✕'};

/* The refusals are one kind: they differ in why. */
function kindOf(flow) {
  return flow.verdict === 'direct' || flow.verdict === 'bridged' ?
      flow.verdict : 'refused';
}

/* An element with a class, and children that are elements or text. */
function el(tag, className, ...children) {
  const made = document.createElement(tag);

  if (className) {
    made.className = className;
  }
  made.append(...children);
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);

  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function nameOf(text) {
  return el('bdi', 'name', text);
}

function byId(id) {
  return document.getElementById(id);
}

function plural(count, one, many) {
  return count.toLocaleString('en') + ' ' + (count === 1 ? one : many);
}

function milliseconds(cost) {
  return Number(cost.toPrecision(4)) + ' ms';
}

function protection(area) {
  return area.attributes.join(', ') || 'no protection';
}

function chainText(flow) {
  return flow.chain.filter((hop) => hop.functions.length).map(
      (hop) => (hop.proxy || 'the proxy') + ': ' +
          hop.functions.join(', then ')).join('; then ');
}
