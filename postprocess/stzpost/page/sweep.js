// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of a sweep's page, over the axes that are chosen.
"use strict";
((kit) => {
  const { data, by, draw, axis, colours } = kit;
  const signs = ["circle", "square", "diamond", "triangle-up", "triangle-down", "x", "star"];
  const axes = Object.keys(data.axes), quantities = Object.keys(data.quantities);
  const runs = data.state.map((_, run) => run).filter((run) => data.state[run] === "done");
  const isNumber = (name) => data.axes[name].values.every((value) => typeof value === "number");
  const unique = (values) => [...new Set(values)].sort((a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(b)));

  function fill(id, names, labels, chosen) {
    for (const name of names) by(id).add(new Option(labels[name].label, name, false, name === chosen));
    by(id).addEventListener("change", show);
  }

  // An axis of numbers over more than a factor of 30 is logarithmic.
  function scale(name) {
    const values = data.axes[name].values;
    if (!isNumber(name)) return { type: "category" };
    return Math.min(...values) > 0 && Math.max(...values) > 30 * Math.min(...values)
      ? { type: "log", exponentformat: "power" } : {};
  }

  const below = (by_) => ({ orientation: "h", y: -0.24, title: { text: by_ ? `${data.axes[by_].label}: ` : "" } });

  // Mean and standard error over the runs that agree in what the keys pick.
  function means(name, keys) {
    const groups = new Map();
    for (const run of runs) {
      const value = data.quantities[name].values[run];
      if (value === null) continue;
      const key = JSON.stringify(keys.map((one) => data.axes[one].values[run]));
      groups.set(key, [...(groups.get(key) || []), value]);
    }
    return [...groups].map(([key, values]) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const square = values.reduce((a, b) => a + (b - mean) ** 2, 0);
      const error = values.length > 1 ? Math.sqrt(square / (values.length - 1) / values.length) : 0;
      return { at: JSON.parse(key), mean, error };
    });
  }

  function lines(name, x, by_) {
    const points = means(name, by_ ? [x, by_] : [x]);
    const traces = unique(points.map((one) => one.at[1])).map((value, index) => {
      const own = points.filter((one) => one.at[1] === value).sort((a, b) => (isNumber(x) ? a.at[0] - b.at[0] : 0));
      return { x: own.map((one) => one.at[0]), y: own.map((one) => one.mean), mode: "lines+markers",
        name: value === undefined ? "" : `${value}`, error_y: { array: own.map((one) => one.error), visible: true },
        marker: { symbol: signs[index % signs.length], size: 8, color: colours[index % colours.length] },
        line: { color: colours[index % colours.length] } };
    });
    draw("lines", `${data.quantities[name].label}: mean and standard error`, traces,
      { xaxis: axis(data.axes[x].label, scale(x)), yaxis: axis(data.quantities[name].label), showlegend: Boolean(by_),
        legend: below(by_) });
  }

  function heat(name, x, y) {
    by("heat").hidden = !y;
    if (!y) return;
    const points = means(name, [x, y]);
    const columns = unique(data.axes[x].values), rows = unique(data.axes[y].values);
    const z = rows.map((row) => columns.map((column) => {
      const found = points.find((one) => one.at[0] === column && one.at[1] === row);
      return found ? found.mean : null;
    }));
    draw("heat", `${data.quantities[name].label}: mean`, [{ type: "heatmap", x: columns.map(String), y: rows.map(String), z,
      colorscale: "Viridis", texttemplate: columns.length * rows.length > 64 ? "" : "%{z:.3g}",
      colorbar: { title: { text: data.quantities[name].label, side: "right" } } }],
    { xaxis: axis(data.axes[x].label, { type: "category" }), yaxis: axis(data.axes[y].label, { type: "category" }) });
  }

  function curves(by_) {
    if (!data.curves.length) { by("curves").hidden = true; return; }
    const groups = by_ ? unique(data.axes[by_].values) : [undefined];
    const told = new Set();
    const traces = data.curves.map((one) => {
      const value = by_ ? data.axes[by_].values[one.run] : undefined;
      const index = groups.indexOf(value), first = !told.has(value);
      told.add(value);
      return { x: one.strain, y: one.stress, mode: "lines", name: value === undefined ? "" : `${value}`, showlegend: first,
        legendgroup: `${value}`, line: { width: 1.2, color: colours[index % colours.length] },
        hovertemplate: `%{x:.3g} %, %{y:.3g} GPa<br>${data.file[one.run]}<extra></extra>` };
    });
    draw("curves", `Stress against strain of ${data.curves.length} of ${runs.length} runs`, traces,
      { xaxis: axis("axial strain (%)"), yaxis: axis("axial stress (GPa)"), showlegend: Boolean(by_),
        legend: below(by_) });
  }

  function show() {
    const name = by("quantity").value, x = by("x").value, second = by("by").value === x ? "" : by("by").value;
    lines(name, x, second);
    heat(name, x, second);
    curves(second);
  }

  fill("quantity", quantities, data.quantities, quantities[0]);
  fill("x", axes, data.axes, axes[axes.length - 1]);
  fill("by", axes, data.axes, axes[axes.length - 2]);
  show();
  kit.finish([]);
})(window.stzkmcPage);
