// Numbers over time, drawn by Plotly, whose script is fetched when the first graph is.

import { localTime } from './time.js';

/**
 * @typedef {{path: string, times: number[], n: number[], mean: (number | null)[], min: number[], max: number[]}} Series
 * @typedef {{start: number, stop: number, step_ms: number, source: string, series: Series[]}} Answer
 */

const LINES = 6;
const DASHES = ['solid', 'dash'];

/** The colour of the line of that number. @param {number} index */
export function colour(index) {
  return `var(--line-${(index % LINES) + 1})`;
}

/** @type {Promise<any> | null} */ let loading = null;

/** @returns {Promise<any>} */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = '/assets/plotly.min.js';
    script.addEventListener('load', () => resolve(/** @type {any} */ (window).Plotly));
    script.addEventListener('error', () => {
      loading = null;
      script.remove();
      reject(new Error('the chart library did not arrive'));
    });
    document.head.append(script);
  });
  return loading;
}

/** @param {any} library @param {HTMLElement} element @param {Answer} answer */
export async function draw(library, element, answer) {
  const paint = painter(element);
  const single = answer.series.length === 1;
  const traces = answer.series.flatMap((series, index) => {
    const line = meanLine(series, index, answer, paint);
    return [...(single ? band(series, answer, paint) : []), line, ...alone(line)];
  });
  await library.react(element, traces, layout(answer, paint), {
    displayModeBar: false,
    doubleClick: false,
    scrollZoom: false,
  });
}

/** @param {Series} series @param {number} index @param {Answer} answer @param {(name: string) => string} paint */
function meanLine(series, index, answer, paint) {
  const { times, values } = withGaps(series.times, series.mean, answer.step_ms);
  return {
    x: times,
    y: values,
    name: series.path,
    mode: 'lines',
    line: { color: paint(colour(index)), width: 1.75, dash: DASHES[Math.floor(index / LINES) % DASHES.length] },
    connectgaps: false,
    hovertemplate: `%{y:.6~g}<extra>${plain(series.path)}</extra>`,
  };
}

/** A line of one point would not be seen: dots for those between two gaps. @param {ReturnType<typeof meanLine>} line */
function alone({ x, y, line }) {
  const dots = [...y.keys()].filter((i) => y[i] !== null && y[i - 1] == null && y[i + 1] == null);
  if (!dots.length) return [];
  const marker = { color: line.color, size: 5 };
  return [{ x: dots.map((i) => x[i]), y: dots.map((i) => y[i]), mode: 'markers', marker, hoverinfo: 'skip' }];
}

/** From the least to the greatest value of each step. @param {Series} series @param {Answer} answer @param {(name: string) => string} paint */
function band(series, answer, paint) {
  const edges = [series.min, series.max].map((values) => withGaps(series.times, values, answer.step_ms));
  const names = ['min', 'max'];
  return runs(edges[0].values).flatMap(([from, to]) =>
    edges.map(({ times, values }, edge) => ({
      x: times.slice(from, to),
      y: values.slice(from, to),
      name: names[edge],
      mode: 'lines',
      line: { width: 0 },
      fill: edge === 1 ? 'tonexty' : 'none',
      fillcolor: paint('var(--band)'),
      hovertemplate: `%{y:.6~g}<extra>${names[edge]}</extra>`,
      showlegend: false,
    })),
  );
}

/** Where values stand one after another: a filled band does not stop at a gap by itself. @param {(number | null)[]} values */
function runs(values) {
  /** @type {[number, number][]} */ const found = [];
  let from = 0;
  values.forEach((value, i) => {
    if (value !== null) return;
    if (i > from) found.push([from, i]);
    from = i + 1;
  });
  if (values.length > from) found.push([from, values.length]);
  return found;
}

/**
 * Times in the viewer's zone, and nothing where steps are missing.
 * @param {number[]} times @param {(number | null)[]} values @param {number} step_ms
 */
export function withGaps(times, values, step_ms) {
  /** @type {{times: string[], values: (number | null)[]}} */ const out = { times: [], values: [] };
  times.forEach((time, i) => {
    if (i > 0 && time - times[i - 1] > step_ms * 1.5) {
      out.times.push(localTime(times[i - 1] + step_ms));
      out.values.push(null);
    }
    out.times.push(localTime(time));
    out.values.push(values[i]);
  });
  return out;
}

/** @param {Answer} answer @param {(name: string) => string} paint */
function layout(answer, paint) {
  const axis = { gridcolor: paint('var(--rule)'), zeroline: false, linecolor: paint('var(--rule)'), automargin: true };
  return {
    margin: { l: 44, r: 18, t: 8, b: 28 },
    paper_bgcolor: 'transparent',
    plot_bgcolor: 'transparent',
    font: { color: paint('var(--quiet)'), size: 12, family: getComputedStyle(document.body).fontFamily },
    showlegend: false,
    hovermode: 'x unified',
    dragmode: 'zoom',
    hoverlabel: { bgcolor: paint('var(--panel)'), bordercolor: paint('var(--rule)'), font: { color: paint('var(--ink)') } },
    xaxis: { ...axis, type: 'date', range: [localTime(answer.start), localTime(answer.stop)], hoverformat: '%d %b %H:%M:%S' },
    yaxis: { ...axis, fixedrange: true, rangemode: 'normal' },
  };
}

/** Colours of the style sheet, as they are in the present theme. @param {HTMLElement} element */
function painter(element) {
  const probe = document.createElement('span');
  element.parentElement?.append(probe);
  probe.hidden = true;
  setTimeout(() => probe.remove());
  return (/** @type {string} */ value) => {
    probe.style.color = value;
    return getComputedStyle(probe).color;
  };
}

/** Plotly reads a few tags in hover texts. @param {string} text */
function plain(text) {
  return text.replace(/[<>&%{}]/g, '');
}
