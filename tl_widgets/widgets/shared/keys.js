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
