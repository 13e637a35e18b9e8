// Editors of one text each: every one has `element`, says its new text to `change`, and labels what can be reached.

import { make, set } from "./dom.js";

/** What to put where: `field` as in nbtune/panel/form.py. */
export function editor(field, id, change, as_list) {
  const kinds = { range: RangeEditor, log: LogEditor, tags: TagsEditor, choice: ChoiceEditor, select: SelectEditor, switch: SwitchEditor, text: TextEditor };
  return new kinds[field.editor](field, id, change, as_list);
}

class TextEditor {
  constructor(field, id, change) {
    this.input = make("input", { id, type: "text", value: field.text, placeholder: field.hint || "left out", spellcheck: "false" });
    this.input.addEventListener("input", () => change(this.input.value));
    this.element = this.input;
    if (!field.choices.length) return;
    set(this.input, { list: `${id}-choices` });
    const words = field.choices.map((choice) => make("option", { value: choice }));
    this.element = make("span", {}, this.input, make("datalist", { id: `${id}-choices` }, ...words));
  }
}

/** One of a few. */
class SelectEditor {
  constructor(field, id, change) {
    const words = field.choices.map((choice) => make("option", { value: choice }, choice));
    this.input = make("select", { id }, make("option", { value: "" }, field.hint ? `${field.hint} (default)` : "left out"), ...words);
    this.input.value = field.text;
    this.input.addEventListener("change", () => change(this.input.value));
    this.element = this.input;
  }
}

class SwitchEditor {
  constructor(field, id, change) {
    this.input = make("input", { id, type: "checkbox", checked: Boolean(field.text) });
    this.input.addEventListener("change", () => change(this.input.checked ? "on" : ""));
    this.element = this.input;
  }
}

/** Numbers in a row, joined into one text. */
class NumbersEditor {
  constructor(field, id, change, as_list, parts) {
    const values = this.split(field.text);
    this._inputs = parts.map(([label, step], i) => {
      const first = i === 0 ? { id } : {};
      const input = make("input", { ...first, type: step ? "number" : "text", step, value: values[i] ?? "", "aria-label": `${field.label}: ${label}`, class: "nbtune-number" });
      input.addEventListener("input", () => change(this.join(this._inputs.map((one) => one.value.trim()))));
      return input;
    });
    this.input = this._inputs[0];
    const list = make("button", { type: "button", class: "nbtune-link", onclick: as_list, "aria-label": `${field.label}: edit as a list` }, "as a list");
    const words = this._inputs.flatMap((input, i) => [make("span", { class: "nbtune-quiet", "aria-hidden": "true" }, parts[i][0]), input]);
    this.element = make("span", { class: "nbtune-numbers" }, ...words, list);
  }
}

class RangeEditor extends NumbersEditor {
  constructor(field, id, change, as_list) {
    super(field, id, change, as_list, [["from", 1], ["to", 1], ["step", 1]]);
  }

  split(text) {
    return text ? [...text.split(":"), "1"].slice(0, 3) : [];
  }

  join([from, to, step]) {
    if (!from && !to) return "";
    return `${from}:${to}${step && step !== "1" ? `:${step}` : ""}`;
  }
}

class LogEditor extends NumbersEditor {
  constructor(field, id, change, as_list) {
    super(field, id, change, as_list, [["from", null], ["to", null], ["values", 1]]);
  }

  split(text) {
    return text ? text.split(":").slice(1) : [];
  }

  join([from, to, count]) {
    return from || to ? `log:${from}:${to}:${count}` : "";
  }
}

/** Values as tags. A comma or Enter ends one, Backspace in the empty input takes the last one back. */
class TagsEditor {
  constructor(field, id, change) {
    this._field = field;
    this._change = change;
    this._values = items(field.text);
    this._wrong = [];
    this._tags = make("span", { class: "nbtune-tags" });
    this.input = this._entry(id);
    this.element = make("span", { class: "nbtune-tagged" }, this._tags, this.input);
    this._show();
  }

  _entry(id) {
    const input = make("input", { id, type: "text", class: "nbtune-entry", spellcheck: "false", autocomplete: "off" });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this._add(input.value);
      else if (event.key === "Backspace" && !input.value && this._values.length) this._remove(this._values.length - 1);
    });
    input.addEventListener("input", () => input.value.endsWith(",") && balanced(input.value) && this._add(input.value.slice(0, -1)));
    input.addEventListener("blur", () => this._add(input.value));
    return input;
  }

  _add(text) {
    const more = items(text);
    this.input.value = "";
    if (!more.length) return;
    this._values.push(...more);
    this._show();
    this._change(this._values.join(","));
  }

  _remove(i) {
    this._values.splice(i, 1);
    this._show();
    this.input.focus();
    this._change(this._values.join(","));
  }

  /** Marks the values that are wrong by themselves. */
  mark(wrong) {
    this._wrong = wrong;
    [...this._tags.children].forEach((tag, i) => tag.classList.toggle("nbtune-wrong", wrong.includes(this._values[i])));
  }

  _show() {
    const tags = this._values.map((value, i) => {
      const remove = make("button", { type: "button", "aria-label": `${this._field.label}: remove ${value}`, onclick: () => this._remove(i) }, "×");
      return make("span", { class: "nbtune-tag" }, value, remove);
    });
    this._tags.replaceChildren(...tags);
    this.mark(this._wrong);
    set(this.input, { placeholder: tags.length ? "add" : this._field.hint || "left out" });
  }
}

/** Tags out of a list of names. */
class ChoiceEditor extends TagsEditor {
  _entry(id) {
    const select = make("select", { id, class: "nbtune-entry" });
    select.addEventListener("change", () => this._add(select.value));
    return select;
  }

  _show() {
    super._show();
    const left = this._field.choices.filter((choice) => !this._values.includes(choice));
    const first = make("option", { value: "" }, this._values.length ? "add …" : this._field.hint || "choose …");
    this.input.replaceChildren(first, ...left.map((choice) => make("option", { value: choice }, choice)));
  }
}

/** A text cut at its commas, but not inside of brackets. */
function items(text) {
  const found = [];
  let [item, depth] = ["", 0];
  for (const char of text) {
    depth += "([{".includes(char) - ")]}".includes(char);
    if (char === "," && depth <= 0) {
      found.push(item);
      item = "";
    } else item += char;
  }
  return [...found, item].map((one) => one.trim()).filter(Boolean);
}

function balanced(text) {
  return [...text].reduce((depth, char) => depth + "([{".includes(char) - ")]}".includes(char), 0) <= 0;
}
