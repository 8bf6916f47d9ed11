// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of a sweep's page, over the axes that are chosen.
"use strict";
((kit) => {
  const { data, by, plot, redraw, axis, below, bar, safe, say, colours } = kit;
  const signs = ["circle", "square", "diamond", "triangle-up", "triangle-down", "x", "star"];
  const axes = Object.keys(data.axes), quantities = Object.keys(data.quantities);
  const runs = data.state.map((_, run) => run).filter((run) => data.state[run] === "done");
  const isNumber = (name) => data.axes[name].values.every((value) => typeof value === "number");
  const unique = (values) => [...new Set(values)].sort((a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(b)));

  function fill(id, names, labels, chosen) {
    for (const name of names) by(id).add(new Option(labels[name].label, name, name === chosen, name === chosen));
    by(id).addEventListener("change", () => redraw(...shown));
  }

  // An axis of numbers over more than a factor of 30 is logarithmic.
  function scale(name) {
    const values = data.axes[name].values;
    if (!isNumber(name)) return { type: "category" };
    return Math.min(...values) > 0 && Math.max(...values) > 30 * Math.min(...values)
      ? kit.logarithmic(values) : {};
  }

  const legend = (by_) => ({ showlegend: Boolean(by_), legend: below(by_ ? data.axes[by_].label : "") });

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
        name: value === undefined ? "" : say(value), error_y: { array: own.map((one) => one.error), visible: true },
        marker: { symbol: signs[index % signs.length], size: 8, color: colours[index % colours.length] },
        line: { color: colours[index % colours.length] } };
    });
    return { title: `${data.quantities[name].label}: mean and standard error`, traces,
      layout: { xaxis: axis(data.axes[x].label, scale(x)), yaxis: axis(data.quantities[name].label), ...legend(by_) } };
  }

  function heat(name, x, y) {
    const place = by("heat").closest("figure");
    place.classList.toggle("absent", !y);
    if (!y) return { title: "", traces: [], layout: {} };
    const points = means(name, [x, y]);
    const columns = unique(data.axes[x].values), rows = unique(data.axes[y].values);
    const z = rows.map((row) => columns.map((column) => {
      const found = points.find((one) => one.at[0] === column && one.at[1] === row);
      return found ? found.mean : null;
    }));
    const many = columns.length * rows.length > (kit.narrow() ? 36 : 64);
    return { title: `${data.quantities[name].label}: mean`, traces: [{ type: "heatmap", x: columns.map(say), y: rows.map(say), z,
      colorscale: "Viridis", texttemplate: many ? "" : "%{z:.3g}", colorbar: bar(data.quantities[name].label) }],
    layout: { xaxis: axis(data.axes[x].label, { type: "category" }), yaxis: axis(data.axes[y].label, { type: "category" }) } };
  }

  function curves(by_) {
    const groups = by_ ? unique(data.axes[by_].values) : [undefined];
    const told = new Set();
    const traces = data.curves.map((one) => {
      const value = by_ ? data.axes[by_].values[one.run] : undefined;
      const index = groups.indexOf(value), first = !told.has(value);
      told.add(value);
      return { x: one.strain, y: one.stress, mode: "lines", name: value === undefined ? "" : say(value), showlegend: first,
        legendgroup: `${value}`, line: { width: 1.2, color: colours[index % colours.length] },
        hovertemplate: `%{x:.3g} %, %{y:.3g} GPa<br>${safe(data.file[one.run])}<extra></extra>` };
    });
    return { title: `Stress against strain of ${data.curves.length} of ${runs.length} runs`, traces,
      layout: { xaxis: axis("axial strain (%)"), yaxis: axis("axial stress (GPa)"), ...legend(by_) } };
  }

  const name = () => by("quantity").value, x = () => by("x").value;
  const second = () => (by("by").value === x() ? "" : by("by").value);
  const shown = ["lines", "heat"];

  fill("quantity", quantities, data.quantities, quantities[0]);
  fill("x", axes, data.axes, axes[axes.length - 1]);
  fill("by", axes, data.axes, axes[axes.length - 2]);
  plot("lines", () => lines(name(), x(), second()));
  plot("heat", () => heat(name(), x(), second()));
  if (data.curves.length) {
    shown.push("curves");
    plot("curves", () => curves(second()));
  } else by("curves").closest("figure").remove();
})(window.stzkmcPage);
