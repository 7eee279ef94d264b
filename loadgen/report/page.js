"use strict";

const runs = JSON.parse(document.getElementById("data").textContent);
const logarithmic = document.getElementById("logarithmic");
const touch = matchMedia("(pointer: coarse)").matches;
const shown = runs.map(() => true);
const STYLES = [["p50", "solid"], ["p99", "dash"], ["max", "dot"]];
const RATES = [["acked", "solid"], ["planned", "dot"], ["rejected", "longdashdot"], ["failed", "dash"], ["unsent", "dashdot"]];
const PERCENTS = ["0", "50", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (run) => colour(`--run-${(run % 6) + 1}`);

// Plotly reads some HTML in names: what a file is called must not become markup.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** One line of one run; the legend names the kind of line, the buttons above name the runs. */
function line(run, kind, dash, x, y, unit) {
  return {
    x, y, name: kind, legendgroup: kind, showlegend: false, connectgaps: false,
    // A second between two without answers is a point, not a line.
    mode: x.length <= 120 ? "lines+markers" : "lines", marker: { size: x.length > 2 ? 3 : 7 },
    visible: shown[run], line: { color: colourOf(run), dash, width: kind === "p50" || kind === "acked" ? 2 : 1.5 },
    hovertemplate: `${runs.length > 1 ? `${plain(runs[run].name)} ` : ""}${kind} %{y:,.4~g} ${unit}<extra></extra>`,
  };
}

/** What the legend shows of a kind of line, whatever the run. */
function key(kind, dash) {
  const drawn = runs.length > 1 ? colour("--quiet") : colourOf(0);
  return { x: [null], y: [null], name: kind, legendgroup: kind, mode: "lines", line: { color: drawn, dash, width: 2 } };
}

function timed(kinds, unit) {
  const happened = ({ timeline }, kind) => timeline[kind].some((value) => value > 0);
  const lines = runs.flatMap((run, number) => kinds.filter(([kind]) => happened(run, kind)).map(([kind, dash]) =>
    line(number, kind, dash, run.timeline.at, run.timeline[kind], unit)));
  const used = kinds.filter(([kind]) => runs.some((run) => happened(run, kind)));
  return [...lines, ...used.map(([kind, dash]) => key(kind, dash))];
}

function curves() {
  return runs.map(({ name, curve }, run) => ({
    ...line(run, name, "solid", curve.one_in, curve.ms, "ms"),
    mode: curve.ms.length < 10 ? "lines+markers" : "lines",
    customdata: curve.percentile,
    hovertemplate: `${plain(name)} p%{customdata:.7~g}: %{y:,.4~g} ms<extra></extra>`,
  }));
}

function axis(title, more) {
  return {
    title: { text: title, standoff: 8 }, gridcolor: colour("--rule"), linecolor: colour("--rule"), zeroline: false,
    automargin: true, ...more,
  };
}

function layout(x, y, hovermode) {
  return {
    xaxis: x, yaxis: y, hovermode, margin: { l: 8, r: 8, t: 30, b: 8 },
    // A finger that drags scrolls the page; a mouse zooms.
    dragmode: touch ? false : "zoom",
    font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 13 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: colour("--ground"), bordercolor: colour("--rule"), font: { color: colour("--ink") } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--quiet"), activecolor: colour("--ink") },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
  };
}

const latencyAxis = () => logarithmic.checked
  ? axis("ms", { type: "log", dtick: 1, minor: { showgrid: true, gridcolor: colour("--rule"), griddash: "dot" } })
  : axis("ms", { rangemode: "tozero" });

function percentileAxis() {
  const most = Math.max(10, ...runs.flatMap(({ curve }) => curve.one_in));
  const at = [1, 2, ...PERCENTS.slice(2).map((_, tens) => 10 ** (tens + 1))].filter((one_in) => one_in <= most);
  return axis("percentile (%)", {
    type: "log", tickvals: at, ticktext: PERCENTS.slice(0, at.length), tickangle: 0,
    range: [0, Math.log10(most) * 1.03],
  });
}

function draw() {
  const config = {
    displaylogo: false, displayModeBar: !touch, responsive: true,
    // Named one by one: by default there is one that uploads the chart.
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
  const time = () => axis("s after the start", { rangemode: "tozero", unifiedhovertitle: { text: "%{x} s" } });
  Plotly.react("latency", timed(STYLES, "ms"), layout(time(), latencyAxis(), "x unified"), config);
  const rates = axis("events/s", { rangemode: "tozero" });
  Plotly.react("rate", timed(RATES, "events/s"), layout(time(), rates, "x unified"), config);
  Plotly.react("percentiles", curves(), layout(percentileAxis(), latencyAxis(), "closest"), config);
}

function offerRuns() {
  document.getElementById("runs").append(...runs.map(({ name }, run) => {
    const button = document.createElement("button");
    button.textContent = name;
    button.style.setProperty("--colour", `var(--run-${(run % 6) + 1})`);
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      shown[run] = !shown[run];
      button.setAttribute("aria-pressed", String(shown[run]));
      draw();
    });
    return button;
  }));
}

document.querySelector(".plots").hidden = false;
if (runs.length > 1) offerRuns();
logarithmic.addEventListener("change", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
