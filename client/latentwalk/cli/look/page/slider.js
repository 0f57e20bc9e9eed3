// One slider: a track that is dragged, a number that is typed, and the way back to where it rests.

const STEPS = 200; // of a track, at least, that its numbers tell apart
const DIGITS = 3; // of a factor, whose numbers are as fine at either end
const PRESSES = 50; // of an arrow key from end to end, at least
const FURTHER = 5; // so many steps at once

const STEPPED = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: FURTHER, PageDown: -FURTHER };
const TYPING = ["ArrowLeft", "ArrowRight", "Home", "End", "Delete", "Backspace"]; // keys that a number is edited with

// The largest of 1, 2, 5, 10, 20, ... that goes so often into a length.
function roundStep(length, times) {
  const power = 10 ** Math.floor(Math.log10(length / times));
  return power * [5, 2, 1].find((digit) => digit * power * times <= length * (1 + 1e-9));
}

export class Slider {
  static #made = 0;

  // told: as `latentwalk.cli.look.description` describes it. moved: called whenever a hand has moved it.
  constructor(label, told, direction, moved) {
    Object.assign(this, told, { direction, moved });
    this.low = this.rounded(told.limit[0], (far) => Math.ceil(far - 1e-6));
    this.high = this.rounded(told.limit[1], (far) => Math.floor(far + 1e-6));
    this.element = document.getElementById("slider").content.firstElementChild.cloneNode(true);
    [this.range, this.number] = this.element.querySelectorAll("input");
    this.entitle(label);
    this.mark();
    this.listen();
    this.go(this.rest);
  }

  get isMoved() { return this.far !== this.rest; }
  get isOff() { return this.range.disabled; }

  // -- numbers ------------------------------------------------------------------------------------------------------

  // A factor is dragged by its logarithm: half is as far from once as twice is.
  toTrack(far) { return this.multiplies ? Math.log(far) : far; }
  fromTrack(place) { return this.multiplies ? Math.exp(place) : place; }

  // How far along the track, 0 to 1.
  share(far) {
    const [low, high] = [this.low, this.high].map((end) => this.toTrack(end));
    return Math.min(1, Math.max(0, (this.toTrack(far) - low) / (high - low || 1)));
  }

  // Decimal places that it is written with there.
  places(far) {
    if (this.multiplies) return Math.max(0, DIGITS - 1 - Math.floor(Math.log10(far)));
    return Math.max(0, -Math.floor(Math.log10((this.limit[1] - this.limit[0] || 1) / STEPS)));
  }

  rounded(far, how = Math.round) {
    const grain = 10 ** this.places(far);
    return how(far * grain) / grain;
  }

  short(far) { return Number(far.toPrecision(DIGITS)); }

  // -- the row ------------------------------------------------------------------------------------------------------

  entitle(label) {
    const named = this.element.querySelector("label");
    for (const part of label.split(/(?<=[_.])/)) named.append(part, document.createElement("wbr"));
    named.htmlFor = this.range.id = `slider-${Slider.#made += 1}`;
    this.number.ariaLabel = [label, this.unit].filter(Boolean).join(", ");
    this.element.querySelector(".back").ariaLabel = `${label}: back to where it rests`;
    this.element.querySelector(".unit").textContent = this.unit;
  }

  mark() {
    this.element.querySelector(".low").textContent = this.low;
    this.element.querySelector(".high").textContent = this.high;
    const [low, high] = [this.low, this.high].map((end) => this.toTrack(end));
    const step = 10 ** -this.places(this.rest);
    // A hair more than the whole number of logarithmic steps that there are, or rounding puts the end out of reach.
    const logarithmic = { min: low, max: high + 1e-9, step: (high - low) / (2 * STEPS) };
    Object.assign(this.range, this.multiplies ? logarithmic : { min: low, max: high, step });
    Object.assign(this.number, { min: this.low, max: this.high, step: this.multiplies ? "any" : step });
    const places = { "--low": this.trained[0], "--high": this.trained[1], "--rest": this.rest };
    for (const [name, far] of Object.entries(places)) this.range.style.setProperty(name, this.share(far));
    this.range.title = `trained from ${this.short(this.trained[0])} to ${this.short(this.trained[1])} ${this.unit}`;
  }

  listen() {
    this.range.addEventListener("input", () => this.drag(this.fromTrack(this.range.valueAsNumber)));
    this.number.addEventListener("input", () => {
      if (this.number.value !== "" && this.number.validity.valid) this.drag(this.number.valueAsNumber, this.number);
    });
    this.number.addEventListener("change", () => this.drag(this.number.valueAsNumber));
    this.range.addEventListener("keydown", (event) => this.press(event));
    this.number.addEventListener("keydown", (event) => TYPING.includes(event.key) || this.press(event));
    this.element.querySelector(".back").addEventListener("click", () => {
      this.drag(this.rest);
      this.range.focus();
    });
  }

  // -- moving -------------------------------------------------------------------------------------------------------

  drag(far, typing = null) {
    this.go(Number.isFinite(far) ? far : this.rest, typing);
    this.moved();
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const places = { Home: this.low, End: this.high, Delete: this.rest, Backspace: this.rest };
    const steps = STEPPED[event.key] * (event.shiftKey && event.key.startsWith("Arrow") ? FURTHER : 1);
    if (!steps && !(event.key in places)) return;
    event.preventDefault();
    this.drag(steps ? this.stepped(steps) : places[event.key]);
  }

  // Onto the next round place, counted from where it rests: there and back again is back.
  stepped(steps) {
    const [low, high, rest, now] = [this.low, this.high, this.rest, this.far].map((far) => this.toTrack(far));
    const step = this.multiplies ? (high - low) / PRESSES : roundStep(high - low || 1, PRESSES);
    const exact = (now - rest) / step;
    const near = Math.abs(exact - Math.round(exact)) < 0.2 ? Math.round(exact) : exact; // its number is rounded, too
    return this.fromTrack(rest + step * ((steps > 0 ? Math.floor(near) : Math.ceil(near)) + steps));
  }

  // What is being typed is left as it is typed.
  go(far, typing = null) {
    this.far = this.rounded(far === this.rest ? far : Math.min(this.high, Math.max(this.low, far)));
    this.range.value = this.toTrack(this.far);
    this.range.ariaValueText = `${this.far} ${this.unit}`;
    this.range.style.setProperty("--now", this.share(this.far));
    if (typing !== this.number) this.number.value = this.far.toFixed(this.places(this.far));
    this.element.classList.toggle("moved", this.isMoved);
  }

  displacement() {
    const slider = this.direction.sliders.length > 1 ? this.name : "";
    return { direction: this.direction.name, slider, [this.measure]: this.far };
  }

  // A slider that was found for another class is refused by the server, unless it is told to take any.
  suit(classId, takesAny) {
    const off = this.class_id !== null && this.class_id !== classId && !takesAny;
    this.range.disabled = this.number.disabled = off;
    this.element.classList.toggle("off", off);
    this.element.querySelector(".note").textContent = this.class_id === null ? "" : `of class ${this.class_id}`;
  }
}
