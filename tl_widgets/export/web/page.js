const MOST = 5; // bars
const PAUSE = 150; // milliseconds between two pictures of the camera
const [video, photo, sees, answer, bars] = ["video", "photo", "sees", "answer", "bars"].map((id) => document.getElementById(id));
const [cameraButton, turnButton, file, view] = ["camera", "turn", "file", "view"].map((id) => document.getElementById(id));
const pen = sees.getContext("2d");
const sheet = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const LONGEST = 4096; // pixels of a side; larger photographs don't fit into every phone's canvas
const BITS = 22; // of a weight, as in Pillow
let model, Tensor, stream, timer, starting = false, facing = "environment";

function say(text) {
  const problem = document.getElementById("problem");
  problem.textContent = text;
  problem.hidden = !text;
}

function lanczos(x) {
  const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function bicubic(x) {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? -0.5 * (((d - 5) * d + 8) * d - 4) : 0;
}

// For each of SIDE pixels, the first of the `size` pixels that it is made of, and their weights, which add up to 1.
function tapsOf(size, start, span) {
  const scale = span / SIDE, stretch = Math.max(scale, 1);
  const [kernel, radius] = scale > 1 ? [lanczos, 3 * stretch] : [bicubic, 2 * stretch];
  return Array.from({ length: SIDE }, (none, i) => {
    const center = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - radius + 0.5));
    const end = Math.min(size, Math.trunc(center + radius + 0.5));
    const shares = Array.from({ length: end - first }, (none, j) => kernel((first + j - center + 0.5) * (1 / stretch)));
    const sum = shares.reduce((a, b) => a + b, 0);
    const weights = shares.map((share) => Math.sign(share) * Math.floor(Math.abs(share / sum) * 2 ** BITS + 0.5));
    return { first, weights: Int32Array.from(weights) };
  });
}

// Lines of pixels (four numbers each) as SIDE pixels each; what comes back goes through the lines first.
function resampled(from, alongLine, toNextLine, nLines, taps) {
  const to = new Uint8ClampedArray(4 * taps.length * nLines);
  let at = 0;
  for (const { first, weights } of taps) {
    for (let line = 0; line < nLines; line++) {
      let red = 2 ** (BITS - 1), green = red, blue = red, alpha = red; // one half, to round
      for (let i = 0, k = line * toNextLine + first * alongLine; i < weights.length; i++, k += alongLine) {
        red += from[k] * weights[i];
        green += from[k + 1] * weights[i];
        blue += from[k + 2] * weights[i];
        alpha += from[k + 3] * weights[i];
      }
      to[at++] = red >> BITS;
      to[at++] = green >> BITS;
      to[at++] = blue >> BITS;
      to[at++] = alpha >> BITS;
    }
  }
  return to;
}

// The middle of a picture as the model's pixels: uint8, red, green and blue, 0-255. Browsers shrink pictures each in
// their own way, so it is done here as in training, which uses Pillow: Lanczos to shrink, bicubic to enlarge, and then
// white behind a transparent picture, all in the same integers.
function pixels(picture, width, height) {
  const shrink = Math.min(1, LONGEST / Math.max(width, height));
  [width, height] = [width, height].map((side) => Math.max(1, Math.round(shrink * side)));
  if (sheet.canvas.width !== width) sheet.canvas.width = width;
  if (sheet.canvas.height !== height) sheet.canvas.height = height;
  sheet.clearRect(0, 0, width, height);
  sheet.drawImage(picture, 0, 0, width, height);
  const edge = Math.min(width, height);
  const across = tapsOf(width, (width - edge) / 2, edge), down = tapsOf(height, (height - edge) / 2, edge);
  const top = down[0].first, last = down[SIDE - 1], nRows = last.first + last.weights.length - top;
  for (const tap of down) tap.first -= top;
  const rows = sheet.getImageData(0, top, width, nRows).data;
  for (let i = 3; i < rows.length; i += 4) {
    if (rows[i] < 255) for (let j = i - 3; j < i; j++) rows[j] = Math.round((rows[j] * rows[i]) / 255);
  }
  const columns = resampled(rows, 4, 4 * width, nRows, across);
  const seen = new ImageData(resampled(columns, 4, 4 * nRows, SIDE, down), SIDE, SIDE);
  const rgb = new Uint8Array(3 * SIDE * SIDE);
  for (let i = 0, j = 0; i < seen.data.length; i++) {
    const alpha = seen.data[i | 3];
    if (i % 4 === 3) seen.data[i] = 255;
    else rgb[j++] = seen.data[i] = alpha < 255 ? onWhite(seen.data[i], alpha) : seen.data[i];
  }
  pen.putImageData(seen, 0, 0);
  return rgb;
}

function onWhite(value, alpha) {
  const color = alpha ? Math.min(255, Math.trunc((255 * value) / alpha)) : 0;
  return Math.round((color * alpha + 255 * (255 - alpha)) / 255);
}

// Whether the model answered: what fails here would otherwise stop the page without a word.
async function ask(picture, width, height) {
  let input, output;
  try {
    input = new Tensor(pixels(picture, width, height), [1, SIDE, SIDE, 3]);
    const started = performance.now();
    [output] = await model.run(input);
    show(Array.from(output.toTypedArray()), performance.now() - started);
    return true;
  } catch (error) {
    console.error(error);
    stopCamera();
    say(_("The model couldn’t answer: {error}. Load this page again.", { error: error.message ?? error }));
    return false;
  } finally {
    input?.delete();
    output?.delete();
  }
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
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    stopCamera();
    say(error.name === "NotAllowedError"
      ? _("This page wasn’t allowed to use the camera. Allow it in the browser’s address bar, or choose a photograph.")
      : _("No camera could be started here. Choose a photograph instead."));
    return;
  } finally {
    starting = false;
  }
  stream.getVideoTracks()[0].addEventListener("ended", () => { // unplugged, or taken away
    stopCamera();
    say(_("The camera has stopped. Start it again, or choose a photograph."));
  });
  only(video);
  cameraButton.textContent = _("Stop camera");
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  turnButton.hidden = cameras.length < 2;
  watch(stream);
}

async function watch(mine) {
  if (stream !== mine) return;
  if (video.videoWidth && !(await ask(video, video.videoWidth, video.videoHeight))) return;
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
    picture = await createImageBitmap(blob, { colorSpaceConversion: "none" }); // upright; its numbers are those that Pillow reads
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
  if (location.protocol !== "file:") say(_("The model couldn’t be loaded: {error}. Check that this folder is complete, with model.tflite and litert.", { error: error.message ?? error }));
}
