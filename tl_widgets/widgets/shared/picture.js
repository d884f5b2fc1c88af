// The browser's half of Picture. It shows markup and sends the key of what is clicked. `keepKeys` comes from keys.js.
// New markup changes the elements that are there instead of replacing them, so focus, hover and a press in progress stay.

const STOPS = "[data-stop], [data-click]"; // what the arrow keys reach inside [data-roam]
const NATIVE = "button, a[href], summary, input, select"; // elements that turn Enter and Space into clicks themselves
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

const nameOf = (node) => node.dataset?.click || node.dataset?.stop || node.dataset?.roam || node.id || "";
const stopsOf = (roam) => [...(roam?.querySelectorAll(STOPS) ?? [])];

// Find the counterpart of one of the old stops among new ones: by its name, or without a name by its place.
function counterpart(stop, old, stops) {
  if (!stop) return undefined;
  const name = nameOf(stop);
  return name ? stops.find((other) => nameOf(other) === name) : stops[old.indexOf(stop)];
}

// Show one stop of a container as the current one, or none.
function mark(roam, stop) {
  for (const one of stopsOf(roam)) if (one !== stop) one.classList.remove("tlw-current");
  stop?.classList.add("tlw-current");
}

// Make what can be clicked or reached focusable, with one Tab stop for a container; `old` has the state to carry over.
function prepare(fresh, old) {
  for (const element of fresh.querySelectorAll("[data-click]")) {
    if (!element.matches(NATIVE)) element.setAttribute("role", "button");
    element.setAttribute("tabindex", "0");
  }
  const containers = [...old.querySelectorAll("[data-roam]")];
  for (const [i, roam] of [...fresh.querySelectorAll("[data-roam]")].entries()) {
    const before = stopsOf(roam.id ? containers.find(({ id }) => id === roam.id) : containers[i]);
    const stops = stopsOf(roam);
    if (!stops.length) continue;
    const left = before.find((stop) => stop.matches('[tabindex="0"]'));
    const tabStop = counterpart(left, before, stops) ?? stops.find((stop) => stop.matches('[aria-pressed="true"]')) ?? stops[0];
    roam.setAttribute("tabindex", "-1");
    for (const stop of stops) {
      stop.setAttribute("tabindex", stop === tabStop ? "0" : "-1");
      if (stop.hasAttribute("aria-label") && !stop.hasAttribute("role")) stop.setAttribute("role", "img");
    }
    mark(roam, counterpart(before.find((stop) => stop.matches(".tlw-current")), before, stops));
  }
}

// Give an element the attributes and children of another.
function patch(old, fresh) {
  if (!(old instanceof Element)) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { namespaceURI, name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttributeNS(namespaceURI, name, value);
  patchChildren(old, fresh);
}

// Remove the nodes from one up to another, or to the end.
function removeBetween(first, last = null) {
  while (first && first !== last) {
    const next = first.nextSibling;
    first.remove();
    first = next;
  }
}

// Find the next node without a name that can take the attributes of `fresh`.
function unnamedLike(fresh, node) {
  while (node && !nameOf(node) && node.nodeName !== fresh.nodeName) node = node.nextSibling;
  return node && !nameOf(node) ? node : undefined;
}

// Children with a name meet the child with the same name, the others the next one of their kind.
function patchChildren(old, fresh) {
  const names = new Set([...fresh.children].map(nameOf));
  for (const child of [...old.children]) if (nameOf(child) && !names.has(nameOf(child))) child.remove();
  const named = new Map([...old.children].filter(nameOf).map((child) => [nameOf(child), child]));
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const name = nameOf(child);
    const match = name ? named.get(name) : unnamedLike(child, place);
    if (match?.nodeName !== child.nodeName) {
      old.insertBefore(child, place);
      continue;
    }
    named.delete(name);
    // Moving a node would take the focus from it: what stands before it goes instead, unless it will be needed.
    let unnamed = place;
    while (unnamed && unnamed !== match && !nameOf(unnamed)) unnamed = unnamed.nextSibling;
    if (unnamed === match) removeBetween(place, match);
    else old.insertBefore(match, place);
    place = match.nextSibling;
    patch(match, child);
  }
  removeBetween(place);
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "tlw-markup";
  root.tabIndex = -1;

  function show() {
    const template = document.createElement("template");
    template.innerHTML = model.get("markup"); // from Python, which escapes text from outside
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    const roam = focused?.closest("[data-roam]");
    prepare(template.content, root);
    patchChildren(root, template.content);
    if (!focused || document.activeElement === focused) return;
    const again = [...root.querySelectorAll(STOPS)].find((one) => nameOf(one) && nameOf(one) === nameOf(focused));
    const near = root.contains(roam) ? roam.querySelector('[tabindex="0"]') : null;
    (again ?? near ?? root).focus({ preventScroll: true });
  }

  function click(target) {
    if (target.getAttribute("aria-disabled") !== "true") model.send({ click: target.dataset.click });
  }

  root.onclick = ({ target }) => {
    const clicked = target.closest("[data-click]");
    if (root.contains(clicked)) click(clicked);
  };
  root.onkeydown = (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const roam = target.closest("[data-roam]");
    if ((key === "Enter" || key === " ") && target.matches("[data-click]") && !target.matches(NATIVE)) {
      event.preventDefault();
      if (!event.repeat) click(target);
    } else if (key in STEPS && root.contains(roam)) {
      event.preventDefault();
      const stops = stopsOf(roam);
      const at = stops.findIndex((stop) => stop.matches(".tlw-current"));
      const to = at < 0 && Math.abs(STEPS[key]) === 1 ? 0 : at + STEPS[key];
      stops[Math.min(Math.max(to, 0), stops.length - 1)]?.focus({ preventScroll: true });
    }
  };
  root.addEventListener("focusin", ({ target }) => {
    const roam = target.closest("[data-roam]");
    if (!roam || !target.matches(STOPS)) return;
    for (const stop of stopsOf(roam)) stop.setAttribute("tabindex", stop === target ? "0" : "-1");
    mark(roam, target);
  });
  root.addEventListener("focusout", ({ target }) => {
    const roam = target.closest("[data-roam]");
    if (roam && !roam.matches(":hover")) mark(roam, null);
  });
  root.addEventListener("pointermove", ({ target }) => {
    const stop = target.closest(STOPS);
    const roam = stop?.closest("[data-roam]");
    if (roam && root.contains(roam)) mark(roam, stop);
  });
  root.addEventListener("pointerout", ({ target, relatedTarget }) => {
    const roam = target.closest("[data-roam]");
    if (!roam || roam.contains(relatedTarget)) return;
    mark(roam, stopsOf(roam).find((stop) => stop === document.activeElement));
  });
  // A drawing for exactly this place: a scaled one would have small letters on a narrow page.
  let timer = 0;
  const observer = new ResizeObserver(([{ contentRect }]) => {
    const size = [Math.round(contentRect.width), Math.round(contentRect.height)];
    clearTimeout(timer);
    if (!size[0] || String(size) === String(model.get("size"))) return; // hidden, or nothing new
    timer = setTimeout(() => {
      model.set("size", size);
      model.save_changes();
    }, 100);
  });
  if (model.get("reports_size")) observer.observe(el);
  model.on("change:markup", show);
  const free = keepKeys(() => root);
  el.append(root);
  show();
  return () => {
    free();
    clearTimeout(timer);
    observer.disconnect();
    model.off("change:markup", show);
  };
}

export default { render };
