/* page_graph.js: the areas drawn, with the arrows between them. */

const BOX = 214, LINE = 17, NODES_SHOWN = 8;
const LETTERS = 25, BOLD_LETTERS = 21; // of a line, in the widest of fonts

function shorten(text, most) {
  const letters = [...text];

  return letters.length > most ?
      letters.slice(0, most - 1).join('') + '…' : text;
}

/* Words in lines, at most four. */
function wrap(words) {
  const lines = [''];

  words.forEach((word, i) => {
    const piece = shorten(word, BOLD_LETTERS) +
        (i + 1 < words.length ? ', ' : '');
    const last = lines[lines.length - 1];

    if (last && last.length + piece.length > BOLD_LETTERS + 1) {
      lines.push('');
    }
    lines[lines.length - 1] += piece;
  });
  return lines.length > 4 ?
      [...lines.slice(0, 3), '… ' + words.length + ' in all'] : lines;
}

function boxOf(area) {
  const inside = flows.filter((flow) => kindOf(flow) === 'refused' &&
      areaOf.get(flow.from) === area.id && areaOf.get(flow.to) === area.id);
  const attributes = area.attributes.length ?
      wrap(area.attributes) : ['no protection'];
  const names = area.nodes.slice(0, area.nodes.length > NODES_SHOWN ?
      NODES_SHOWN - 1 : NODES_SHOWN).map((name) => shorten(name, LETTERS));

  if (names.length < area.nodes.length) {
    names.push('and ' + (area.nodes.length - names.length) + ' more');
  }
  const lines = attributes.length + names.length + (inside.length ? 1 : 0);
  return {area, attributes, names, inside: inside.length,
    width: BOX, height: lines * LINE + 24};
}

/* Channels between neighbours, and what is asked for between areas. */
function edgesOf() {
  const edges = model.overview.order.map((step) => ({...step, kind: 'channel'}));
  const found = new Map();

  for (const flow of flows) {
    const kind = kindOf(flow);
    const from = areaOf.get(flow.from), to = areaOf.get(flow.to);
    const key = kind + ' ' + from + ' ' + to;

    if (kind === 'direct' || from === to) {
      continue;
    }
    if (!found.has(key)) {
      found.set(key, {from, to, kind, flows: []});
    }
    found.get(key).flows.push(flow);
  }
  return [...edges, ...found.values()];
}

function drawArea(cell, left, top) {
  const {area} = cell;
  const group = svg('g', {class: 'area', tabindex: 0, role: 'button',
    'data-area': area.id, 'aria-label': 'Area ' + area.id + ', with ' +
        protection(area) + ': ' + area.nodes.join(', ')});
  let y = top + 21;
  const line = (text, className) => {
    group.append(svg('text', {x: left + 11, y, class: className}, text));
    y += LINE;
  };

  group.append(svg('title', {}, area.nodes.join(', ')),
      svg('rect', {x: left, y: top, width: cell.width, height: cell.height,
        rx: 9}));
  cell.attributes.forEach((text) => line(text, 'title'));
  group.append(svg('line', {x1: left + 10, x2: left + cell.width - 10,
    y1: y - 10, y2: y - 10, class: 'rule'}));
  y += 6;
  cell.names.forEach((text) => line(text, ''));
  if (cell.inside) {
    line(SYMBOL.refused + ' ' + cell.inside + ' refused within',
        'refused-inside');
  }
  return group;
}

/* The ends of an edge share the side of an area with others: each gets a place
 * there, in the order of where they come from. */
function spreadEnds(edges) {
  const sides = new Map();
  const add = (edge, end, cell, side, other) => {
    const key = cell.area.id + side;

    if (!sides.has(key)) {
      sides.set(key, {cell, ends: []});
    }
    sides.get(key).ends.push({edge, end, other});
  };

  for (const edge of edges) {
    const {stops} = edge, last = stops.length - 1;
    const same = stops[0].rank === stops[last].rank;

    add(edge, 'start', stops[0], 'right', stops[1].y);
    add(edge, 'finish', stops[last], same ? 'right' : 'left',
        stops[last - 1].y);
  }
  for (const {cell, ends} of sides.values()) {
    ends.sort((a, b) => a.other - b.other);
    ends.forEach(({edge, end}, i) => {
      edge[end] = cell.y + cell.height * ((i + 1) / (ends.length + 1) - .5);
    });
  }
}

/* The points that an edge goes through, from its source. */
function pathOf(edge) {
  const {stops} = edge, last = stops.length - 1;
  const same = stops[0].rank === stops[last].rank;
  const points = [[stops[0].x + stops[0].half, edge.start]];

  for (const stop of stops.slice(1, -1)) {
    points.push([stop.x - stop.half, stop.y], [stop.x + stop.half, stop.y]);
  }
  points.push([stops[last].x + (same ? 1 : -1) * stops[last].half,
    edge.finish]);
  if (edge.turned) {
    points.reverse();
  }
  return {points, same};
}

function curve(points, same) {
  let path = 'M' + points[0].join(' ');

  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1], [bx, by] = points[i];
    const bend = same ? GAP_X * .62 : (bx - ax) / 2;

    path += ` C${ax + bend} ${ay} ${same ? bx + bend : bx - bend} ${by}` +
        ` ${bx} ${by}`;
  }
  return path;
}

/* An edge's label stands on it, next to its source, where ends have room. */
function labelAt(points, same, turned) {
  const [ax, ay] = points[0], by = points[1][1];
  const t = same ? .1 : .2, s = 1 - t;

  return [ax + (turned ? -1 : 1) * 27,
    ay + (by - ay) * (3 * s * t * t + t * t * t)];
}

function drawEdge(edge) {
  const {points, same} = pathOf(edge);
  const path = curve(points, same);
  const [x, y] = points[points.length - 1];
  const back = same || edge.turned ? 1 : -1; // where the arrow comes from
  const group = svg('g', {class: 'edge ' + edge.kind, 'data-from': edge.from,
    'data-to': edge.to});

  group.append(svg('path', {class: 'line', d: path}),
      svg('path', {class: 'arrow',
        d: `M${x} ${y} l${back * 10} -5 v10 z`}));
  if (edge.flows) {
    const text = SYMBOL[edge.kind] + ' ' + edge.flows.length;
    const [lx, ly] = labelAt(points, same, edge.turned);
    const says = plural(edge.flows.length, 'flow', 'flows') + ' ' + edge.kind +
        ', from area ' + edge.from + ' to area ' + edge.to;
    const some = edge.flows.slice(0, 6).map((flow) => flow.from + ' → ' +
        flow.to + ': ' + (chainText(flow) || flow.reason));

    group.setAttribute('tabindex', 0);
    group.setAttribute('role', 'button');
    group.setAttribute('aria-label', says);
    group.append(svg('path', {class: 'catch', d: path}),
        svg('rect', {class: 'pill', x: lx - 18, y: ly - 9, width: 36,
          height: 18, rx: 9}),
        svg('text', {x: lx, y: ly + 4, 'text-anchor': 'middle'}, text),
        svg('title', {}, [says, ...some].join('\n')));
  }
  return group;
}

function drawGraph() {
  const edges = edgesOf();
  const laid = layOut(areas.map(boxOf), edges);
  let width = laid.width;

  if (edges.some((edge) => edge.stops[0].rank ===
      edge.stops[edge.stops.length - 1].rank)) {
    width += GAP_X / 2; // room for arcs on the right
  }
  const image = svg('svg', {width, height: laid.height,
    viewBox: `0 0 ${width} ${laid.height}`});

  image.style.minWidth = Math.round(width * .7) + 'px'; // else it scrolls
  spreadEnds(edges);
  for (const kind of ['channel', 'bridged', 'refused']) {
    image.append(...edges.filter((edge) => edge.kind === kind).map(drawEdge));
  }
  for (const cell of laid.cells) {
    image.append(drawArea(cell, cell.x - cell.width / 2,
        cell.y - cell.height / 2));
  }
  byId('graph').append(image);
}

/* Ticks that show and hide kinds of arrows; they are the legend, too. */
function drawLayers() {
  const kinds = [['channel', 'may move as it is'],
    ['bridged', SYMBOL.bridged + ' bridged: moves through functions'],
    ['refused', SYMBOL.refused + ' refused']];

  for (const [kind, text] of kinds) {
    const tick = el('input');

    tick.type = 'checkbox';
    tick.checked = true;
    tick.addEventListener('change', () => {
      byId('graph').classList.toggle('hide-' + kind, !tick.checked);
    });
    byId('layers').append(el('label', '', tick,
        svg('svg', {width: 40, height: 12, 'aria-hidden': 'true'},
            svg('g', {class: 'edge ' + kind},
                svg('path', {class: 'line', d: 'M0 6 H30'}),
                svg('path', {class: 'arrow', d: 'M40 6 l-10 -5 v10 z'}))),
        text));
  }
}
