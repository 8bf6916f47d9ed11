// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of a run's page. What is not in the data has no section, and nothing here looks for it.
"use strict";
((kit) => {
  const { data, by, draw, axis, finish } = kit;

  function curves() {
    const many = data.curves.length > 1;
    const below = { showlegend: true, legend: { orientation: "h", y: -0.28 } };
    const lines = (x, y) => data.curves.map((one) => ({ x: one[x], y: one[y], name: one.name, mode: "lines" }));
    draw("stress-strain", "Axial stress against strain", lines("strain", "stress"),
      { xaxis: axis("axial strain (%)"), yaxis: axis("axial stress (GPa)"), ...(many ? below : {}) });
    const timed = data.curves.map((one) => {
      const later = one.time.map((_, index) => index).filter((index) => one.time[index] > 0);
      return { x: later.map((index) => one.time[index]), y: later.map((index) => one.stress[index]), name: one.name,
        mode: "lines+markers", marker: { size: 4 } };
    });
    const shapes = [];
    if (data.fit) {
      timed.push({ x: data.fit.time, y: data.fit.stress, name: data.fit.label, mode: "lines",
        line: { color: "#D55E00", dash: "dash" } });
      for (const at of Object.values(data.fit.marks)) {
        shapes.push({ type: "line", x0: at, x1: at, y0: 0, y1: 1, yref: "paper", line: { color: "#bbb", width: 1 } });
      }
    }
    draw("stress-time", "Axial stress against time", timed,
      { xaxis: axis("time from the segment's clock zero (s)", { type: "log", exponentformat: "power" }), yaxis: axis("axial stress (GPa)"), shapes,
        ...(many || data.fit ? below : {}) });
    const rates = lines("stress", "rate").map((one) => ({ ...one, mode: "markers", marker: { size: 4 } }));
    draw("rate", "Plastic strain rate against stress", rates,
      { xaxis: axis("axial stress (GPa)"), yaxis: axis("plastic strain rate (1/s)", { type: "log", exponentformat: "power" }),
        ...(many ? below : {}) });
  }

  function bragg() {
    if (!data.bragg) { by("bragg").remove(); return; }
    const { strain, fraction, error, expected } = data.bragg;
    draw("bragg", "Patterns with Bragg reflections against strain", [
      { x: strain, y: expected, mode: "lines", name: "expectation", line: { color: "#D55E00", dash: "dash" } },
      { x: strain, y: fraction, mode: "markers", name: "mean of scans ± standard error", error_y: { array: error },
        marker: { color: "#0072B2", size: 8 } }],
    { xaxis: axis("axial strain (%)"), yaxis: axis("fraction", { range: [0, 1] }), showlegend: true,
      legend: { orientation: "h", y: -0.28 } });
  }

  function scene() {
    const { axes, composition, level, mean, events } = data.scene;
    const x = [], y = [], z = [];
    for (const a of axes[0]) for (const b of axes[1]) for (const c of axes[2]) { x.push(a); y.push(b); z.push(c); }
    const highest = Math.max(...composition), lowest = Math.min(...composition);
    const surface = { type: "isosurface", x, y, z, value: composition, isomin: level, isomax: highest, opacity: 0.5,
      surface: { count: 1 }, caps: { x: { show: false }, y: { show: false }, z: { show: false } }, colorscale: "Cividis",
      cmin: lowest, cmax: highest, showscale: false, hoverinfo: "skip", name: "Ni fraction" };
    const traces = [surface];
    if (events) {
      traces.push({ type: "scatter3d", mode: "markers", x: events.x, y: events.y, z: events.z, name: "events",
        marker: { size: 2.2, color: events.time, colorscale: "Viridis", opacity: 0.85,
          colorbar: { title: { text: "time (s)" }, len: 0.7, exponentformat: "power" } },
        customdata: events.time, hovertemplate: "%{x:.2f}, %{y:.2f}, %{z:.2f} nm<br>%{customdata:.4g} s<extra></extra>" });
    }
    let angle = 40;
    const eye = () => ({ x: 2.1 * Math.cos(angle * Math.PI / 180), y: 2.1 * Math.sin(angle * Math.PI / 180), z: 0.9 });
    const place = (title) => ({ title: { text: title } });
    const title = events ? `Surface of the Ni fraction, and ${events.x.length} of ${events.of} events` : "Surface of the Ni fraction";
    draw("scene", title, traces,
      { scene: { xaxis: place("x (nm)"), yaxis: place("y (nm)"), zaxis: place("z (nm)"), aspectmode: "data",
        camera: { eye: eye() } }, margin: { l: 0, r: 0, t: 44, b: 0 } });
    const iso = by("iso"), told = by("iso-value");
    iso.min = lowest; iso.max = highest; iso.value = level;
    const show = () => { told.textContent = `${Number(iso.value).toFixed(3)} (mean ${mean.toFixed(3)})`; };
    iso.addEventListener("input", show);
    iso.addEventListener("change", () => Plotly.restyle("scene", { isomin: Number(iso.value) }, [0]));
    show();
    for (const button of document.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => {
        angle += Number(button.dataset.turn);
        Plotly.relayout("scene", { "scene.camera.eye": eye() });
      });
    }
    by("show-events").closest("label").hidden = !events;
    by("show-events").addEventListener("change", (change) => Plotly.restyle("scene", { visible: change.target.checked }, [1]));
  }

  function heat(values, x, y, scale, bar, more) {
    return { type: "heatmap", z: values, x, y, colorscale: scale, colorbar: { title: { text: bar, side: "right" } }, ...more };
  }
  const square = (x, y) => ({ xaxis: axis(x, { constrain: "domain" }), yaxis: axis(y, { scaleanchor: "x", constrain: "domain" }) });

  function strainMap() {
    const { frames, labels, x, z, limits } = data.map;
    const last = frames.length - 1;
    draw("map", "Axial plastic strain in the plane x, z", [heat(frames[last], x, z, "Cividis", "plastic strain (%)",
      { zmin: limits[0], zmax: limits[1] })], square("x (nm), tension", "z (nm)"));
    const time = by("time"), told = by("time-value");
    time.max = last; time.value = last;
    const show = () => {
      told.textContent = labels[time.value];
      time.setAttribute("aria-valuetext", labels[time.value]);
      Plotly.restyle("map", { z: [frames[time.value]] }, [0]);
    };
    time.addEventListener("input", show);
    time.closest("label").hidden = last === 0;
    show();
  }

  function scans() {
    const choice = by("scan");
    data.scans.forEach((one, index) => choice.add(new Option(one.name, index)));
    const show = () => {
      const one = data.scans[choice.value];
      const places = one.bragg.map((_, index) => Number((one.step * index).toPrecision(4)));
      const two = [[0, "#d9d9d9"], [0.5, "#d9d9d9"], [0.5, "#0072B2"], [1, "#0072B2"]];
      const share = one.bragg.flat().reduce((a, b) => a + b, 0) / one.bragg.flat().length;
      draw("scan-bragg", `Bragg reflections in ${Math.round(100 * share)} % of the patterns`, [heat(one.bragg, places, places,
        two, "", { zmin: 0, zmax: 1, xgap: 1, ygap: 1, colorbar: { tickvals: [0.25, 0.75], ticktext: ["none", "Bragg"] } })],
      square("nm", "nm"));
      draw("scan-density", "Density image: Ni fraction through the foil", [heat(one.density, places, places, "Cividis",
        "Ni fraction", { xgap: 1, ygap: 1 })], square("nm", "nm"));
    };
    choice.addEventListener("change", show);
    show();
  }

  const failed = [];
  const parts = { curves: () => { curves(); bragg(); }, scene, map: strainMap, scans };
  for (const [name, part] of Object.entries(parts)) {
    try {
      if (data[name]) part();
    } catch (error) { // a browser without WebGL shows the rest
      failed.push(`${name}: ${error.message}`);
      by(`h-${name}`).insertAdjacentHTML("afterend", '<p class="warning">This browser cannot draw this part.</p>');
    }
  }
  finish(failed);
})(window.stzkmcPage);
