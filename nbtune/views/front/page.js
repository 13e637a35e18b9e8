// Between the kernel and the views of one widget.

import { watch_kernel } from "./alive.js";
import { Known } from "./known.js";

/** What anywidget asks a module for; `View` is the class that shows what is known. */
export function page(View) {
  const data = new Known();
  const views = new Set();
  const show = (message) => {
    data.take(message);
    for (const view of views) view.update(message);
  };
  return {
    initialize({ model }) {
      show(model.get("first"));
      model.on("msg:custom", (message) => (message.lasting ? settle(model, message.lasting) : show(message)));
      model.send({ kind: "hello" });
      return watch_kernel(model, () => show({ gone: true }));
    },
    render({ model, el }) {
      const view = new View(data, (request) => model.send(request));
      views.add(view);
      el.append(view.element);
      view.update(data.whole());
      model.send({ kind: "seen", lab: document.querySelector(".jp-Notebook") !== null });
      return () => {
        views.delete(view);
        view.end();
      };
    },
  };
}

/**
 * Writes the lasting outputs into the notebook. Only for a page that was reloaded: there the kernel can no longer change
 * the outputs of a cell. Where the page does not let us at its notebook, nothing happens.
 */
function settle(model, outputs) {
  const cells = model.widget_manager?.context?.model?.cells;
  const token = model.get("token");
  for (let c = 0; c < (cells?.length ?? 0); c++) {
    const places = cells.get(c).outputs;
    for (let i = 0; i < (places?.length ?? 0); i++) {
      if (!String(places.get(i).data["text/html"] ?? "").includes(token)) continue;
      outputs.forEach(({ data, metadata }, k) => {
        if (i + k < places.length) places.set(i + k, { output_type: "display_data", data, metadata });
      });
      return;
    }
  }
}
