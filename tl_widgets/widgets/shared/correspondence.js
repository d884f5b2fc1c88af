// Functions that the scripts of CameraView, UploadView and Slider share; Python prepends this file to them.
// Text from outside goes into the page as textContent or attributes, never as HTML.

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Messages carry a number, and the answer repeats it. Each view of the widget handles only its own.
function correspondence(model) {
  const view = Math.random().toString(36).slice(2);
  const waiting = new Map();
  let n = 0;
  const onAnswer = (answer) => {
    waiting.get(answer?.number)?.(answer);
    waiting.delete(answer?.number);
  };
  model.on("msg:custom", onAnswer);
  return {
    view,
    // Resolves to the answer, or to null after `abandon`.
    send: (content, ...buffers) => {
      const number = `${view}-${++n}`;
      const answer = new Promise((done) => waiting.set(number, done));
      model.send({ ...content, number }, undefined, buffers);
      return answer;
    },
    abandon: () => {
      waiting.forEach((done) => done(null));
      waiting.clear();
    },
    end: () => model.off("msg:custom", onAnswer),
  };
}
