"use strict";
(() => {
  const { symbols, parts, pieces, start } = JSON.parse(document.getElementById("shown").textContent);
  const [tokenBox, unitBox, readout] = ["tokens", "units", "readout"].map((id) => document.getElementById(id));
  const [pieceBox, layerBox, kindBox, numberBox] = ["piece", "layer", "kinds", "unit"].map((id) => document.getElementById(id));
  const state = { piece: 0, layer: start[0], kind: start[1], unit: start[2], place: 0 };
  const MOST_INK = 0.85;
  const COLUMNS = 20;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const partOf = () => parts.find(({ layer, kind }) => layer === state.layer && kind === state.kind);

  // The values of a part over a piece, a signed byte each, row by row; unpacked when they are first looked at.
  const unpacked = new Map();
  const values = () => {
    const key = `${state.layer}/${state.kind}`;
    const name = `${state.piece} ${key}`;
    if (!unpacked.has(name)) {
      const bytes = atob(pieces[state.piece].values[key]);
      unpacked.set(name, Int8Array.from(bytes, (character) => character.charCodeAt(0)));
    }
    return unpacked.get(name);
  };
  const value = (place, unit) => values()[place * partOf().units + unit] / 127;
  const paint = (element, amount) => {
    element.style.backgroundColor = `rgb(var(${amount < 0 ? "--low" : "--high"}) / ${(Math.abs(amount) * MOST_INK).toFixed(3)})`;
  };
  const signed = (amount) => `${amount < 0 ? "−" : "+"}${Math.abs(amount).toFixed(2)}`;
  const shownSymbol = (label) => ({ "\n": "↵", " ": "␣" })[symbols[label]] ?? symbols[label];

  let tokenElements = [];
  let unitElements = [];

  const drawText = ({ tokens }) => {
    const isText = tokens.every((label) => symbols[label].length === 1 || symbols[label].startsWith("<"));
    tokenBox.className = isText ? "tokens text" : "tokens text apart";
    return tokens.map((label) => {
      const symbol = symbols[label];
      const isMark = symbol.length > 1 && isText;
      return make("span", { className: isMark ? "token mark" : "token" }, symbol === "\n" ? "↵\n" : symbol);
    });
  };
  // A step is a column; what sounds there is a bar at its pitch. The steps of a bar stay on one line.
  const drawRoll = ({ roll }) => {
    tokenBox.className = "tokens";
    const rows = Math.max(roll.high - roll.low + 3, 12);
    return roll.pitches.map((pitch, place) => {
      const step = make("span", { className: "step" });
      if (pitch >= 0) {
        const note = make("i", { className: roll.onsets[place] ? "onset" : "" });
        note.style.bottom = `${(100 * (pitch - roll.low + 1)) / rows}%`;
        note.style.height = `${100 / rows}%`;
        step.append(note);
      }
      return step;
    });
  };
  const drawPiece = () => {
    const piece = pieces[state.piece];
    tokenElements = piece.roll ? drawRoll(piece) : drawText(piece);
    tokenElements.forEach((element, place) => {
      element.id = `token-${place}`;
      element.dataset.place = place;
      element.setAttribute("role", "option");
      element.setAttribute("aria-label", `${place + 1}: ${shownSymbol(piece.tokens[place])}`);
    });
    if (!piece.roll) return tokenBox.replaceChildren(...tokenElements);
    const steps = piece.roll.stepsPerBar || tokenElements.length;
    const bars = [];
    for (let first = 0; first < tokenElements.length; first += steps) {
      const bar = make("span", { className: "bar" }, ...tokenElements.slice(first, first + steps));
      bar.setAttribute("role", "presentation");
      bars.push(bar);
    }
    tokenBox.replaceChildren(...bars);
  };
  const drawUnits = () => {
    unitElements = Array.from({ length: partOf().units }, (_, unit) => {
      const element = make("span", { id: `unit-${unit}`, title: `unit ${unit}` });
      element.dataset.unit = unit;
      element.setAttribute("role", "option");
      element.setAttribute("aria-label", `unit ${unit}`);
      return element;
    });
    unitBox.replaceChildren(...unitElements);
  };
  const drawKinds = () => {
    const kinds = parts.filter(({ layer }) => layer === state.layer).map(({ kind }) => kind);
    if (!kinds.includes(state.kind)) state.kind = kinds[0];
    kindBox.replaceChildren(kindBox.firstElementChild, ...kinds.map((kind) => make("label", {},
      make("input", { type: "radio", name: "kind", value: kind, checked: kind === state.kind }), kind)));
  };

  const mark = (box, elements, index) => {
    for (const element of box.querySelectorAll(".current")) {
      element.classList.remove("current");
      element.setAttribute("aria-selected", "false");
    }
    elements[index].classList.add("current");
    elements[index].setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", elements[index].id);
  };
  const showPlace = () => {
    mark(tokenBox, tokenElements, state.place);
    unitElements.forEach((element, unit) => paint(element, value(state.place, unit)));
    const piece = pieces[state.piece];
    const next = piece.tokens[state.place + 1];
    const likeliest = piece.likeliest[state.place].map(([label, share]) => {
      const bar = make("span", { className: "share" });
      bar.style.width = `${100 * share}%`;
      return make("li", { className: label === next ? "comes" : "" },
        make("b", {}, shownSymbol(label)), make("span", {}, bar), make("span", {}, `${(100 * share).toFixed(1)}%`));
    });
    readout.replaceChildren(
      make("p", {}, make("strong", {}, shownSymbol(piece.tokens[state.place])), ` at ${state.place + 1} of ${piece.tokens.length}`),
      make("p", {}, `layer ${state.layer}, ${state.kind}, unit ${state.unit}: `,
        make("strong", { id: "value" }, signed(value(state.place, state.unit)))),
      make("p", {}, likeliest.length ? "Likeliest next; bold is what comes:" : "The end."),
      make("ol", {}, ...likeliest));
  };
  const showUnit = () => {
    numberBox.value = state.unit;
    tokenElements.forEach((element, place) => paint(element, value(place, state.unit)));
    mark(unitBox, unitElements, state.unit);
    showPlace();
  };
  const showPart = () => {
    const { units } = partOf();
    numberBox.max = units - 1;
    state.unit = Math.min(state.unit, units - 1);
    layerBox.value = state.layer;
    drawKinds();
    drawUnits();
    showUnit();
  };
  const showPiece = () => {
    state.place = 0;
    drawPiece();
    showPart();
  };

  const within = (index, length) => Math.max(0, Math.min(length - 1, index));
  const goTo = (place) => {
    state.place = within(place, tokenElements.length);
    showPlace();
    tokenElements[state.place].scrollIntoView({ block: "nearest" });
  };
  const pick = (unit) => {
    if (!Number.isInteger(unit)) return;
    state.unit = within(unit, partOf().units);
    showUnit();
  };
  // The nearest element on the line above or below.
  const onOtherLine = (direction) => {
    const here = tokenElements[state.place].getBoundingClientRect();
    let [best, nearest] = [state.place, Infinity];
    let line = null;
    for (let place = state.place + direction; tokenElements[place]; place += direction) {
      const there = tokenElements[place].getBoundingClientRect();
      if (Math.abs(there.top - here.top) < 4) continue;
      line ??= there.top;
      if (Math.abs(there.top - line) > 4) break;
      if (Math.abs(there.left - here.left) < nearest) [best, nearest] = [place, Math.abs(there.left - here.left)];
    }
    return best;
  };
  const onKeys = (box, actions) => box.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  });
  onKeys(tokenBox, {
    ArrowLeft: () => goTo(state.place - 1), ArrowRight: () => goTo(state.place + 1),
    ArrowUp: () => goTo(onOtherLine(-1)), ArrowDown: () => goTo(onOtherLine(1)),
    Home: () => goTo(0), End: () => goTo(tokenElements.length - 1),
    PageUp: () => pick(state.unit - 1), PageDown: () => pick(state.unit + 1),
  });
  onKeys(unitBox, {
    ArrowLeft: () => pick(state.unit - 1), ArrowRight: () => pick(state.unit + 1),
    ArrowUp: () => pick(state.unit - COLUMNS), ArrowDown: () => pick(state.unit + COLUMNS),
    Home: () => pick(0), End: () => pick(partOf().units - 1),
  });
  for (const kind of ["pointerover", "click"]) {
    tokenBox.addEventListener(kind, ({ target }) => {
      const element = target.closest("[data-place]");
      if (element && Number(element.dataset.place) !== state.place) {
        state.place = Number(element.dataset.place);
        showPlace();
      }
    });
  }
  unitBox.addEventListener("click", ({ target }) => target.dataset.unit && pick(Number(target.dataset.unit)));
  pieceBox.addEventListener("change", () => { state.piece = Number(pieceBox.value); showPiece(); });
  layerBox.addEventListener("change", () => { state.layer = Number(layerBox.value); showPart(); });
  kindBox.addEventListener("change", ({ target }) => { state.kind = target.value; showPart(); });
  numberBox.addEventListener("input", () => numberBox.value !== "" && pick(Number(numberBox.value)));
  document.querySelector(".pickers").addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("[data-unit].follower")) {
    button.addEventListener("click", () => {
      const [layer, kind, unit] = button.dataset.unit.split("/");
      Object.assign(state, { layer: Number(layer), kind, unit: Number(unit) });
      showPart();
      tokenBox.scrollIntoView({ block: "nearest" });
    });
  }

  pieceBox.append(...pieces.map(({ name }, number) => make("option", { value: number }, name)));
  layerBox.append(...[...new Set(parts.map(({ layer }) => layer))].map((layer) => make("option", { value: layer }, layer)));
  showPiece();
})();
