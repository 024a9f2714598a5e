// Runs the explorers of a page. Each has the model that it would have in a notebook, with no kernel behind it.
{
  class Model {
    #values;
    #actions = {};

    constructor(values) {
      this.#values = values;
    }

    get(name) {
      return this.#values[name];
    }

    set(name, value) {
      const values = typeof name === "string" ? { [name]: value } : name;
      const changed = Object.keys(values).filter((key) => !same(this.#values[key], values[key]));
      for (const key of changed) this.#values[key] = values[key];
      for (const key of changed) this.#call(`change:${key}`);
      if (changed.length) this.#call("change");
    }

    on(event, action) {
      (this.#actions[event] ??= []).push(action);
    }

    off(event, action) {
      this.#actions[event] = this.#actions[event]?.filter((each) => each !== action);
    }

    save_changes() {}

    #call(event) {
      for (const action of [...(this.#actions[event] ?? [])]) action();
    }
  }

  const same = (one, other) =>
    one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));

  /** Run the explorer of a place; until it stands there, and where it cannot, its picture does. */
  async function run(place) {
    const el = place.appendChild(document.createElement("div"));
    try {
      const model = new Model(JSON.parse(place.querySelector("script").textContent));
      await window.explorers[place.dataset.module]().render({ model, el });
    } catch (error) {
      console.error(error);
      const says = document.createElement("p");
      says.textContent = "The explorer does not run in this browser; this is a picture of it.";
      el.replaceChildren(says);
    }
  }

  for (const place of document.querySelectorAll(".explorer")) run(place);
}
