'use strict';
// Everything that peers and models say goes into the page as text, by
// textContent: none of it can become markup.
const EVERY_MS = 1000, MOST_TEXT = 300;
const byId = id => document.getElementById(id);

function make(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) {
    const shown = String(text);
    made.textContent =
        shown.length > MOST_TEXT ? shown.slice(0, MOST_TEXT) + '\u2026' : shown;
  }
  if (kind) made.className = kind;
  return made;
}

// Names may hold marks that turn what stands behind them around.
const name = text => make('bdi', text);

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit++;
  }
  return (unit && count < 100 ? count.toFixed(1) : Math.round(count)) + ' ' +
      units[unit];
}

function age(seconds) {
  if (seconds < 60) return Math.floor(seconds) + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
  if (seconds < 172800) return Math.floor(seconds / 3600) + ' h';
  return Math.floor(seconds / 86400) + ' days';
}

const number = count => Number(count).toLocaleString('en-US');

// ---- totals ----

let before = null; // the last status, for rates

function rate(now, key) {
  if (!before || now.uptime_ms <= before.uptime_ms) return '';
  const seconds = (now.uptime_ms - before.uptime_ms) / 1000;
  return bytes(Math.max(0, now.bytes[key] - before.bytes[key]) / seconds) +
      '/s now';
}

function tile(value, label, more) {
  const made = make('li');
  made.append(make('b', value), make('span', more ? label + ', ' + more : label));
  return made;
}

function showState(status) {
  byId('state').textContent = status.ready ? 'ready'
      : status.draining ? 'draining' : 'not ready';
  byId('state').className = 'pill ' + (status.ready ? 'good' : 'bad');
  byId('subject').textContent = 'libepi ' + status.version + ', up for ' +
      age(status.uptime_ms / 1000) + ', ' +
      (status.model ? 'model ' + status.model.slice(0, 12) : 'without a model');
}

function showTotals(status) {
  const verdicts = status.decisions;
  byId('tiles').replaceChildren(
      tile(number(status.open), 'flows open', 'of ' + number(status.limit)),
      tile(number(status.allowed), 'allowed'),
      tile(number(verdicts.direct), 'direct'),
      tile(number(verdicts.bridged), 'bridged'),
      tile(number(status.refused), 'refused'),
      tile(number(status.failed), 'failed'),
      tile(bytes(status.bytes.out), 'out', rate(status, 'out')),
      tile(bytes(status.bytes.back), 'back', rate(status, 'back')));
  byId('foot').textContent = status.workers.length + ' workers with ' +
      status.workers.map(number).join(', ') + ' flows';
}

function showRefusals(refusals) {
  byId('refusals').replaceChildren(...refusals.map(one => {
    const made = make('li');
    made.append(
        make('span', one.what, 'verdict refused'), ' ',
        name(one.source), ' \u2192 ', name(one.dest || 'nowhere yet'), ': ',
        name(one.why), ' ',
        make('span', '(flow ' + one.flow + ', ' + one.time + ')', 'quiet'));
    return made;
  }));
  if (!refusals.length) byId('refusals').append(make('li', 'none', 'quiet'));
}

function showRules(rules) {
  byId('rules').replaceChildren(...rules.map(rule => {
    const made = make('li');
    made.append(name(rule.rule), ': ' + number(rule.allowed) + ' allowed, ' +
        number(rule.refused) + ' refused');
    return made;
  }));
  if (!rules.length) byId('rules').append(make('li', 'none yet', 'quiet'));
}

// ---- flows ----

let from = 0, following = null;

function cell(row, label, ...parts) {
  const made = make('td');
  made.dataset.label = label;
  made.append(...parts.filter(part => part !== null));
  row.append(made);
  return made;
}

const node = text => text ? make('bdi', text, 'node') : null;

function row(flow) {
  const made = make('tr');
  const verdict = flow.verdict || flow.phase;
  cell(made, 'Flow', String(flow.flow));
  cell(made, 'From', name(flow.source), ' ', node(flow.from));
  cell(made, 'To', name(flow.dest || ''), ' ', node(flow.to));
  cell(made, 'Verdict',
       make('span', verdict, 'verdict ' +
            (['direct', 'bridged'].includes(verdict) ? verdict : '')));
  cell(made, 'Rule', name(flow.rule || ''));
  cell(made, 'Chain', name((flow.chain || []).join(', ')));
  cell(made, 'Out', bytes(flow.out)).className = 'number';
  cell(made, 'Back', bytes(flow.back)).className = 'number';
  cell(made, 'Age', age(flow.age_ms / 1000)).className = 'number';
  return made;
}

function matches(flow, wanted) {
  return !wanted || [flow.source, flow.dest, flow.dialled, flow.from, flow.to,
                     flow.rule, flow.user, flow.application, flow.verdict]
      .some(text => text && text.toLowerCase().includes(wanted));
}

function showFlows(list) {
  const wanted = byId('filter').value.trim().toLowerCase();
  const shown = list.flows.filter(flow => matches(flow, wanted));
  byId('flows').tBodies[0].replaceChildren(...shown.map(row));
  byId('shown').textContent = number(shown.length) + ' shown of ' +
      number(list.matched) + (from ? ' from number ' + from + ' on' : '') +
      (list.missing ? '; ' + list.missing + ' workers are too busy to say'
                    : '');
  following = list.next;
  byId('next').hidden = list.next === null;
  byId('first').hidden = from === 0;
}

// ---- areas: only when there is another model ----

let areasOf; // a model's hash, or null without one

async function showAreas(model) {
  if (model === areasOf) return;
  const found = model ? await read('areas.json') : {areas: [], more: 0};
  const areas = found.areas;
  areasOf = model;
  byId('areas').replaceChildren(...areas.map(area => {
    const made = make('li');
    made.append(make('b', area.attributes.join(', ') || 'no attributes'), ': ');
    area.nodes.forEach((one, i) => made.append(i ? ', ' : '', name(one)));
    if (area.more) made.append(' and ' + number(area.more) + ' more');
    return made;
  }));
  const rest = found.more ? 'and ' + number(found.more) + ' more areas'
      : areas.length ? '' : 'no model';
  if (rest) byId('areas').append(make('li', rest, 'quiet'));
}

// ---- once a second, while somebody looks ----

async function read(path) {
  const answer = await fetch(path, {cache: 'no-store'});
  if (!answer.ok) throw new Error(path + ': ' + answer.status);
  return answer.json();
}

function say(problem) {
  byId('problem').hidden = !problem;
  byId('problem').textContent = problem || '';
}

let paused = false, busy = false;

async function look() {
  if (paused || busy || document.hidden) return;
  busy = true;
  try {
    const status = await read('status.json');
    showState(status);
    showTotals(status);
    showRefusals(status.refusals);
    showRules(status.rules);
    before = status;
    showFlows(await read('flows.json?from=' + from));
    await showAreas(status.model);
    say('');
  } catch (error) {
    byId('state').textContent = 'no answer';
    byId('state').className = 'pill bad';
    say('The proxy does not answer: ' + error.message + '. What is shown is ' +
        'how it was.');
  }
  busy = false;
}

byId('pause').addEventListener('click', () => {
  paused = !paused;
  byId('pause').textContent = paused ? 'Go on' : 'Pause';
  byId('pause').setAttribute('aria-pressed', String(paused));
  look();
});
byId('next').addEventListener('click', () => {
  from = following || 0;
  look();
});
byId('first').addEventListener('click', () => {
  from = 0;
  look();
});
byId('filter').addEventListener('input', look);
document.addEventListener('visibilitychange', look);
setInterval(look, EVERY_MS);
look();
