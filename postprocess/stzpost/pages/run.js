// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of a run's page. What is not in the data has no section, and nothing here looks for it.
"use strict";
((kit) => {
  const { data, by, plot, redraw, axis, below, bar, safe } = kit;
  const MOST_MARKS = 250; // of a curve: each is an element of the page

  // Every so many of the values that are numbers, of two columns.
  function thinned(x, y, most) {
    const kept = x.map((_, index) => index).filter((index) => x[index] > 0 && y[index] > 0);
    const step = Math.max(1, kept.length / most);
    const chosen = kept.filter((_, place) => Math.floor(place / step) !== Math.floor((place - 1) / step));
    return { x: chosen.map((index) => x[index]), y: chosen.map((index) => y[index]) };
  }

  function curves() {
    const legend = data.curves.length > 1 ? { showlegend: true, legend: below() } : {};
    plot("stress-strain", () => ({ title: "Axial stress against strain",
      traces: data.curves.map((one) => ({ x: one.strain, y: one.stress, name: safe(one.name), mode: "lines" })),
      layout: { xaxis: axis("axial strain (%)"), yaxis: axis("axial stress (GPa)"), ...legend } }));
    plot("stress-time", Object.assign(() => stressTime(legend), { timed: true }));
    plot("rate", () => ({ title: "Plastic strain rate against stress",
      traces: data.curves.map((one) => ({ ...thinned(one.stress, one.rate, MOST_MARKS), name: safe(one.name), mode: "markers",
        marker: { size: 4 } })),
      layout: { xaxis: axis("axial stress (GPa)"), yaxis: axis("plastic strain rate (1/s)",
        kit.logarithmic(data.curves.flatMap((one) => one.rate))), ...legend } }));
  }

  function stressTime(legend) {
    const traces = data.curves.map((one) => {
      const later = one.time.map((_, index) => index).filter((index) => one.time[index] > 0);
      return { x: later.map((index) => one.time[index]), y: later.map((index) => one.stress[index]), name: safe(one.name),
        mode: later.length > MOST_MARKS ? "lines" : "lines+markers", marker: { size: 4 } };
    });
    const layout = { yaxis: axis("axial stress (GPa)"), ...legend };
    if (data.fit) {
      traces.push({ x: data.fit.time, y: data.fit.stress, name: data.fit.label, mode: "lines",
        line: { color: "#D55E00", dash: "dash" } });
      const marks = Object.entries(data.fit.marks);
      layout.shapes = marks.map(([, at]) => ({ type: "line", x0: at, x1: at, y0: 0, y1: 1, yref: "paper",
        line: { color: "#bbb", width: 1 } }));
      const close = (n) => n > 0 && marks[n][1] < 2 * marks[n - 1][1]; // then its name is at the other side of the line
      layout.annotations = marks.map(([name, at], n) => ({ x: Math.log10(at), y: 1, yref: "paper", yanchor: "top", text: name,
        xanchor: close(n) ? "left" : "right", textangle: -90, showarrow: false, font: { size: 11, color: "#5c5c5c" } }));
      Object.assign(layout, { showlegend: true, legend: below() });
    }
    layout.xaxis = kit.timeAxis("time from the segment's clock zero", "stress-time", traces.flatMap((one) => one.x));
    return { title: "Axial stress against time", traces, layout };
  }

  function bragg() {
    if (!data.bragg) { by("bragg").closest("figure").remove(); return; }
    const { strain, fraction, error, expected } = data.bragg;
    plot("bragg", () => ({ title: "Patterns with Bragg reflections against strain", traces: [
      { x: strain, y: expected, mode: "lines", name: "expectation", line: { color: "#D55E00", dash: "dash" } },
      { x: strain, y: fraction, mode: "markers", name: "mean of scans ± standard error", error_y: { array: error },
        marker: { color: "#0072B2", size: 8 } }],
    layout: { xaxis: axis("axial strain (%)"), yaxis: axis("fraction", { range: [0, 1] }), showlegend: true, legend: below() } }));
  }

  // ---- In space

  // Numbers that Python packed: 16 or 32 bits each, in base64.
  function unpack(text, bits) {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    return bits === 16 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
  }

  // A surface as plotly takes it: three columns of corners (nm), three of the triangles.
  function mesh({ corners, triangles, bits }) {
    const place = Float32Array.from(unpack(corners, 16), (one) => one * data.scene.unit_nm);
    const thirds = (all) => [0, 1, 2].map((n) => all.subarray(n * all.length / 3, (n + 1) * all.length / 3));
    const [x, y, z] = thirds(place), [i, j, k] = thirds(unpack(triangles, bits));
    return { type: "mesh3d", x, y, z, i, j, k, color: "#bfb273", opacity: 0.5, flatshading: false, hoverinfo: "skip" };
  }

  function hasWebGL() {
    try {
      return Boolean(document.createElement("canvas").getContext("webgl"));
    } catch (error) {
      return false;
    }
  }

  // The part of plotly that draws in space is read when it is needed, beside the part that is there.
  let solid;
  function readLibrary() {
    const flat = window.Plotly, script = document.createElement("script");
    script.textContent = by("plotly-space").textContent;
    document.head.append(script);
    solid = window.Plotly;
    window.Plotly = flat;
  }

  // The still picture stays, or comes back, and the controls go.
  function beStill() {
    const figure = by("scene").closest("figure");
    figure.classList.remove("live");
    figure.classList.add("still-only");
    by("scene-controls").hidden = true;
    by("no-webgl").hidden = false;
  }

  function prepare() {
    if (!hasWebGL()) { beStill(); return false; }
    readLibrary();
    return true;
  }

  // What has WebGL may still refuse to draw so much, or lose it later.
  function after(place) {
    const giveUp = () => { kit.drop("scene"); beStill(); };
    if (place.querySelector(".no-webgl")) giveUp();
    else place.on("plotly_webglcontextlost", giveUp);
  }

  let angle = 40;
  function eye() {
    const far = kit.narrow() ? 2.5 : 2.1, turn = angle * Math.PI / 180;
    return { x: far * Math.cos(turn), y: far * Math.sin(turn), z: 0.43 * far };
  }

  function space() {
    const { surfaces, events } = data.scene, traces = [];
    if (surfaces.length) traces.push(mesh(surfaces[by("iso").value]));
    if (events) {
      const { unit, length, logarithmic } = data.scene.clock;
      const own = events.time.map((one) => one / length);
      traces.push({ type: "scatter3d", mode: "markers", x: events.x, y: events.y, z: events.z, name: "events",
        visible: by("show-events").checked,
        marker: { size: 2.2, color: logarithmic ? events.time.map(Math.log10) : own, colorscale: "Viridis", opacity: 0.85,
          colorbar: bar(logarithmic ? "time" : `time (${unit})`, { len: kit.narrow() ? 1 : 0.7, y: kit.narrow() ? -0.02 : 0.5,
            ...(logarithmic ? kit.logTicks(events.time, kit.narrow() ? 4 : 8) : {}) }) },
        customdata: own, hovertemplate: `%{x:.2f}, %{y:.2f}, %{z:.2f} nm<br>%{customdata:.4g} ${unit}<extra></extra>` });
    }
    by("scene").closest("figure").classList.add("live");
    const place = (title) => ({ title: { text: title }, nticks: 6 });
    const frame = { xaxis: place("x (nm)"), yaxis: place("y (nm)"), zaxis: place("z (nm)"), aspectmode: "data",
      camera: { eye: eye() }, uirevision: "kept" };
    return { title: data.scene.title, traces, layout: { scene: frame, margin: { l: 0, r: 0, t: 0, b: 0 } } };
  }

  function scene() {
    const { surfaces, mean, first, events } = data.scene;
    const iso = by("iso"), told = by("iso-value");
    by("scene-controls").hidden = false;
    iso.closest("span").hidden = surfaces.length < 2;
    iso.max = Math.max(0, surfaces.length - 1); iso.value = first;
    const show = () => {
      if (!surfaces.length) return;
      told.textContent = `${surfaces[iso.value].level.toFixed(3)} (mean ${mean.toFixed(3)})`;
      iso.setAttribute("aria-valuetext", told.textContent);
      redraw("scene");
    };
    iso.addEventListener("input", show);
    for (const button of document.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => {
        angle += Number(button.dataset.turn);
        if (by("scene").layout) solid.relayout("scene", { "scene.camera.eye": eye() });
      });
    }
    by("show-events").closest("label").hidden = !events;
    by("show-events").addEventListener("change", () => redraw("scene"));
    plot("scene", space, { prepare, library: () => solid, after });
    show();
  }

  // ---- Maps

  function heat(values, x, y, scale, title, more, ticks) {
    return { type: "heatmap", z: values, x, y, colorscale: scale, colorbar: bar(title, ticks), ...more };
  }
  const square = (x, y) => ({ xaxis: axis(x, { constrain: "domain" }), yaxis: axis(y, { scaleanchor: "x", constrain: "domain" }) });

  function strainMap() {
    const { frames, labels, x, z, limits } = data.map;
    const time = by("time"), told = by("time-value"), last = frames.length - 1;
    time.max = last; time.value = last;
    plot("map", () => ({ title: `Axial plastic strain in the plane x, z: ${labels[time.value]}`,
      traces: [heat(frames[time.value], x, z, "Cividis", "plastic strain (%)", { zmin: limits[0], zmax: limits[1] })],
      layout: square("x (nm), tension", "z (nm)") }));
    const show = () => {
      told.textContent = labels[time.value];
      time.setAttribute("aria-valuetext", labels[time.value]);
      redraw("map");
    };
    time.addEventListener("input", show);
    time.closest("label").hidden = last === 0;
    show();
  }

  function scans() {
    const choice = by("scan");
    data.scans.forEach((one, index) => choice.add(new Option(one.name, index)));
    const chosen = () => data.scans[choice.value];
    const places = () => chosen().bragg.map((_, index) => Number((chosen().step * index).toPrecision(4)));
    const two = [[0, "#d9d9d9"], [0.5, "#d9d9d9"], [0.5, "#0072B2"], [1, "#0072B2"]];
    plot("scan-bragg", () => {
      const all = chosen().bragg.flat(), share = all.reduce((a, b) => a + b, 0) / all.length;
      return { title: `${chosen().name}: Bragg reflections in ${Math.round(100 * share)} % of the patterns`,
        traces: [heat(chosen().bragg, places(), places(), two, "", { zmin: 0, zmax: 1, xgap: 1, ygap: 1 },
          { tickvals: [0.25, 0.75], ticktext: ["none", "Bragg"] })], layout: square("nm", "nm") };
    });
    plot("scan-density", () => ({ title: `${chosen().name}: density image, Ni fraction through the foil`,
      traces: [heat(chosen().density, places(), places(), "Cividis", "Ni fraction", { xgap: 1, ygap: 1 })],
      layout: square("nm", "nm") }));
    choice.addEventListener("change", () => redraw("scan-bragg", "scan-density"));
  }

  const parts = { curves: () => { curves(); bragg(); }, scene, map: strainMap, scans };
  for (const [name, part] of Object.entries(parts)) if (data[name]) part();
})(window.stzkmcPage);
