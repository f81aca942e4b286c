/* page_flows.js: the flows that are chosen, as a matrix and as a list. */

const MATRIX_MOST = 80, ROWS_MOST = 500;
let rowsShown = ROWS_MOST;

const ORDER = ['refused', 'bridged', 'direct'];

/* Nodes of the chosen flows, in the order of the document. */
function endsOf(some) {
  const from = new Set(some.map((flow) => flow.from));
  const to = new Set(some.map((flow) => flow.to));
  const names = nodes.map(([name]) => name);

  return [names.filter((name) => from.has(name)),
    names.filter((name) => to.has(name))];
}

/* Flows by source and destination. */
function byPair(some) {
  const rows = new Map();

  for (const flow of some) {
    if (!rows.has(flow.from)) {
      rows.set(flow.from, new Map());
    }
    const row = rows.get(flow.from);

    row.set(flow.to, [...(row.get(flow.to) || []), flow]);
  }
  return rows;
}

/* What is refused must not hide behind what is allowed. */
function cellOf(found, from, to) {
  const kind = ORDER.find((kind) => found.some((f) => kindOf(f) === kind));
  const kinds = ORDER.filter((kind) => found.some((f) => kindOf(f) === kind));
  const button = el('button', kind, kinds.map((k) => SYMBOL[k]).join(''));

  button.type = 'button';
  button.tabIndex = -1;
  button.title = from + ' → ' + to + '\n' + found.map((flow) =>
      flow.application + (flow.port === null ? '' : ', port ' + flow.port) +
      ': ' + flow.verdict + '. ' + (chainText(flow) || flow.reason)).join('\n');
  button.setAttribute('aria-label', 'from ' + from + ' to ' + to + ': ' +
      found.map((flow) => flow.verdict).join(', '));
  button.addEventListener('click', () => {
    choose({from: 'node:' + from, to: 'node:' + to, both: ''});
    byId('list').scrollIntoView({block: 'nearest'});
    byId('filter-from').focus({preventScroll: true});
  });
  return el('td', '', button);
}

function drawMatrix(some) {
  const [from, to] = endsOf(some);
  const place = byId('matrix');

  place.replaceChildren();
  if (!some.length) {
    return;
  }
  if (from.length > MATRIX_MOST || to.length > MATRIX_MOST) {
    place.append(el('p', 'quiet', 'The matrix is drawn for at most ' +
        MATRIX_MOST + ' nodes: choose an area, a node or an application.'));
    return;
  }
  const pairs = byPair(some);
  const head = el('tr', '', el('td', 'corner', 'from ↓ to →'));
  const body = el('tbody');

  for (const name of to) {
    const cell = el('th', '', nameOf(name));

    cell.scope = 'col';
    cell.title = name;
    head.append(cell);
  }
  for (const name of from) {
    const title = el('th', '', nameOf(name));
    const row = el('tr', '', title);

    title.scope = 'row';
    title.title = name;
    for (const other of to) {
      const found = pairs.get(name).get(other);

      row.append(found ? cellOf(found, name, other) :
          el('td', name === other ? 'self' : 'none'));
    }
    body.append(row);
  }
  const table = el('table', '',
      el('thead', '', head), body);

  place.append(el('p', 'quiet', 'Who sends is on the left, who receives at' +
      ' the top. ' + ORDER.map((kind) => SYMBOL[kind] + ' ' + kind).join(', ') +
      '. The arrow keys move, Enter chooses.'), table);
  moveByKeys(table);
}

/* One cell can be reached by Tab; the arrow keys lead to the others. */
function moveByKeys(table) {
  const buttons = [...table.querySelectorAll('button')];
  const step = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0],
    ArrowUp: [-1, 0]};

  buttons[0].tabIndex = 0;
  table.addEventListener('keydown', (event) => {
    const way = step[event.key];
    const cell = event.target.closest('td');

    if (!way || !cell) {
      return;
    }
    event.preventDefault();
    let row = cell.parentNode.rowIndex, column = cell.cellIndex, found;
    do {
      row += way[0];
      column += way[1];
      const next = table.rows[row] && table.rows[row].cells[column];

      if (!next) {
        return;
      }
      found = next.querySelector('button');
    } while (!found);
    event.target.tabIndex = -1;
    found.tabIndex = 0;
    found.focus();
  });
}

function drawChain(flow) {
  const list = el('ul', 'chain');

  for (const hop of flow.chain) {
    const item = el('li', '', nameOf(hop.proxy || 'the proxy'));

    hop.functions.forEach((name, i) => {
      const box = nameOf(name);

      box.classList.add('function');
      item.append(i ? ' → ' : ': ', box);
    });
    list.append(item);
  }
  return flow.chain.length ? list : '';
}

function drawWhy(flow) {
  const why = el('td', '', el('div', 'why', nameOf(flow.reason)));
  const add = (text, names) => names.length &&
      why.append(el('div', 'quiet', text, nameOf(names.join(', '))));

  add('missing: ', flow.missing);
  add('rule: ', [flow.rule]);
  add('also required by: ', flow.requires);
  if (flow.verdict === 'bridged') {
    add('costs: ', [milliseconds(flow.cost) +
        (flow.optimal ? '' : '; a cheaper chain may exist')]);
  }
  return why;
}

function drawRow(flow) {
  const kind = kindOf(flow);

  return el('tr', kind,
      el('td', '', el('span', 'badge', SYMBOL[kind] + ' ' + flow.verdict)),
      el('td', '', nameOf(flow.from), ' → ', nameOf(flow.to)),
      el('td', '', flow.port === null ? 'any' : String(flow.port)),
      el('td', '', nameOf(flow.application)),
      el('td', '', drawChain(flow)), drawWhy(flow));
}

function drawList(some) {
  const sorted = ORDER.flatMap(
      (kind) => some.filter((flow) => kindOf(flow) === kind));
  const head = el('tr'), more = el('button', 'plain');

  for (const text of ['Verdict', 'From → to', 'Port', 'Application',
    'Through', 'Why']) {
    const cell = el('th', '', text);

    cell.scope = 'col';
    head.append(cell);
  }
  byId('list').replaceChildren();
  if (!some.length) {
    return;
  }
  byId('list').append(el('table', '', el('thead', '', head),
      el('tbody', '', ...sorted.slice(0, rowsShown).map(drawRow))));
  if (sorted.length > rowsShown) {
    more.type = 'button';
    more.append('Show the other ' + (sorted.length - rowsShown));
    more.addEventListener('click', () => {
      rowsShown = Infinity;
      drawList(some);
    });
    byId('list').append(more);
  }
}

function drawApplications() {
  const head = el('tr'), body = el('tbody');

  ['Application', 'Purpose', 'Dataset', 'Flows', 'Direct', 'Bridged', 'Refused',
    'Ratio of unbridgeable pairs', 'Cost'].forEach((text, i) => {
    const cell = el('th', i < 3 ? '' : 'number', text);

    cell.scope = 'col';
    head.append(cell);
  });
  for (const [name, numbers] of applications) {
    const own = flows.filter((flow) => flow.application === name);
    const [, about] = Object.entries(model.document.applications).find(
        ([key]) => key === name);
    const count = (kind) => own.filter((f) => kindOf(f) === kind).length;
    const values = [own.length, count('direct'), count('bridged'),
      count('refused'), Number(numbers.unfeasibility_ratio.toPrecision(3)),
      milliseconds(numbers.cost)];

    body.append(el('tr', '', el('td', '', nameOf(name)),
        el('td', '', nameOf(about.purpose || '')),
        el('td', '', nameOf(about.dataset || '')),
        ...values.map((value) => el('td', 'number', String(value)))));
  }
  byId('applications').append(applications.length ?
      el('table', '', el('thead', '', head), body) :
      el('p', 'quiet', 'The model has no applications, and so no flows.'));
}
