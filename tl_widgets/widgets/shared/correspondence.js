// What the widgets with a page of their own share; Python puts it before their own script.
// Texts from outside go into the page as textContent and attributes, never as HTML.

function make(tag, facts = {}, ...children) {
  const element = Object.assign(document.createElement(tag), facts);
  element.append(...children);
  return element;
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Answers come by number; each view of the widget knows its own.
function correspondence(model) {
  const view = Math.random().toString(36).slice(2);
  const waiting = new Map();
  let n = 0;
  const hear = (answer) => {
    waiting.get(answer?.number)?.(answer);
    waiting.delete(answer?.number);
  };
  model.on("msg:custom", hear);
  return {
    view,
    // Resolves with the answer, or with null when it is no longer waited for.
    send: (content, ...buffers) => {
      const number = `${view}-${++n}`;
      const answer = new Promise((done) => waiting.set(number, done));
      model.send({ ...content, number }, undefined, buffers);
      return answer;
    },
    forget: () => {
      waiting.forEach((done) => done(null));
      waiting.clear();
    },
    end: () => model.off("msg:custom", hear),
  };
}
