// SPDX-License-Identifier: GPL-3.0-or-later
// What the pages of a run and of a sweep share: the data, how plots look, how they print.
"use strict";
window.stzkmcPage = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colours = ["#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9"]; // Okabe and Ito
  const font = { family: 'system-ui, "Liberation Sans", Arial, sans-serif', size: 14, color: "#1a1a1a" };
  const options = { responsive: true, displaylogo: false, toImageButtonOptions: { format: "svg" } };
  const by = (id) => document.getElementById(id);
  const plots = [];

  function axis(title, more) {
    return { title: { text: title, standoff: 12 }, showline: true, mirror: true, ticks: "inside", zeroline: false, automargin: true,
      gridcolor: "#ececec", ...more };
  }

  // Draws, and says in words what is drawn to those who cannot see it.
  function draw(id, title, traces, layout) {
    const place = by(id);
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", title);
    const whole = { font, title: { text: title, font: { size: 15 }, x: 0, xanchor: "left", xref: "paper" },
      margin: { l: 70, r: 44, t: 44, b: 60 }, modebar: { orientation: "v" }, colorway: colours, hovermode: "closest", ...layout };
    plots.push(id);
    return Plotly.newPlot(place, traces, whole, options);
  }

  // Paper has another width than the screen, and a browser that prints does not wait: sizes in the pixels of A4 or Letter
  // less margins, as in page.css, set at once. The scene cannot be drawn anew so fast; page.css scales it.
  const flat = () => [...new Set(plots)].filter((id) => id !== "scene");
  window.addEventListener("beforeprint", () => {
    for (const id of flat()) {
      const width = by(id).closest(".plots") === null ? 670 : 328;
      Plotly.relayout(id, { width, height: 257, "font.size": 10, "title.font.size": 11 });
    }
  });
  window.addEventListener("afterprint", () => {
    for (const id of flat()) {
      Plotly.relayout(id, { width: null, height: null, autosize: true, "font.size": 14, "title.font.size": 15 });
    }
  });

  // Tells what was drawn, for tests and for those who look for a fault.
  function finish(failed) {
    document.body.dataset.drawn = [...new Set(plots)].join(" ");
    document.body.dataset.failed = failed.join("; ");
  }

  return { data, by, draw, axis, colours, finish };
})();
