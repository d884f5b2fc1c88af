const MOST = 5; // bars
const PAUSE = 150; // milliseconds between two pictures of the camera
const [video, photo, sees, answer, bars] = ["video", "photo", "sees", "answer", "bars"].map((id) => document.getElementById(id));
const [cameraButton, turnButton, file, view] = ["camera", "turn", "file", "view"].map((id) => document.getElementById(id));
const pen = sees.getContext("2d", { willReadFrequently: true });
let model, Tensor, stream, timer, starting = false, facing = "environment";

function say(text) {
  const problem = document.getElementById("problem");
  problem.textContent = text;
  problem.hidden = !text;
}

// The middle of a picture as the model's pixels: uint8, red, green and blue, 0-255.
function pixels(picture, width, height) {
  const edge = Math.min(width, height);
  pen.imageSmoothingQuality = "high";
  pen.fillStyle = "white"; // behind a transparent picture, as in training
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.drawImage(picture, (width - edge) / 2, (height - edge) / 2, edge, edge, 0, 0, SIDE, SIDE);
  const rgba = pen.getImageData(0, 0, SIDE, SIDE).data;
  const rgb = new Uint8Array(3 * SIDE * SIDE);
  for (let i = 0, j = 0; i < rgba.length; i += 4) {
    rgb[j++] = rgba[i];
    rgb[j++] = rgba[i + 1];
    rgb[j++] = rgba[i + 2];
  }
  return rgb;
}

async function ask(picture, width, height) {
  const input = new Tensor(pixels(picture, width, height), [1, SIDE, SIDE, 3]);
  const started = performance.now();
  const [output] = await model.run(input);
  const milliseconds = performance.now() - started;
  const shares = Array.from(output.toTypedArray());
  input.delete();
  output.delete();
  show(shares, milliseconds);
}

function percent(share) {
  return percentText(share, 1);
}

function show(shares, milliseconds) {
  const order = shares.map((share, i) => i).sort((a, b) => shares[b] - shares[a]);
  const best = document.createElement("b");
  best.textContent = LABELS[order[0]];
  answer.setAttribute("aria-live", stream ? "off" : "polite"); // a camera answers several times a second
  answer.replaceChildren(best, percent(shares[order[0]]));
  // Few classes keep their places, so that nothing jumps; of many, the most probable are shown.
  const shown = LABELS.length > MOST ? order.slice(0, MOST) : LABELS.map((label, i) => i);
  bars.replaceChildren(...shown.map((i) => {
    const row = document.createElement("li");
    const [name, number, bar] = ["span", "span", "i"].map((tag) => document.createElement(tag));
    name.textContent = LABELS[i];
    number.textContent = percent(shares[i]);
    bar.style.setProperty("--share", `${100 * shares[i]}%`);
    row.append(name, number, bar);
    return row;
  }));
  document.getElementById("seen").hidden = false;
  document.getElementById("pace").textContent = _("One answer takes {n} ms here.", { n: numberText(milliseconds, { maximumFractionDigits: milliseconds < 10 ? 1 : 0 }) });
  document.body.dataset.answer = LABELS[order[0]];
}

function only(element) {
  for (const other of view.children) other.hidden = other !== element;
}

async function startCamera() {
  if (starting) return; // a second click, before the browser has asked: the first camera would never stop
  say("");
  if (!navigator.mediaDevices?.getUserMedia) {
    say(_("Browsers give the camera only to pages from localhost or over https. Choose a photograph instead."));
    return;
  }
  stopCamera();
  starting = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 640 } } });
  } catch (error) {
    say(error.name === "NotAllowedError"
      ? _("This page wasn’t allowed to use the camera. Allow it in the browser’s address bar, or choose a photograph.")
      : _("No camera could be started here. Choose a photograph instead."));
    return;
  } finally {
    starting = false;
  }
  video.srcObject = stream;
  await video.play();
  only(video);
  cameraButton.textContent = _("Stop camera");
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  turnButton.hidden = cameras.length < 2;
  watch(stream);
}

async function watch(mine) {
  if (stream !== mine) return;
  if (video.videoWidth) await ask(video, video.videoWidth, video.videoHeight);
  timer = setTimeout(() => watch(mine), PAUSE);
}

function stopCamera() {
  clearTimeout(timer);
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  cameraButton.textContent = _("Start camera");
  turnButton.hidden = true;
}

async function openPhoto(blob) {
  say("");
  let picture;
  try {
    picture = await createImageBitmap(blob); // upright, as the camera says
  } catch {
    const name = blob.name || _("this file");
    say(_("This browser can’t read {name} as a picture. Choose a JPEG or PNG.", { name }));
    return;
  }
  stopCamera();
  const edge = Math.min(picture.width, picture.height);
  const at = [(picture.width - edge) / 2, (picture.height - edge) / 2, edge, edge];
  const paper = photo.getContext("2d");
  paper.fillStyle = "white";
  paper.fillRect(0, 0, photo.width, photo.height);
  paper.drawImage(picture, ...at, 0, 0, photo.width, photo.height);
  only(photo);
  await ask(picture, picture.width, picture.height);
  picture.close();
}

cameraButton.addEventListener("click", () => (stream ? stopCamera() : startCamera()));
turnButton.addEventListener("click", () => {
  facing = facing === "user" ? "environment" : "user";
  startCamera();
});
file.addEventListener("change", () => {
  if (file.files.length) openPhoto(file.files[0]);
  file.value = ""; // the same file may be chosen again
});
view.addEventListener("dragover", (event) => {
  event.preventDefault();
  view.classList.add("over");
});
view.addEventListener("dragleave", () => view.classList.remove("over"));
view.addEventListener("drop", (event) => {
  event.preventDefault();
  view.classList.remove("over");
  if (model && event.dataTransfer.files.length) openPhoto(event.dataTransfer.files[0]);
});

try {
  const litert = await import("./litert/litert.mjs");
  Tensor = litert.Tensor;
  await litert.loadLiteRt("./litert/litert_wasm_compat_internal.js");
  model = await litert.loadAndCompile("model.tflite", { accelerator: "wasm" });
  answer.textContent = _("Ready.");
  cameraButton.disabled = file.disabled = false;
  document.body.dataset.state = "ready";
} catch (error) {
  console.error(error);
  answer.textContent = "";
  if (location.protocol !== "file:") say(_("The model couldn’t be loaded: {error}", { error: error.message ?? error }));
}
