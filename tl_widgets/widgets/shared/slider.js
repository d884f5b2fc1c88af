// The browser's half of Slider: a native range input with a number field beside it, or (NumberInput) the field alone. `keepKeys` comes from keys.js,
// `make` from correspondence.js, `_` and `numberText` from Python.

const PAUSE = 70; // milliseconds between two values that are sent: at most 15 a second

function build() {
  const id = `tlw-slider-${Math.random().toString(36).slice(2)}`;
  const parts = {
    label: make("label", { htmlFor: id }),
    // Typing a number on the slider goes on in the field, so one Tab stop is enough.
    number: make("input", { type: "text", inputMode: "decimal", tabIndex: -1, autocomplete: "off" }),
    unit: make("span", { className: "tlw-slider-unit" }),
    low: make("span"),
    range: make("input", { type: "range", id }),
    high: make("span"),
    problem: make("p", { className: "tlw-slider-problem" }),
  };
  for (const element of [parts.unit, parts.low, parts.high]) element.setAttribute("aria-hidden", "true");
  parts.problem.setAttribute("role", "alert");
  const { label, number, unit, low, range, high, problem } = parts;
  const head = make("div", { className: "tlw-slider-head" }, label, number, unit);
  const track = make("div", { className: "tlw-slider-track" }, low, range, high);
  return { ...parts, track, root: make("div", { className: "tlw-slider" }, head, track, problem) };
}

function render({ model, el }) {
  const { root, label, number, unit, low, range, high, track, problem } = build();
  const hasTrack = model.get("has_track");
  if (!hasTrack) {
    track.remove();
    [number.id, range.id, number.tabIndex] = [range.id, "", 0];
    root.classList.add("tlw-number");
  }
  let stops = []; // the values of the slider's positions, if they are not evenly spaced
  let timer = 0;
  let sentAt = 0;
  let isDragged = false;
  let isTyped = false; // whether the number field has text that was not sent yet

  const point = numberText(0.5)[1];
  const spoken = (value) => numberText(value, { maximumSignificantDigits: 6 });
  const current = () => (stops.length ? stops[range.value] : Number(range.value));

  function showValue(value) {
    const top = value === model.get("max") ? model.get("top") : "";
    if (!isTyped) number.value = top || String(value).replace(".", point);
    unit.textContent = top ? "" : model.get("unit");
    range.setAttribute("aria-valuetext", top || `${spoken(value)} ${model.get("unit")}`.trim());
  }

  function show() {
    // Python may be a few values behind a slider that is being moved.
    const value = isDragged || timer ? current() : model.get("value");
    const name = model.get("description");
    const help = model.get("tooltip");
    const ends = [model.get("min"), model.get("max")];
    const listed = model.get("stops").filter((stop) => ends[0] < stop && stop < ends[1]);
    const step = hasTrack ? model.get("step") : "any"; // a field shows any number
    if (!isDragged) { // the track stays as it is under the pointer
      stops = model.get("stops").length ? [...new Set([...ends, ...listed, value])].sort((a, b) => a - b) : [];
      [range.min, range.max, range.step] = stops.length ? [0, stops.length - 1, 1] : [...ends, step];
    }
    range.value = stops.length ? stops.indexOf(value) : value;
    range.disabled = number.disabled = model.get("disabled");
    const sentence = help && !/[.!?]$/.test(help) ? `${help}.` : help;
    range.title = [sentence, _("Type a number to set it exactly.")].join(" ").trim();
    label.textContent = label.title = name;
    if (hasTrack) number.setAttribute("aria-label", _("{name}, as a number", { name }));
    else number.title = help;
    [low.textContent, high.textContent] = [spoken(ends[0]), model.get("top") || spoken(ends[1])];
    showValue(value);
  }

  function send() {
    timer = 0;
    sentAt = Date.now();
    if (current() === model.get("value")) return;
    model.set("value", current());
    model.save_changes();
  }

  function release() {
    isDragged = false;
    show();
  }

  // Send the slider's value, now or after a pause: the last one is always sent.
  function offer() {
    problem.textContent = "";
    showValue(current());
    timer ||= setTimeout(send, Math.max(0, sentAt + PAUSE - Date.now()));
  }

  function onAnswer(content) {
    if (content?.problem === undefined) return;
    problem.textContent = content.problem;
    show(); // after a rejected number, the value that still holds
  }

  range.oninput = range.onchange = offer;
  range.onpointerdown = () => (isDragged = true);
  range.onpointerup = range.onpointercancel = release;
  range.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^([\d.,-]|Enter)$/.test(event.key)) return;
    if (event.key === "Enter") event.preventDefault();
    number.focus(); // takes the key
    number.select();
  };
  number.oninput = () => (isTyped = true);
  number.onchange = () => {
    const text = number.value.trim();
    isTyped = false;
    if (text) model.send({ text });
    else show(); // an emptied field goes back to the value that holds
  };
  number.onkeydown = (event) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const typed = parseFloat(number.value.replace(point, "."));
      if (isTyped && !hasTrack && !Number.isNaN(typed)) range.value = typed;
      isTyped = false;
      const distance = hasTrack ? range.step : model.get("step");
      range.value = Number((Number(range.value) + step * distance).toPrecision(12));
      offer();
    } else if (event.key === "Enter") {
      if (hasTrack) range.focus(); // leaving the field sends its number
      else if (isTyped) number.onchange();
    } else if (event.key === "Escape") {
      if (isTyped) event.preventDefault(); // or else it would close the drawer, too
      isTyped = false;
      show();
      if (hasTrack) range.focus();
    }
  };
  const traits = ["value", "min", "max", "step", "stops", "disabled", "description", "unit", "tooltip", "top"];
  for (const trait of traits) model.on(`change:${trait}`, show);
  model.on("msg:custom", onAnswer);
  const free = keepKeys(() => root);
  el.append(root);
  show();
  return () => {
    if (timer) {
      clearTimeout(timer);
      send();
    }
    free();
    model.off("msg:custom", onAnswer);
    for (const trait of traits) model.off(`change:${trait}`, show);
  };
}

export default { render };
