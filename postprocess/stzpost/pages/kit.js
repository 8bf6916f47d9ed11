// SPDX-License-Identifier: GPL-3.0-or-later
// What the pages of a run and of a sweep share: the data, when plots are drawn and how they look, how they print.
"use strict";
window.stzkmcPage = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colours = ["#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9"]; // Okabe and Ito
  const family = 'system-ui, "Liberation Sans", Arial, sans-serif';
  const by = (id) => document.getElementById(id);
  const PATIENCE_MS = 80; // a slider that moves is followed when it rests so long
  const AHEAD = "150px"; // of the window, where plots are drawn before they come into view

  // ---- Plots: each is built when it comes into view, in a task of its own, so that the page answers in between.

  const plots = new Map(); // id -> { build, library, drawn, timer, prepare, after }
  const failed = [], queue = [];
  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) { watcher.unobserve(one.target); push(one.target.id); }
  }, { rootMargin: AHEAD });

  // `build` gives { title, traces, layout } of what the controls say. `more` may have `prepare`, which is done once, in a task
  // of its own, and says whether the plot can be drawn; `library`, which gives plotly; `after`, which is called once drawn.
  function plot(id, build, more = {}) {
    plots.set(id, { build, library: () => window.Plotly, drawn: 0, timer: 0, ...more });
    watcher.observe(by(id));
  }

  // The place keeps what stands there.
  function drop(id) {
    const one = plots.get(id);
    clearTimeout(one.timer);
    if (one.drawn) one.library().purge(by(id));
    watcher.unobserve(by(id));
    plots.delete(id);
    tell();
  }

  function push(id) {
    const one = plots.get(id), idle = !queue.length;
    if (one.prepare) queue.push(() => { if (!one.prepare()) drop(id); });
    queue.push(() => { if (plots.has(id)) draw(id); });
    if (idle) setTimeout(pump);
  }

  function pump() {
    queue.shift()();
    if (queue.length) setTimeout(pump);
  }

  // Draws, and says in words what is drawn to those who cannot see it. A plot that fails leaves the others alone.
  function draw(id) {
    const one = plots.get(id), place = by(id);
    try {
      const { title, traces, layout } = one.build();
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", title);
      place.closest("figure").querySelector("figcaption").textContent = title;
      one.library().react(place, traces, { ...common(id), ...layout }, options());
      one.drawn += 1;
      if (one.drawn === 1) watchTicks(place, one);
      if (one.drawn === 1 && one.after) one.after(place);
    } catch (error) {
      failed.push(`${id}: ${error.message}`);
      if (!one.drawn) place.textContent = "This browser cannot draw this part.";
    }
    tell();
  }

  // Draws anew what a control has changed, once it rests. What was not in view yet is drawn then.
  function redraw(...ids) {
    for (const id of ids) {
      const one = plots.get(id);
      clearTimeout(one.timer);
      if (one.drawn) one.timer = setTimeout(() => draw(id), PATIENCE_MS);
    }
  }

  // Tells what was drawn and how often, for tests and for those who look for a fault.
  function tell() {
    const drawn = [...plots].filter(([, one]) => one.drawn);
    document.body.dataset.drawn = drawn.map(([id]) => id).join(" ");
    document.body.dataset.times = drawn.map(([, one]) => one.drawn).join(" ");
    document.body.dataset.failed = failed.join("; ");
  }

  // ---- Looks

  const thin = window.matchMedia("(max-width: 44rem)");
  let paper = false;
  const narrow = () => thin.matches && !paper;
  thin.addEventListener("change", () => redraw(...plots.keys()));

  const options = () => ({ responsive: true, displaylogo: false, displayModeBar: narrow() ? false : "hover",
    toImageButtonOptions: { format: "svg" } });

  function common(id) {
    const looks = { font: { family, size: paper ? 9 : narrow() ? 12 : 14, color: "#1a1a1a" }, colorway: colours,
      margin: { l: 60, r: 12, t: paper || narrow() ? 12 : 30, b: 48 }, hovermode: "closest", autosize: !paper };
    return paper ? { ...looks, width: by(id).closest(".plots") ? 328 : 670, height: 257 } : looks;
  }

  function axis(title, more) {
    return { title: { text: safe(title), standoff: 10 }, showline: true, mirror: true, ticks: "inside", zeroline: false,
      automargin: true, gridcolor: "#ececec", nticks: narrow() || paper ? 6 : 10, ...more };
  }

  // A logarithmic axis has a number a decade, or every few decades.
  function logarithmic(values) {
    const [low, high] = limits(values), decades = Math.log10(high / low);
    return { type: "log", exponentformat: "power", ...(decades > 1.5 ? { dtick: Math.ceil(decades / 7) } : {}) };
  }

  const below = (title = "") => ({ orientation: "h", x: 0, y: -0.2, yanchor: "top", title: { text: safe(title), side: "top" } });

  function bar(title, more) {
    const looks = { thickness: 14, outlinewidth: 0, exponentformat: "power", ...more };
    return narrow() ? { ...looks, orientation: "h", y: -0.18, yanchor: "top", len: 1, title: { text: safe(title), side: "bottom" } }
      : { ...looks, title: { text: safe(title), side: "right" } };
  }

  // Texts of the data as they stand, though plotly takes some HTML.
  const safe = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;");

  // A number as a label: 300, 0.25, 2·10⁻⁷.
  function say(value) {
    if (typeof value !== "number") return safe(value);
    const size = Math.abs(value);
    if (value === 0 || (size >= 1e-2 && size < 1e5)) return `${Number(value.toPrecision(4))}`.replace("-", "−");
    const [digits, power] = value.toExponential(3).split("e");
    const factor = Number(digits) === 1 ? "" : `${Number(digits)}·`;
    return `${factor}10<sup>${Number(power)}</sup>`.replaceAll("-", "−");
  }

  // ---- Time, in the unit that a reader would use

  // Ticks of a logarithmic axis of seconds, from Python's tables: the densest that find room.
  function timeTicks(low, high, most) {
    const tables = data.ticks.map((table) => table.filter(([at]) => at >= 0.999 * low && at <= 1.001 * high));
    const last = tables[tables.length - 1], step = Math.ceil(last.length / most);
    const chosen = tables.find((one) => one.length <= most) || last.filter((_, index) => index % step === 0);
    return { tickmode: "array", tickvals: chosen.map(([at]) => at), ticktext: chosen.map(([, text]) => text) };
  }

  function limits(values) {
    const all = values.filter((one) => one > 0);
    return [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), 0)];
  }

  // For a scale of logarithms of seconds.
  function logTicks(values, most) {
    const found = timeTicks(...limits(values), most);
    return { ...found, tickvals: found.tickvals.map(Math.log10) };
  }

  function timeAxis(title, id, values) {
    const [low, high] = limits(values);
    return axis(title, { type: "log", ...timeTicks(low / 1.5, high * 1.5, room(id)) });
  }

  const room = (id) => Math.max(3, Math.floor((paper ? 328 : by(id).clientWidth) / (paper ? 50 : narrow() ? 70 : 80)));

  // Whoever zooms into an axis of time gets ticks for what is seen.
  function watchTicks(place, one) {
    if (!one.build.timed) return;
    place.on("plotly_relayout", (change) => {
      if (!Object.keys(change).some((key) => key.startsWith("xaxis.range") || key === "xaxis.autorange")) return;
      const [low, high] = place._fullLayout.xaxis.range.map((power) => 10 ** power);
      const { tickvals, ticktext } = timeTicks(low, high, room(place.id));
      one.library().relayout(place, { "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext });
    });
  }

  // ---- Paper has another width than the screen, and a browser that prints does not wait: all that is flat is drawn at once,
  // in the pixels of A4 or Letter less margins, as in page.css. Of what is in space, the still picture is printed.
  const flat = () => [...plots.keys()].filter((id) => !by(id).classList.contains("space"));
  let closed = [];
  function print(on) {
    paper = on;
    if (on) closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = on;
    for (const id of flat()) {
      if (on && !plots.get(id).drawn) watcher.unobserve(by(id));
      draw(id);
    }
  }
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));

  return { data, by, plot, drop, redraw, axis, logarithmic, timeAxis, logTicks, below, bar, narrow, safe, say, colours };
})();
