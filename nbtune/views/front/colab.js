// The live panel in Google Colab, over Colab's own bridge to the kernel: the page asks once a second what is new.

import { LiveView } from "./live.js";
import { page } from "./page.js";

const EVERY = 1000; // milliseconds between two questions
const MOST_FAILURES = 5; // in a row, until the kernel counts as gone

/** Shows the panel in `host`; `name` is that of the kernel's function, `first` what it knew when the cell ran. */
export function connect(host, name, token, first) {
  const listeners = [];
  const waiting = [];
  let [failures, timer, over] = [0, null, false];
  const tell = (message) => {
    if (message.head) over = message.head.state !== "running";
    listeners.forEach((listener) => listener(message));
  };
  const ask = async () => {
    clearTimeout(timer);
    const asked = waiting.splice(0);
    try {
      const answer = await google.colab.kernel.invokeFunction(name, [asked], {});
      failures = 0;
      answer.data["application/json"].messages.forEach(tell);
    } catch {
      waiting.unshift(...asked);
      failures += 1;
    }
    if (failures >= MOST_FAILURES) tell({ gone: true });
    else timer = setTimeout(ask, over ? 3 * EVERY : EVERY);
  };
  const model = {
    get: (part) => ({ first, token })[part],
    on: (_, listener) => listeners.push(listener),
    send: (content) => {
      waiting.push(content);
      clearTimeout(timer);
      timer = setTimeout(ask, 20);
    },
  };
  const { initialize, render } = page(LiveView);
  initialize({ model });
  render({ model, el: host });
}
