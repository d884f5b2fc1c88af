// The browser's half of UploadView. It reads a file slice by slice, and waits for an answer to each slice.
// `make`, `pause` and `correspondence` come from correspondence.js, `_` and `numberText` from Python.

const PART = 1_000_000; // bytes in a message: JupyterLab's websocket drops messages above 10 MB
const PATIENCE = 4000; // milliseconds without an answer until the page says why
const RETRY = 1000; // milliseconds until a complete upload asks again whether the Lab is free

class UploadError extends Error {} // its message goes onto the page; empty after Cancel

function megabytes(n) {
  if (n < 99_500) return `${Math.ceil(n / 1000)} kB`;
  const digits = n < 9.95e6 ? 1 : 0;
  return `${numberText(n / 1e6, { minimumFractionDigits: digits, maximumFractionDigits: digits })} MB`;
}

function timeLeft(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

// Read one slice. The browser rejects this if the file has changed since it was chosen.
async function slice(file, start) {
  const end = Math.min(start + PART, file.size);
  const data = await file.slice(start, end).arrayBuffer().catch(() => null);
  if (data?.byteLength === end - start) return data;
  throw new UploadError(
    _("The browser can no longer read {name}: it was changed, moved or removed since it was chosen, or this page may not read it. Nothing was kept; choose the files again.", { name: file.name }),
  );
}

function build(model) {
  const parts = {
    button: make("button", { type: "button", textContent: model.get("label") }),
    input: make("input", { type: "file", accept: model.get("accept"), multiple: model.get("max_files") > 1 }),
    hint: make("p", { className: "tlw-upload-hint" }),
    bar: make("progress", { max: 1 }),
    numbers: make("span", { className: "tlw-upload-numbers" }),
    cancel: make("button", { type: "button", textContent: _("Cancel upload") }),
    status: make("p"),
    alert: make("p"),
  };
  parts.going = make("div", { className: "tlw-upload-going" }, parts.bar, parts.numbers, parts.cancel);
  parts.status.setAttribute("role", "status");
  parts.alert.setAttribute("role", "alert");
  const { button, input, hint, going, status, alert } = parts;
  parts.root = make("div", { className: "tlw-upload" }, button, input, hint, going, status, alert);
  parts.root.setAttribute("role", "group");
  parts.root.setAttribute("aria-label", model.get("label"));
  return parts;
}

function render({ model, el }) {
  const parts = build(model);
  const post = correspondence(model);
  let n = 0;
  let token = ""; // of the upload in progress

  const say = (text, problem = "") => {
    parts.status.textContent = text;
    parts.alert.textContent = problem;
  };

  function show() {
    const missing = model.get("missing");
    const purpose = model.get("purpose");
    if (purpose) parts.button.setAttribute("aria-label", `${model.get("label")}: ${purpose}`);
    const focused = parts.root.contains(document.activeElement);
    parts.button.disabled = Boolean(token || missing || !model.get("enabled"));
    parts.hint.textContent = missing || model.get("hint");
    parts.hint.hidden = Boolean(token);
    parts.going.hidden = !token;
    parts.root.dataset.upload = token ? "going" : "idle";
    if (focused) (token ? parts.cancel : parts.button).focus(); // hiding a button removes the focus
  }

  async function sendNow(content, buffers) {
    try {
      return await post.send(content, ...buffers);
    } catch {
      throw new UploadError(
        _("The notebook's kernel was restarted or has ended, and nothing of the upload was kept: run the cell again, then choose the files again."),
      );
    }
  }

  // Send a message and return its answer.
  async function ask(content, ...buffers) {
    const upload = token;
    if (!upload) throw new UploadError("");
    const late = setTimeout(
      () => say(_("Waiting for the notebook: a cell may be running, or its kernel has ended.")),
      PATIENCE,
    );
    const answer = await sendNow({ ...content, upload }, buffers).finally(() => clearTimeout(late));
    if (!answer || token !== upload) throw new UploadError("");
    if (answer.text) throw new UploadError(answer.text);
    return answer;
  }

  async function sendAll(files, what) {
    const total = files.reduce((sum, file) => sum + file.size, 0);
    const startTime = Date.now();
    let sent = 0;
    const progress = () => {
      parts.bar.value = total ? sent / total : 1;
      const facts = [_("{done} of {all}", { done: megabytes(sent), all: megabytes(total) })];
      if (sent && sent < total) facts.push(_("{time} left", { time: timeLeft(((Date.now() - startTime) * (total - sent)) / sent) }));
      parts.numbers.textContent = facts.join(" · ");
    };
    progress();
    await ask({ step: "begin", files: files.map((file) => [file.name, file.size]) });
    const uploading = _("Uploading {files}.", { files: what });
    say(uploading);
    for (const [i, file] of files.entries()) {
      for (let start = 0; start < file.size; start += PART) {
        const data = await slice(file, start);
        await ask({ step: "part", file: i, start }, data);
        if (parts.status.textContent !== uploading) say(uploading);
        sent += data.byteLength;
        progress();
      }
    }
    while ((await ask({ step: "end" })).waits) {
      say(_("Upload complete. The Lab opens it when it has finished its current task."));
      await pause(RETRY);
    }
  }

  async function upload(files) {
    if (token || !files.length) return;
    const maxFiles = model.get("max_files");
    if (files.length > maxFiles) {
      const n = numberText(files.length);
      if (maxFiles === 1) say("", _("{n} files were chosen; choose one at a time.", { n }));
      else say("", _("{n} files were chosen; choose at most {most} at a time.", { n, most: numberText(maxFiles) }));
      return;
    }
    const what = files.length === 1 ? files[0].name : _("{n} files", { n: numberText(files.length) });
    const thisUpload = (token = `${post.view}-${++n}`);
    parts.bar.setAttribute("aria-label", _("Upload of {files}", { files: what }));
    say("");
    show();
    try {
      await sendAll(files, what);
      say(files.length === 1 ? _("{name} has arrived.", { name: what }) : _("{files} have arrived.", { files: what }));
    } catch (error) {
      if (token === thisUpload) {
        notify({ step: "cancel", upload: thisUpload });
        say("", error instanceof UploadError ? error.message : _("The upload has failed: {error}. Nothing was kept.", { error }));
      }
    }
    if (token === thisUpload) token = "";
    show();
  }

  function notify(content) {
    try {
      post.send(content); // the answer doesn't matter
    } catch {
      // the kernel has ended, and so has the upload
    }
  }

  function cancel(text) {
    if (!token) return;
    const upload = token;
    token = "";
    notify({ step: "cancel", upload });
    post.abandon();
    say(text);
    show();
  }

  function drop(event) {
    const { items, files } = event.dataTransfer;
    parts.root.classList.remove("tlw-over");
    const folder = [...items].map((item) => item.webkitGetAsEntry?.()).find((entry) => entry?.isDirectory);
    if (folder) return say("", _("{name} is a folder: zip it and drop the zip, or choose the files in it.", { name: folder.name }));
    if (token) return say(parts.status.textContent, _("Wait until this upload has finished, then drop more."));
    if (parts.button.disabled) return say("", model.get("missing") || _("The Lab is busy. Wait until it has finished."));
    return upload([...files]);
  }

  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const take = (handle) => (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault(); // or else the browser would leave the page and open the file
    event.stopPropagation();
    handle(event);
  };
  const leave = () => cancel("");

  parts.button.onclick = () => parts.input.click();
  parts.input.onchange = () => {
    const files = [...parts.input.files];
    parts.input.value = ""; // allows choosing the same file again
    upload(files);
  };
  parts.cancel.onclick = () => cancel(_("The upload was canceled; nothing was kept."));
  parts.root.addEventListener("dragover", take((event) => {
    event.dataTransfer.dropEffect = "copy";
    parts.root.classList.add("tlw-over");
  }));
  parts.root.addEventListener("dragleave", () => parts.root.classList.remove("tlw-over"));
  parts.root.addEventListener("drop", take(drop));
  model.on("change:enabled", show);
  model.on("change:missing", show);
  model.on("change:purpose", show);
  window.addEventListener("pagehide", leave);
  el.append(parts.root);
  show();
  return () => {
    leave();
    post.end();
    model.off("change:enabled", show);
    model.off("change:missing", show);
    model.off("change:purpose", show);
    window.removeEventListener("pagehide", leave);
  };
}

export default { render };
