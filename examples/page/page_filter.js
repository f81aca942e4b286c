/* page_filter.js: which flows are shown. The choice is kept in the address of
 * the page, so that it can be passed on. */

const chosen = {from: '', to: '', both: '', verdict: '', application: '',
  text: ''};
const NEVER = 'refused';

/* "area:3" is an area, "node:umc" a node, "" any. */
function isEnd(choice, name) {
  return !choice || (choice.startsWith('area:') ?
      choice.slice(5) === String(areaOf.get(name)) : choice.slice(5) === name);
}

function runs(flow, from, to) {
  return isEnd(from, flow.from) && isEnd(to, flow.to);
}

function hasText(flow, text) {
  const all = [flow.from, flow.to, flow.application, flow.verdict, flow.rule,
    flow.reason, flow.port === null ? '' : String(flow.port),
    chainText(flow), ...flow.requires, ...flow.missing];

  return all.join('\n').toLowerCase().includes(text.toLowerCase());
}

function isShown(flow) {
  const {verdict} = chosen;

  return (runs(flow, chosen.from, chosen.to) ||
          (chosen.both && runs(flow, chosen.to, chosen.from))) &&
      (!verdict || flow.verdict === verdict || kindOf(flow) === verdict ||
       (verdict === 'allowed' && kindOf(flow) !== NEVER)) &&
      (!chosen.application || flow.application === chosen.application) &&
      (!chosen.text || hasText(flow, chosen.text));
}

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));

  for (const key of Object.keys(chosen)) {
    chosen[key] = said.get(key) || '';
  }
}

function writeAddress() {
  const said = Object.entries(chosen).filter(([, value]) => value);
  const text = new URLSearchParams(said).toString();

  try { // which a page from a file may be refused
    history.replaceState(null, '', '#' + (text || 'flows'));
  } catch {
    return;
  }
}

function optionOf(value, text) {
  const option = el('option', '', text);

  option.value = value;
  return option;
}

function endChoices() {
  const inAreas = el('optgroup'), inNodes = el('optgroup');

  inAreas.label = 'Areas';
  inNodes.label = 'Nodes';
  for (const area of areas) {
    inAreas.append(optionOf('area:' + area.id,
        'area ' + area.id + ': ' + protection(area)));
  }
  for (const [name] of nodes) {
    inNodes.append(optionOf('node:' + name, name));
  }
  return [optionOf('', 'any'), inAreas, inNodes];
}

function addField(label, key, field) {
  const id = 'filter-' + key;
  const title = el('label', '', label);

  field.id = id;
  field.dataset.key = key;
  title.htmlFor = id;
  byId('filter').append(el('div', '', title, field));
}

function addSelect(label, key, choices) {
  addField(label, key, el('select', '', ...choices));
}

function verdictChoices() {
  return [['', 'any'], ['allowed', 'allowed'], ['direct', '– direct'],
    ['bridged', '– bridged'], ['refused', 'refused'],
    ['denied', '– denied by a rule'],
    ['unbridgeable', '– unbridgeable: nothing may add what is missing'],
    ['unplaceable', '– unplaceable: no chain of functions fits'],
  ].map(([value, text]) => optionOf(value, text));
}

function drawFilter() {
  const form = byId('filter');
  const both = el('input'), text = el('input'), reset = el('button', 'plain');

  addSelect('From', 'from', endChoices());
  addSelect('To', 'to', endChoices());
  addSelect('Verdict', 'verdict', verdictChoices());
  addSelect('Application', 'application', [optionOf('', 'any'),
    ...applications.map(([name]) => optionOf(name, name))]);
  text.type = 'search';
  addField('With the text', 'text', text);
  both.type = 'checkbox';
  both.id = 'filter-both';
  both.dataset.key = 'both';
  reset.type = 'reset';
  reset.append('Show all');
  form.append(el('label', 'tick', both, 'also the other way round'), reset);
  form.addEventListener('input', ({target}) => choose({[target.dataset.key]:
      target.type === 'checkbox' ? (target.checked ? '1' : '') :
      target.value}));
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    choose({from: '', to: '', both: '', verdict: '', application: '',
      text: ''});
  });
  form.addEventListener('submit', (event) => event.preventDefault());
}

/* Put the choice into the form, as it came from elsewhere. */
function showChoice() {
  for (const field of byId('filter').querySelectorAll('[data-key]')) {
    const value = chosen[field.dataset.key];

    if (field.type === 'checkbox') {
      field.checked = Boolean(value);
    } else if (field.value !== value) {
      field.value = value;
    }
  }
}
