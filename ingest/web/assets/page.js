// The page, put together: which part tells which other one what.

import { CountsPanel } from './counts.js';
import { Details } from './details.js';
import { Events } from './events.js';
import { Filters } from './filters.js';
import { Graph } from './graph.js';
import { whole } from './numbers.js';
import { Rate } from './rate.js';
import { setText, States } from './states.js';
import { zone } from './time.js';

/** @template {HTMLElement} [E=HTMLElement] @param {string} selector @returns {E} */
function find(selector) {
  return /** @type {E} */ (document.querySelector(selector));
}

const rate = new Rate();
const graph = new Graph(find('#graph'));
const counts = new CountsPanel(find('#counts'), {
  graphLength: () => graph.length,
  arrived: (all) => {
    graph.offer(all);
    filters.offer(all.regions.flatMap((region) => region.sensors.map((sensor) => sensor.path.split('.'))));
  },
});
const filters = new Filters(find('#filters'), () => events.begin());
const states = new States(
  { banner: find('#banner'), connection: find('#connection') },
  {
    recovered: () => events.recover(),
    back: () => {
      graph.refresh();
      counts.refresh();
    },
    warned: (warnings) => {
      setText(find('#warnings'), warnings.join('; '));
      find('#warnings').hidden = warnings.length === 0;
    },
  },
);
const details = new Details(find('#details'), {
  filter: (values) => filters.set(values),
  graph: (path) => {
    graph.add(path);
    location.hash = '#graph';
  },
});
const events = new Events(find('#events'), { filters, states, rate, open: (row) => details.open(row) });

for (const button of document.querySelectorAll('.clear-filters')) button.addEventListener('click', () => filters.set({}));
for (const element of document.querySelectorAll('.zone')) setText(/** @type {HTMLElement} */ (element), zone());
for (const element of document.querySelectorAll('.origin')) setText(/** @type {HTMLElement} */ (element), location.origin);

setInterval(() => {
  const perSecond = rate.perSecond(Date.now());
  const shown = perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : whole(Math.round(perSecond));
  const known = states.state === 'live' || states.state === 'store';
  setText(find('#rate'), known ? `${shown} ${filters.isSet ? 'matching' : 'events'}/s` : '');
}, 1000);

/** On a phone one section is shown at a time. */
function showSection() {
  const current = ['#graph', '#counts'].includes(location.hash) ? location.hash : '#events';
  document.body.dataset.section = current.slice(1);
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === current) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

addEventListener('hashchange', showSection);
showSection();
events.begin();
counts.refresh();
