// JupyterLab runs its shortcuts on keys that are typed in an output: "x" in a menu cuts the cell. It leaves out an element
// with this attribute, but only the one that has the focus, not what is inside a container with it. The listener on the
// window comes before JupyterLab's on the document, so it needs no list of the elements that may get the focus.
// Saving the notebook still works. Python prepends this file to the scripts that use it.
function keepKeys(findRoot) {
  const mark = (event) => {
    const { target, key } = event;
    if (!(target instanceof Element) || !findRoot()?.contains(target)) return;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "s") target.removeAttribute("data-lm-suppress-shortcuts");
    else target.setAttribute("data-lm-suppress-shortcuts", "true");
  };
  window.addEventListener("keydown", mark, true);
  return () => window.removeEventListener("keydown", mark, true);
}

// ipywidgets' toggle buttons don't say whether they are pressed.
function tellPressed(findRoot) {
  const tell = ({ target }) => {
    const toggle = target instanceof Element && findRoot()?.contains(target) && target.closest(".widget-toggle-button");
    if (toggle) setTimeout(() => toggle.setAttribute("aria-pressed", toggle.matches(".mod-active")));
  };
  for (const kind of ["focusin", "click"]) window.addEventListener(kind, tell);
  return () => ["focusin", "click"].forEach((kind) => window.removeEventListener(kind, tell));
}

// Escape closes the drawer behind "More" and gives the focus back to what opened it: the button, or a layer in a drawing.
function leaveDrawer(findRoot) {
  let opener = null;
  const find = (selector) => findRoot()?.querySelector(selector);
  const isOpen = () => find(".tlw-more")?.matches(".mod-active");
  // Python shows and hides the parts a moment later.
  const focusSoon = (choose, patience = 60) => {
    const element = choose();
    if (element?.getClientRects().length) element.focus({ preventScroll: true });
    else if (patience) requestAnimationFrame(() => focusSoon(choose, patience - 1));
  };
  const isIn = (target, selector) => target instanceof Element && findRoot()?.contains(target) && target.closest(selector);
  const remember = ({ target }) => {
    if (!isOpen() && isIn(target, "*")) opener = target;
  };
  const open = ({ target }) => {
    if (isIn(target, ".tlw-networks [data-click], .tlw-layer [data-click=all]")) focusSoon(() => find(".tlw-drawer .lm-TabBar-tab.lm-mod-current"));
  };
  const press = (event) => {
    if (event.key === "Enter" || event.key === " ") open(event);
    if (event.key !== "Escape" || event.defaultPrevented || !isOpen() || !isIn(event.target, "*")) return;
    find(".tlw-more").click();
    if (isIn(event.target, ".tlw-drawer, .tlw-more")) focusSoon(() => (opener?.isConnected ? opener : find(".tlw-more")));
  };
  const listeners = { focusin: remember, click: open, keydown: press };
  for (const kind in listeners) window.addEventListener(kind, listeners[kind]);
  return () => {
    for (const kind in listeners) window.removeEventListener(kind, listeners[kind]);
  };
}
