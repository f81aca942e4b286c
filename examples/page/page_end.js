/* page_end.js: the page is put together. */

function drawHead() {
  const count = (kind) => flows.filter((f) => kindOf(f) === kind).length;
  const tiles = [['', nodes.length, 'nodes'], ['', areas.length, 'areas'],
    ['', applications.length, 'applications'],
    ['direct', count('direct'), SYMBOL.direct + ' flows direct'],
    ['bridged', count('bridged'), SYMBOL.bridged + ' flows bridged'],
    ['refused', count('refused'), SYMBOL.refused + ' flows refused'],
    ['', Number(model.overview.unfeasibility_ratio.toPrecision(3)),
      'unfeasibility ratio']];

  document.title = 'Which data may move: ' + model.name;
  byId('subject').append('Model ', nameOf(model.name));
  byId('verdict-sentence').append(!flows.length ? '' :
      'The applications ask for ' + plural(flows.length, 'flow', 'flows') +
      '. As they are: ' + count('direct') + '. Through functions that add' +
      ' what is missing: ' + count('bridged') + '. Refused: ' +
      count('refused') + '.');
  for (const [kind, number, text] of tiles) {
    byId('tiles').append(el('li', kind, el('b', '',
        number.toLocaleString('en')), el('span', '', text)));
  }
  byId('foot').append('Model ' + model.overview.model + ' (SHA-256 of its' +
      ' canonical document), decided by libepi ' + model.version + '.');
}

/* Arrows of other areas than the chosen ones step back. */
function markGraph() {
  const areaIn = (choice) => !choice ? null : choice.startsWith('area:') ?
      Number(choice.slice(5)) : areaOf.get(choice.slice(5));
  const from = areaIn(chosen.from), to = areaIn(chosen.to);
  const meets = (a, b) => (from === null || from === a) &&
      (to === null || to === b);

  for (const edge of byId('graph').querySelectorAll('.edge')) {
    const a = Number(edge.dataset.from), b = Number(edge.dataset.to);

    edge.classList.toggle('dim',
        !(meets(a, b) || (chosen.both && meets(b, a))));
  }
  for (const area of byId('graph').querySelectorAll('.area')) {
    const id = Number(area.dataset.area);

    area.classList.toggle('chosen', id === from || id === to);
  }
}

function showAll() {
  const some = flows.filter(isShown);

  byId('shown').textContent = some.length === flows.length ?
      plural(flows.length, 'flow', 'flows') :
      some.length + ' of ' + plural(flows.length, 'flow', 'flows');
  showChoice();
  markGraph();
  drawMatrix(some);
  drawList(some);
}

function choose(changes) {
  Object.assign(chosen, changes);
  rowsShown = ROWS_MOST;
  writeAddress();
  showAll();
}

/* Choosing an area again lets go of it. */
function chooseInGraph(target) {
  const area = target.closest('.area'), edge = target.closest('.edge');

  if (area) {
    const id = 'area:' + area.dataset.area;
    const same = chosen.from === id && chosen.both;

    choose({from: same ? '' : id, to: '', both: same ? '' : '1'});
  } else if (edge && !edge.classList.contains('channel')) {
    choose({from: 'area:' + edge.dataset.from, to: 'area:' + edge.dataset.to,
      both: ''});
  }
}

function listen() {
  const graph = byId('graph');

  graph.addEventListener('click', ({target}) => chooseInGraph(target));
  graph.addEventListener('keydown', (event) => {
    if ((event.key === 'Enter' || event.key === ' ') &&
        event.target !== graph) {
      event.preventDefault();
      chooseInGraph(event.target);
    }
  });
  window.addEventListener('hashchange', () => {
    if (location.hash.includes('=')) {
      readAddress();
      showAll();
    }
  });
  window.addEventListener('beforeprint', () => {
    rowsShown = Infinity;
    drawList(flows.filter(isShown));
  });
}

readAddress();
drawHead();
drawFilter();
drawLayers();
drawGraph();
drawApplications();
showAll();
listen();
