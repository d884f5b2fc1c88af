// The browser's half of CameraView. It shows the camera, and waits for an answer to each picture that it sends.
// `make`, `pause` and `correspondence` come from correspondence.js, `_` from Python.

const SIDE = 512; // pixels: maximum side of a picture
const QUALITY = 0.92; // of the JPEG, 0 to 1
const PAUSE = 500; // milliseconds between the pictures of a burst, to move the object in front of the camera
const PATIENCE = 4000; // milliseconds without an answer until the page says why
const MOST = 30; // maximum number of pictures in a burst
const PROBLEMS = {
  insecure:
    _("Browsers give the camera only to pages that come over https or from this computer (localhost); this page comes from {place}. Upload pictures instead.", { place: `${location.protocol}//${location.host}` }),
  NotAllowedError:
    _("The browser was not allowed to use the camera. Allow it for this page (beside the address), then start it again. If you cannot allow it, upload pictures instead."),
  NotFoundError: _("There is no camera on the computer that this browser runs on. Upload pictures instead."),
  NotReadableError: _("The camera cannot be read: another program may be using it. Close that program and start again, or upload pictures instead."),
  lost: _("The camera was disconnected: it was unplugged, or another program is using it. Start it again, or upload pictures instead."),
};

// Take the center square, which is also what the data set would crop: the learner sees what the network gets.
function photograph(video) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  const canvas = make("canvas", { width: Math.min(side, SIDE), height: Math.min(side, SIDE) });
  const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
  canvas.getContext("2d").drawImage(video, left, top, side, side, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

function build() {
  const list = make("datalist", { id: `tlw-classes-${Math.random().toString(36).slice(2)}` });
  const video = make("video", { muted: true, autoplay: true, playsInline: true, hidden: true });
  video.setAttribute("aria-label", _("What the camera sees"));
  const name = make("input", { type: "text", maxLength: 60, autocomplete: "off" });
  name.setAttribute("list", list.id);
  const count = make("input", { type: "number", min: 1, max: MOST, value: 1 });
  const parts = {
    list,
    video,
    name,
    count,
    off: make("p", { textContent: _("The camera is off.") }),
    start: make("button", { type: "button", textContent: _("Start camera"), className: "tlw-first" }),
    take: make("button", { type: "button", textContent: _("Take picture"), className: "tlw-first", hidden: true }),
    stop: make("button", { type: "button", textContent: _("Stop camera"), hidden: true }),
    status: make("p"),
    alert: make("p"),
  };
  parts.status.setAttribute("role", "status");
  parts.alert.setAttribute("role", "alert");
  parts.fields = make("div", { className: "tlw-camera-row" }, make("label", {}, _("Class"), name), make("label", {}, _("Pictures"), count), list);
  const row = (...children) => make("div", { className: "tlw-camera-row" }, ...children);
  const controls = make(
    "div",
    { className: "tlw-camera-controls" },
    parts.fields,
    row(parts.start, parts.take, parts.stop),
    parts.status,
    parts.alert,
  );
  const picture = make("div", { className: "tlw-camera-picture" }, video, parts.off);
  return { ...parts, root: make("div", { className: "tlw-camera" }, picture, controls) };
}

function render({ model, el }) {
  const parts = build();
  const post = correspondence(model);
  let stream = null;
  let busy = false;
  let isClosed = false;

  const say = (text, problem = "") => {
    parts.status.textContent = text;
    parts.alert.textContent = problem;
  };

  const requestedCount = () => Math.min(Math.max(Math.round(Number(parts.count.value)) || 1, 1), MOST);

  function show() {
    const enabled = model.get("enabled");
    parts.fields.hidden = !model.get("asks_class");
    parts.video.hidden = !stream;
    parts.off.hidden = Boolean(stream);
    parts.start.hidden = Boolean(stream);
    parts.take.hidden = parts.stop.hidden = !stream;
    parts.start.disabled = !enabled;
    parts.take.disabled = !enabled || busy;
    parts.name.disabled = parts.count.disabled = !enabled || busy;
    parts.take.textContent = requestedCount() === 1 ? _("Take picture") : _("Take {n} pictures", { n: requestedCount() });
    parts.list.replaceChildren(...model.get("class_names").map((value) => make("option", { value })));
    parts.root.dataset.camera = busy ? "busy" : stream ? "on" : "off";
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = parts.video.srcObject = null;
    post.abandon();
    show();
  }

  async function start() {
    if (stream || !model.get("enabled")) return parts.take.focus();
    say(_("Asking for the camera …"));
    parts.start.disabled = true;
    try {
      if (!navigator.mediaDevices) throw { name: "insecure" };
      const camera = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1024 } }, audio: false });
      if (isClosed || !model.get("enabled")) return camera.getTracks().forEach((track) => track.stop());
      stream = camera;
      const [track] = stream.getVideoTracks();
      track.onended = () => (stop(), say("", PROBLEMS.lost));
      // People expect a mirror image, except from the back camera of a phone.
      parts.video.classList.toggle("tlw-mirror", track.getSettings().facingMode !== "environment");
      parts.video.srcObject = stream;
      await parts.video.play();
      say("");
    } catch (error) {
      stop();
      say("", PROBLEMS[error?.name] ?? _("The camera does not start ({name}: {error}). Upload pictures instead.", { name: error?.name, error: error?.message }));
    }
    show();
    (stream ? parts.take : parts.start).focus();
  }

  async function takeOne(text) {
    const late = setTimeout(() => say([text, _("Waiting for the notebook: a cell may be running.")].join(" ").trim()), PATIENCE);
    const blob = await photograph(parts.video);
    const answer = blob && stream ? await post.send({ name: parts.name.value }, await blob.arrayBuffer()) : null;
    clearTimeout(late);
    return answer;
  }

  const which = (i, total) => _("Picture {i} of {n}.", { i, n: total });

  async function take() {
    if (model.get("asks_class") && !parts.name.value.trim()) {
      say("", _("Give the class a name first: what is in the picture?"));
      parts.name.focus();
      return;
    }
    const total = requestedCount();
    busy = true;
    show();
    for (let i = 1; i <= total && stream && !isClosed; i++) {
      if (i > 1) await pause(PAUSE);
      if (!stream) break;
      const answer = await takeOne(total > 1 ? which(i, total) : "");
      if (!answer) break;
      if (!answer.kept) {
        say("", answer.text);
        break;
      }
      say(total > 1 && i < total ? `${which(i, total)} ${answer.text}` : answer.text);
    }
    busy = false;
    show();
    if (stream) parts.take.focus();
  }

  async function checkCamera() {
    let problem = navigator.mediaDevices ? "" : PROBLEMS.insecure;
    if (!problem) {
      const devices = await navigator.mediaDevices.enumerateDevices().catch(() => null);
      if (devices && !devices.some((device) => device.kind === "videoinput")) problem = PROBLEMS.NotFoundError;
    }
    if (!stream && !isClosed) say("", problem);
  }

  function onEnabledChange() {
    if (!model.get("enabled") && stream) {
      stop();
      say("");
    }
    show();
  }

  function switchOff() {
    stop();
    say(_("The camera is off."));
  }

  const onCommand = ({ do: command }) => {
    if (command === "start") start();
    if (command === "stop" && stream) switchOff();
  };
  const onClassChange = () => (parts.name.value = model.get("class_name"));

  parts.start.onclick = start;
  parts.stop.onclick = () => (switchOff(), parts.start.focus());
  parts.name.onchange = () => (model.set("class_name", parts.name.value), model.save_changes());
  parts.take.onclick = take;
  parts.count.oninput = show;
  model.on("change:enabled", onEnabledChange);
  model.on("change:class_names", show);
  model.on("change:class_name", onClassChange);
  model.on("msg:custom", onCommand);
  navigator.mediaDevices?.addEventListener?.("devicechange", checkCamera);
  el.append(parts.root);
  onClassChange();
  show();
  checkCamera();
  return () => {
    isClosed = true;
    stop();
    post.end();
    model.off("change:enabled", onEnabledChange);
    model.off("change:class_names", show);
    model.off("change:class_name", onClassChange);
    model.off("msg:custom", onCommand);
    navigator.mediaDevices?.removeEventListener?.("devicechange", checkCamera);
  };
}

export default { render };
