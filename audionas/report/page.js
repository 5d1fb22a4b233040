"use strict";
// What moves on a report: the chart of trials and the slider over epochs. Texts from files become text nodes only.
(() => {
  const SVG = "http://www.w3.org/2000/svg";

  function put(parent, name, attributes, ...children) {
    const isSvg = parent.namespaceURI === SVG || name === "svg";
    const made = isSvg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    parent.append(made);
    return made;
  }

  // ---- numbers -------------------------------------------------------------------------------------------------

  const score = (value) => value.toFixed(3);

  function amount(value) {
    for (const [size, unit] of [[1e9, " G"], [1e6, " M"]]) {
      if (Math.abs(value) >= size) return Number((value / size).toPrecision(3)) + unit;
    }
    return Number.isInteger(value) ? value.toLocaleString("en-GB") : String(Number(value.toPrecision(4)));
  }

  function scale(values, from, to, isLog) {
    const turn = isLog ? Math.log10 : (value) => value;
    let low = Math.min(...values.map(turn)), high = Math.max(...values.map(turn));
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    low -= room;
    high += room;
    const place = (value) => from + ((turn(value) - low) / (high - low)) * (to - from);
    return { place, ticks: isLog ? logTicks(low, high) : evenTicks(low, high, 5) };
  }

  function evenTicks(low, high, n) {
    const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= raw);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push(Number((k * step).toPrecision(12)));
    return found;
  }

  function logTicks(low, high) {
    const found = [];
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const k of high - low < 2 ? [1, 2, 5] : [1]) {
        const exponent = power + Math.log10(k);
        if (exponent >= low && exponent <= high) found.push(k * 10 ** power);
      }
    }
    return found;
  }

  // ---- drawn cells: lists of shapes, laid out in Python (drawing_list.py) ----------------------------------------

  function tint(colour) {
    const channels = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return "rgb(" + channels.map((c) => Math.round(c + (255 - c) * 0.86)).join(",") + ")";
  }

  function paint(parent, title, drawing, ops, colours, weights) {
    const [width, height, shapes] = drawing;
    const style = `width:${width}pt;min-width:${0.6 * width}pt`;
    const drawn = put(parent, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, style });
    const hue = (colour) => (typeof colour === "number" ? colours[ops[colour]] : colour);
    const word = (text) => {
      if (typeof text !== "number") return text;
      return weights && weights[text] !== null ? `${ops[text]} ${weights[text].toFixed(2)}` : ops[text];
    };
    const text = (x, y, size, fill, content, anchor) =>
      put(drawn, "text", { x, y: y + size * 0.36, "font-size": size, fill, "text-anchor": anchor || "middle" }, content);
    const makers = {
      line: (c, x1, y1, x2, y2) => put(drawn, "line", { x1, y1, x2, y2, stroke: hue(c), "stroke-width": 1.5 }),
      curve: (c, x1, y1, x2, y2) => {
        const middle = (x1 + x2) / 2, d = `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
        put(drawn, "path", { d, fill: "none", stroke: "#ffffff", "stroke-width": 4.4 });
        put(drawn, "path", { d, fill: "none", stroke: hue(c), "stroke-width": 1.5 });
      },
      arrow: (c, x1, y1, x2, y2) => {
        const length = Math.hypot(x2 - x1, y2 - y1) || 1, ux = (x2 - x1) / length, uy = (y2 - y1) / length;
        const [bx, by] = [x2 - 6.5 * ux, y2 - 6.5 * uy];
        put(drawn, "line", { x1, y1, x2: bx, y2: by, stroke: hue(c), "stroke-width": 1.5 });
        const points = `${x2},${y2} ${bx - 3.2 * uy},${by + 3.2 * ux} ${bx + 3.2 * uy},${by - 3.2 * ux}`;
        put(drawn, "polygon", { points, fill: hue(c) });
      },
      dot: (c, cx, cy) => put(drawn, "circle", { cx, cy, r: 2.3, fill: hue(c) }),
      node: (c, cx, cy, r, label) => {
        put(drawn, "circle", { cx, cy, r, fill: "#e9ebee", stroke: c });
        text(cx, cy, 10, "#1c1f24", label);
      },
      box: (c, x, y, w, h, label, below) => {
        put(drawn, "rect", { x, y, width: w, height: h, rx: 4, fill: tint(hue(c)), stroke: hue(c) });
        text(x + w / 2, y + h / 2 - (below ? 6 : 0), 10, "#1c1f24", word(label));
        if (below) text(x + w / 2, y + h / 2 + 7, 8, "#4a4f57", below);
      },
      note: (c, x, y, label) => text(x, y, 8, hue(c), label, "start"),
    };
    for (const [kind, ...values] of shapes) makers[kind](...values);
    return drawn;
  }

  function card(parent, title, isWide) {
    const figure = put(parent, "figure", isWide ? { class: "wide" } : {});
    put(figure, "h3", {}, title);
    return put(figure, "div", { class: "scroll", tabindex: "0" });
  }

  // ---- a genotype as text ------------------------------------------------------------------------------------------

  function pretty(value, pad = "") {
    const short = JSON.stringify(value);
    if (short.length + pad.length < 88 || value === null || typeof value !== "object") return short;
    const inner = pad + "  ", isList = Array.isArray(value);
    const lines = Object.entries(value).map(([key, item]) => (isList ? "" : JSON.stringify(key) + ": ") + pretty(item, inner));
    return `${isList ? "[" : "{"}\n${inner}${lines.join(",\n" + inner)}\n${pad}${isList ? "]" : "}"}`;
  }

  function copyButton(parent, text, source) {
    const button = put(parent, "button", { type: "button" }, "Copy JSON");
    const done = () => { button.textContent = "Copied"; };
    button.addEventListener("click", () => {
      const byHand = () => {
        getSelection().selectAllChildren(source);
        if (document.execCommand("copy")) done();
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
      else byHand();
    });
  }

  // ---- trials ------------------------------------------------------------------------------------------------------

  function trials(root, data) {
    const controls = put(root, "div", { class: "controls" });
    const yMenu = menu(controls, "Up", data.ys), xMenu = menu(controls, "Across", data.xs);
    const label = put(controls, "label");
    const front = put(label, "input", { type: "checkbox" });
    front.checked = true;
    label.append(" Pareto front of the two");
    const pair = put(root, "div", { class: "pair" });
    const left = put(pair, "div");
    const plot = put(left, "div", {
      class: "plot", tabindex: "0", role: "group",
      "aria-label": "Chart of trials: arrow keys go from trial to trial, Enter shows the genotype",
    });
    const tip = put(plot, "div", { class: "tip", role: "status", hidden: "" });
    const caption = put(left, "p", { class: "note" });
    const panel = put(pair, "div", { class: "chosen", "aria-live": "polite" });
    let dots = [], chosen = data.chosen, near = -1, drawn = null;

    function draw() {
      const width = plot.clientWidth, height = Math.round(Math.min(400, Math.max(280, width * 0.7)));
      if (!width) return;
      const y = data.ys[yMenu.value], x = data.xs[xMenu.value];
      const shown = data.trials.filter((trial) => trial.scores[y.key] !== undefined && trial.costs[x.key] !== undefined);
      if (drawn) drawn.remove();
      drawn = put(plot, "svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
      plot.prepend(drawn);
      near = -1;
      tip.hidden = true;
      dots = [];
      caption.textContent = shown.length
        ? `${shown.length} of ${data.trials.length} trials have both; better is up${y.lower ? " (a loss: low is up)" : ""} and left.` + data.note
        : "No trial has both yet.";
      if (!shown.length) return;
      const xs = shown.map((trial) => trial.costs[x.key]), ys = shown.map((trial) => trial.scores[y.key]);
      const isLog = Math.min(...xs) > 0 && Math.max(...xs) > 10 * Math.min(...xs);
      const across = scale(xs, 58, width - 12, isLog), up = scale(ys, y.lower ? 10 : height - 46, y.lower ? height - 46 : 10, false);
      axes(drawn, width, height, across, up, x.name + (isLog ? " (logarithmic)" : ""), y.name);
      dots = shown.map((trial) => ({ trial, x: across.place(trial.costs[x.key]), y: up.place(trial.scores[y.key]) }));
      dots.sort((a, b) => a.x - b.x || a.y - b.y);
      const best = front.checked ? pareto(dots.filter((dot) => !dot.trial.pale)) : [];
      if (best.length > 1) put(drawn, "polyline", { class: "front", points: best.map((dot) => `${dot.x},${dot.y}`).join(" ") });
      const radius = shown.length > 300 ? 3.5 : 5;
      for (const dot of [...dots].sort((a, b) => best.includes(a) - best.includes(b))) {
        const kind = (best.includes(dot) ? "dot best" : "dot") + (dot.trial.pale ? " pale" : "");
        put(drawn, "circle", { class: kind, cx: dot.x, cy: dot.y, r: radius, "data-trial": dot.trial.number });
      }
      ring();
    }

    function ring() {
      drawn.querySelectorAll(".ring").forEach((old) => old.remove());
      const marks = [[dots.find((dot) => dot.trial.number === chosen), "ring", 9], [dots[near], "ring near", 7]];
      for (const [dot, kind, r] of marks) if (dot) put(drawn, "circle", { class: kind, cx: dot.x, cy: dot.y, r });
    }

    function hover(index) {
      if (index === near) return;
      near = index;
      ring();
      tip.hidden = index < 0;
      if (index < 0) return;
      const { trial, x, y } = dots[index];
      tip.replaceChildren();
      put(tip, "b", {}, `Trial ${trial.number}`);
      for (const [name, value] of facts(data, trial)) put(tip, "span", {}, `${name}: ${value}`);
      const left = Math.min(Math.max(0, x + 14), plot.clientWidth - tip.offsetWidth);
      tip.style.left = (left < x && left + tip.offsetWidth > x ? Math.max(0, x - 14 - tip.offsetWidth) : left) + "px";
      tip.style.top = Math.max(0, Math.min(y + 12, drawn.clientHeight - tip.offsetHeight)) + "px";
    }

    function nearest(event) {
      const box = drawn.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
      let found = -1, least = 18;
      dots.forEach((dot, index) => {
        const away = Math.hypot(dot.x - px, dot.y - py);
        if (away < least) [found, least] = [index, away];
      });
      return found;
    }

    function choose(index) {
      if (index < 0) return;
      chosen = dots[index].trial.number;
      ring();
      showTrial(panel, data, dots[index].trial);
    }

    plot.addEventListener("pointermove", (event) => hover(nearest(event)));
    plot.addEventListener("pointerleave", () => hover(-1));
    plot.addEventListener("blur", () => hover(-1));
    plot.addEventListener("click", (event) => { const index = nearest(event); hover(index); choose(index); });
    plot.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1 };
      if (event.key in steps && dots.length) {
        const from = near < 0 ? dots.findIndex((dot) => dot.trial.number === chosen) : near;
        hover(Math.min(dots.length - 1, Math.max(0, from + steps[event.key])));
        event.preventDefault();
      } else if (event.key === "Enter" || event.key === " ") {
        choose(near);
        event.preventDefault();
      } else if (event.key === "Escape") hover(-1);
    });
    for (const control of [yMenu, xMenu, front]) control.addEventListener("change", draw);
    new ResizeObserver(draw).observe(plot);
    const first = data.trials.find((trial) => trial.number === chosen);
    if (first) showTrial(panel, data, first);
    else put(panel, "p", { class: "note" }, "Click a trial to see its genotype.");
  }

  function menu(parent, name, options) {
    const label = put(parent, "label", {}, name + " ");
    const made = put(label, "select");
    options.forEach((option, index) => put(made, "option", { value: index }, option.name));
    return made;
  }

  function axes(drawn, width, height, across, up, xName, yName) {
    for (const value of up.ticks) {
      const y = up.place(value);
      put(drawn, "line", { class: "grid", x1: 54, x2: width - 8, y1: y, y2: y });
      put(drawn, "text", { x: 50, y: y + 4, "text-anchor": "end" }, String(Number(value.toPrecision(6))));
    }
    let end = 0;
    for (const value of across.ticks) {
      const x = across.place(value), text = amount(value), half = text.length * 3.6;
      put(drawn, "line", { class: "grid", x1: x, x2: x, y1: 8, y2: height - 42 });
      if (x - half < end || x + half > width) continue;
      put(drawn, "text", { x, y: height - 26, "text-anchor": "middle" }, text);
      end = x + half + 6;
    }
    put(drawn, "text", { x: (width + 54) / 2, y: height - 6, "text-anchor": "middle", class: "axis" }, xName);
    put(drawn, "text", { transform: `translate(13 ${(height - 42) / 2}) rotate(-90)`, "text-anchor": "middle", class: "axis" }, yName);
  }

  // Dots come from left to right; of those above each other the best (uppermost) first.
  function pareto(dots) {
    let height = Infinity;
    return dots.filter((dot) => dot.y < height && ((height = dot.y), true));
  }

  function facts(data, trial) {
    const rows = data.ys.filter((y) => trial.scores[y.key] !== undefined).map((y) => [y.name, score(trial.scores[y.key])]);
    rows.push(...data.xs.filter((x) => trial.costs[x.key] !== undefined).map((x) => [x.name, amount(trial.costs[x.key])]));
    return [...rows, ...trial.facts];
  }

  function showTrial(panel, data, trial) {
    panel.replaceChildren();
    put(panel, "h3", { class: "which" }, `Trial ${trial.number}`);
    const list = put(panel, "dl");
    for (const [name, value] of facts(data, trial)) {
      const row = put(list, "div");
      put(row, "dt", {}, name);
      put(row, "dd", {}, value);
    }
    for (const [title, drawing, ops] of trial.drawn) {
      paint(card(panel, title), `${title} of trial ${trial.number}`, data.drawings[drawing], ops, data.colours);
    }
    if (!trial.genotype) {
      put(panel, "p", { class: "note" }, "Its genotype is not on record in a form that this page can read.");
      return;
    }
    const whole = { ...data.shared, ...trial.genotype };
    const recipe = trial.drawn.length ? {} : whole.recipe || {};
    const words = Object.entries(recipe).map(([name, node]) => `${name} = ${node.op}(${node.input.join(", ")})`);
    for (const line of words) put(panel, "span", { class: "line" }, line);
    const text = pretty(Object.fromEntries(data.order.filter((key) => key in whole).map((key) => [key, whole[key]])));
    const head = put(panel, "div", { class: "controls" });
    put(head, "b", {}, "genotype.json");
    copyButton(head, text, put(put(panel, "pre", { class: "json" }), "code", {}, text));
  }

  // ---- epochs of a one-shot search ---------------------------------------------------------------------------------

  function epochs(root, data) {
    const controls = put(root, "div", { class: "slider" });
    const where = put(controls, "output", { class: "where" });
    const slider = put(controls, "input", {
      type: "range", min: 0, max: data.epochs.length - 1, step: 1, "aria-label": "Epoch of the search",
    });
    slider.value = data.epochs.length - 1;
    const marks = put(controls, "div", { class: "marks", "aria-hidden": "true" });
    for (const index of data.changes) {
      const share = index / Math.max(1, data.epochs.length - 1);
      put(marks, "i", { style: `left:calc(8px + (100% - 16px) * ${share})`, title: `changed at epoch ${data.epochs[index]}` });
    }
    put(controls, "p", { class: "note" }, data.note);
    const cells = put(root, "div", { class: "gallery" });
    const tables = put(root, "div", { class: "gallery" });
    const heats = data.tables.map((table) => heat(tables, table));

    function show() {
      const index = Number(slider.value), genotype = data.genotypes[data.of[index]];
      const since = data.changes.filter((change) => change <= index).pop();
      const text = `Epoch ${data.epochs[index]} of ${data.epochs[data.epochs.length - 1]}`;
      where.textContent = text + (since === undefined ? ": the genotype is as after the first epoch"
        : since === index ? ": the genotype changed here" : `: unchanged since epoch ${data.epochs[since]}`);
      slider.setAttribute("aria-valuetext", where.textContent);
      cells.replaceChildren();
      for (const [title, drawing, ops, table, places] of genotype.drawn) {
        const own = table < 0 ? null : data.tables[table].weights[index];
        const weights = own && places.map((place) => (place ? own[place[0]][place[1]] : null));
        paint(card(cells, title, data.drawings[drawing][0] > 480), `${title} at epoch ${data.epochs[index]}`, data.drawings[drawing], ops, data.colours, weights);
      }
      const words = put(cells, "div", { class: "wide" });
      for (const line of genotype.words) put(words, "span", { class: "line" }, line);
      heats.forEach((fill, table) => fill(data.tables[table].weights[index], genotype.kept[table]));
    }
    slider.addEventListener("input", show);
    show();
  }

  function heat(parent, table) {
    const figure = put(parent, "figure");
    put(figure, "h3", {}, table.title);
    const made = put(put(figure, "div", { class: "sideways", tabindex: "0" }), "table", { class: "heat" });
    const head = put(put(made, "thead"), "tr");
    put(head, "td");
    for (const column of table.columns) put(put(head, "th", { scope: "col" }), "span", {}, column);
    const body = put(made, "tbody");
    const cells = table.rows.map((row) => {
      const line = put(body, "tr");
      put(line, "th", { scope: "row" }, row);
      return table.columns.map(() => put(line, "td"));
    });
    return (weights, kept) => {
      const top = Math.max(0.5, ...weights.flat().filter((weight) => weight !== null));
      cells.forEach((line, row) => line.forEach((cell, column) => {
        const weight = weights[row][column];
        cell.textContent = weight === null ? "" : weight.toFixed(2);
        cell.style.background = weight === null ? "" : `rgba(33, 102, 172, ${(0.65 * weight) / top})`;
        cell.className = kept.some(([r, c]) => r === row && c === column) ? "kept" : "";
      }));
    };
  }

  for (const root of document.querySelectorAll(".explorer")) {
    const data = JSON.parse(root.querySelector("script").textContent);
    const room = document.createElement("div");
    (data.kind === "trials" ? trials : epochs)(room, data);
    root.prepend(room);
    root.classList.add("moves");
  }
})();
