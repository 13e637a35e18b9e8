// One trial: its values, what came of it, each metric epoch by epoch, and its error.

class TrialView {
  constructor(known, close) {
    this._known = known;
    this._title = make("h4");
    this._facts = make("p", { class: "nbtune-quiet" });
    this._plots = make("div", { class: "nbtune-halves" });
    this._error = make("pre", { tabindex: 0, role: "region", "aria-label": "The error of this trial" });
    const button = make("button", { type: "button", class: "nbtune-button nbtune-small", onclick: close }, "Close");
    this.element = make("section", { class: "nbtune-trial", "aria-label": "One trial", hidden: true },
      make("div", { class: "nbtune-foot" }, this._title, button), this._facts, this._error, this._plots);
  }

  update() {
    const { chosen, trials, grid, details } = this._known;
    this.element.hidden = !known(chosen);
    if (!known(chosen)) return;
    const [status, value, , best, epochs, seconds] = trials[chosen];
    const detail = details.get(chosen) ?? { history: {}, error: "" };
    say(this._title, `Trial ${grid.ids[chosen]}: ${this._known.label(chosen) || "no hyperparameters"}`);
    const facts = [status, known(value) && `${grid.objective} ${score(value)} in epoch ${best}`, epochs && `${epochs} epochs`, known(seconds) && `${seconds.toFixed(1)} s`];
    say(this._facts, facts.filter(Boolean).join(" · "));
    this._error.hidden = !detail.error;
    say(this._error, detail.error);
    this._draw(detail.history, best);
  }

  /** A plot for each metric, training dotted and validation drawn through. */
  _draw(history, best) {
    const names = Object.keys(history).filter((name) => !name.startsWith("val_"));
    const plots = names.map((name) => {
      const [training, validation] = [history[name], history[`val_${name}`] ?? []];
      const svg = draw("svg", { role: "img", class: "nbtune-plot" });
      const lines = [
        { values: training, color: "var(--nbtune-ink)", dash: "1 2", width: 1.2 },
        { values: validation, color: "var(--nbtune-blue)", best },
      ];
      plot(svg, { limits: reach([training, validation]), log: false, longest: Math.max(training.length, 2), lines, frame: SMALL });
      const last = (values) => score(values[values.length - 1]);
      const words = `${name}: ${last(training)} on the training data${validation.length ? `, ${last(validation)} on the validation data` : ""}`;
      set(svg, { "aria-label": `${words}, after ${training.length} epochs` });
      return make("div", { class: "nbtune-half" }, make("div", { class: "nbtune-title" }, name), svg);
    });
    const key = make("p", { class: "nbtune-quiet" }, names.length ? "drawn through: validation data   dotted: training data   ● best epoch" : "no epoch has ended");
    this._plots.replaceChildren(...plots, key);
  }
}

const SMALL = { width: 360, height: 150, left: 40, right: 8, top: 6, bottom: 28 };
