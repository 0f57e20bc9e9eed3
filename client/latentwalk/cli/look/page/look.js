// The newest position goes out as soon as the one before has left; the newest picture comes in as soon as the one
// before is shown. In between there is nothing to wait in line: what is overtaken is never seen.

const at = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const LOST_PAUSE = 2000;
const SLOW = 400; // milliseconds, after which one is told that a picture takes its time

let model = null;
let sliders = [];
let truncation = null;

// -- asking ---------------------------------------------------------------------------------------------------------

class Failure extends Error {
  constructor(status, words) {
    super(words);
    this.status = status; // 0: nobody has answered
  }
}

async function ask(method, path, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  let reply;
  try {
    reply = await fetch(path, { method, body });
  } catch {
    throw new Failure(0, "latentwalk look does not answer (has it ended?)");
  }
  if (!reply.ok) {
    const told = await reply.json().catch(() => ({}));
    throw new Failure(reply.status, told.error ?? `${reply.status} ${reply.statusText}`);
  }
  return reply;
}

const askJson = async (...request) => (await ask(...request)).json();

function say(state, words) {
  at("status").dataset.state = state;
  at("status").textContent = words;
}

// -- where one stands -----------------------------------------------------------------------------------------------

function position() {
  const moved = sliders.filter((slider) => slider.isMoved && !slider.isOff);
  const standing = { seeds: at("seeds").value, displacements: moved.map((slider) => slider.displacement()) };
  if (model.classes) standing.class_id = Number(at("class").value);
  if (at("any-class").checked) standing.any_class = true;
  if (truncation?.isMoved) standing.truncation = truncation.far;
  return standing;
}

// -- there and back -------------------------------------------------------------------------------------------------

let viewer = null; // the id of our stream
let sent = 0; // the number of the newest position in that stream, and of the newest answer
let shown = 0;
let leftAt = new Map(); // when positions left, by number
let isDirty = false;
let isPushing = false;

function move() {
  isDirty = true;
  at("pictures").ariaBusy = "true";
  if (!isPushing) push();
}

async function push() {
  isPushing = true;
  while (isDirty) {
    isDirty = false;
    try {
      await send();
    } catch (failure) {
      await tell(failure);
    }
  }
  isPushing = false;
}

async function send() {
  if (!viewer) {
    viewer = (await askJson("POST", "viewers", { encoding: at("encoding").value })).viewer;
    sent = shown = 0;
    leftAt = new Map();
  }
  const left = performance.now();
  const told = await askJson("POST", `viewers/${viewer}/position`, position());
  sent = told.sequence;
  leftAt.set(sent, left);
  at("command").textContent = told.command;
  at("sdk").textContent = told.sdk;
  pull(viewer);
}

const pulling = new Set();

async function pull(from) {
  if (pulling.has(from)) return;
  pulling.add(from);
  try {
    while (from === viewer && shown < sent) {
      const late = setTimeout(() => say("waiting", "Drawing …"), SLOW);
      const answer = await askJson("GET", `viewers/${from}/answer`).finally(() => clearTimeout(late));
      if (from !== viewer) break;
      await show(answer);
      shown = answer.sequence;
    }
    if (from === viewer && !isDirty && !isPushing) at("pictures").ariaBusy = "false";
  } catch (failure) {
    if (from === viewer) {
      await tell(failure);
      move();
    }
  } finally {
    pulling.delete(from);
  }
}

// Refusals wait for another position; all else is tried again, with another stream.
async function tell(failure) {
  if (!(failure instanceof Failure)) throw failure;
  if (failure.status === 400) {
    refuse(failure.message);
    at("pictures").ariaBusy = "false";
    return;
  }
  viewer = null;
  isDirty = true;
  if (failure.status !== 410) {
    refuse(`${failure.message}; trying again …`);
    await pause(LOST_PAUSE);
  }
}

// -- pictures -------------------------------------------------------------------------------------------------------

function refuse(words) {
  at("pictures").classList.add("stale");
  say("bad", words);
}

async function show(answer) {
  if (answer.refusal) {
    refuse(answer.refusal);
    return;
  }
  const pictures = await Promise.all(answer.pictures.map(decoded));
  const seeds = at("seeds").value;
  pictures.forEach((picture, index) => {
    picture.alt = `Picture ${index + 1} of ${pictures.length}, seeds ${seeds}`;
  });
  at("pictures").replaceChildren(...pictures);
  at("pictures").classList.remove("stale");
  fit();
  const left = leftAt.get(answer.sequence);
  for (const number of leftAt.keys()) if (number <= answer.sequence) leftAt.delete(number);
  say("good", left ? `Seen ${Math.round(performance.now() - left)} ms after the move` : "Seen");
}

async function decoded(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {
    throw new Failure(400, "this browser cannot show pictures that travel so; choose another form of them");
  });
  return picture;
}

// As large as there is room, and if larger than they are, then by a whole number, so that every pixel stays a square.
function fit() {
  const pictures = [...at("pictures").children];
  if (!pictures.length) return;
  const gap = 6;
  const wide = at("pictures").clientWidth;
  const high = window.innerHeight * (matchMedia("(max-width: 54rem)").matches ? 0.4 : 0.72);
  let scale = 0;
  for (let columns = 1; columns <= pictures.length; columns += 1) {
    const rows = Math.ceil(pictures.length / columns);
    const x = (wide - gap * (columns - 1)) / (columns * model.width);
    const y = (high - gap * (rows - 1)) / (rows * model.height);
    scale = Math.max(scale, Math.min(x, y));
  }
  if (scale > 1) scale = Math.floor(scale);
  for (const picture of pictures) {
    picture.width = Math.round(model.width * scale);
    picture.classList.toggle("enlarged", scale > 1);
  }
}

// -- sliders --------------------------------------------------------------------------------------------------------

class Slider {
  constructor(label, told, direction = null) {
    Object.assign(this, told, { direction });
    this.places = Math.max(0, -Math.floor(Math.log10((told.limit[1] - told.limit[0] || 1) / 200)));
    const grain = 10 ** this.places;
    this.low = Math.ceil(told.limit[0] * grain - 1e-6) / grain;
    this.high = Math.floor(told.limit[1] * grain + 1e-6) / grain;
    this.element = at("slider").content.firstElementChild.cloneNode(true);
    [this.range, this.number] = this.element.querySelectorAll("input");
    this.write(label);
    this.listen();
    this.go(this.rest);
  }

  // A factor is dragged by its logarithm: half is as far from once as twice is.
  toTrack(far) { return this.multiplies ? Math.log(far) : far; }
  fromTrack(place) { return this.multiplies ? Math.exp(place) : place; }
  share(far) {
    const [low, high] = [this.low, this.high].map((end) => this.toTrack(end));
    return Math.min(1, Math.max(0, (this.toTrack(far) - low) / (high - low || 1)));
  }

  get isMoved() { return this.far !== this.rest; }
  get isOff() { return this.range.disabled; }

  write(label) {
    const named = this.element.querySelector("label");
    for (const part of label.split(/(?<=[_.])/)) named.append(part, document.createElement("wbr"));
    named.htmlFor = this.range.id = `slider-${Slider.count += 1}`;
    this.number.ariaLabel = `${label}, ${this.unit}`;
    this.element.querySelector(".back").ariaLabel = `${label}: back to where it rests`;
    this.element.querySelector(".unit").textContent = this.unit;
    this.element.querySelector(".low").textContent = this.low;
    this.element.querySelector(".high").textContent = this.high;
    const [low, high] = [this.low, this.high].map((end) => this.toTrack(end));
    Object.assign(this.range, { min: low, max: high, step: this.multiplies ? (high - low) / 400 : 10 ** -this.places });
    Object.assign(this.number, { min: this.low, max: this.high, step: 10 ** -this.places });
    const places = { "--low": this.trained[0], "--high": this.trained[1], "--rest": this.rest };
    for (const [name, far] of Object.entries(places)) this.range.style.setProperty(name, this.share(far));
    this.range.title = `trained from ${this.short(this.trained[0])} to ${this.short(this.trained[1])} ${this.unit}`;
  }

  short(far) { return Number(far.toPrecision(3)); }

  listen() {
    this.range.addEventListener("input", () => this.drag(this.fromTrack(this.range.valueAsNumber)));
    this.number.addEventListener("input", () => {
      if (this.number.value !== "" && this.number.validity.valid) this.drag(this.number.valueAsNumber, this.number);
    });
    this.number.addEventListener("change", () => this.drag(this.number.valueAsNumber));
    this.element.querySelector(".back").addEventListener("click", () => {
      this.drag(this.rest);
      this.range.focus();
    });
  }

  drag(far, typing = null) {
    this.go(Number.isFinite(far) ? far : this.rest, typing);
    move();
  }

  go(far, typing = null) {
    const rounded = Number(far.toFixed(this.places));
    this.far = rounded === this.rest ? this.rest : Math.min(this.high, Math.max(this.low, rounded));
    this.range.value = this.toTrack(this.far);
    this.range.ariaValueText = `${this.far} ${this.unit}`;
    this.range.style.setProperty("--now", this.share(this.far));
    if (typing !== this.number) this.number.value = this.far.toFixed(this.places);
    this.element.classList.toggle("moved", this.isMoved);
  }

  displacement() {
    const slider = this.direction.sliders.length > 1 ? this.name : "";
    return { direction: this.direction.name, slider, [this.measure]: this.far };
  }

  // A slider that was found for another class is refused by the server, unless it is told to take any.
  suit(classId, takesAny) {
    const off = this.class_id !== null && this.class_id !== undefined && this.class_id !== classId && !takesAny;
    this.range.disabled = this.number.disabled = off;
    this.element.classList.toggle("off", off);
    this.element.querySelector(".note").textContent = this.class_id == null ? "" : `of class ${this.class_id}`;
  }
}
Slider.count = 0;

function suit() {
  const classId = model.classes ? Number(at("class").value) : null;
  for (const slider of sliders) slider.suit(classId, at("any-class").checked);
}

// -- building -------------------------------------------------------------------------------------------------------

const FOLDED_FROM = 7; // sliders of one direction

function build() {
  at("name").textContent = model.name;
  at("told").textContent = model.told;
  document.title = `${model.name} · latentwalk look`;
  at("encoding").value = model.encoding;
  buildClasses();
  if (model.truncates) {
    const told = { limit: [-2, 2], trained: [0, 1], rest: 1, unit: "", measure: "truncation", class_id: null };
    truncation = new Slider("truncation", told);
    truncation.suit(null, false);
    at("sliders").append(truncation.element);
  }
  const [alone, banks] = [[], []];
  for (const direction of model.directions) (direction.sliders.length === 1 ? alone : banks).push(direction);
  at("sliders").append(several(alone.map((direction) => buildSlider(direction, direction.sliders[0], direction.name))));
  for (const direction of banks) at("sliders").append(direction.ready ? buildBank(direction) : buildUnready(direction));
  at("any").hidden = sliders.every((slider) => slider.class_id === null);
  suit();
}

function buildClasses() {
  if (!model.classes) return;
  const choice = document.createElement(model.classes <= 20 ? "select" : "input");
  if (choice instanceof HTMLSelectElement) {
    for (let id = 0; id < model.classes; id += 1) choice.append(new Option(id));
  } else {
    const max = model.classes - 1;
    Object.assign(choice, { type: "number", min: 0, max, value: 0, title: `0 to ${max}` });
  }
  choice.id = "class";
  choice.addEventListener("input", () => { suit(); move(); });
  at("classes").append(choice);
  at("classes").hidden = false;
}

function buildSlider(direction, told, label) {
  const slider = new Slider(label, told, direction);
  sliders.push(slider);
  return slider.element;
}

function several(elements) {
  const list = document.createElement("div");
  list.className = "several";
  list.append(...elements);
  return list;
}

function buildBank(direction) {
  const [bank, summary, count] = ["details", "summary", "span"].map((name) => document.createElement(name));
  bank.open = direction.sliders.length < FOLDED_FROM;
  count.textContent = ` · ${direction.sliders.length} sliders`;
  summary.append(direction.name, count);
  bank.append(summary, several(direction.sliders.map((told) => buildSlider(direction, told, told.name))));
  return bank;
}

function buildUnready(direction) {
  const line = document.createElement("p");
  line.className = "unready";
  const command = document.createElement("code");
  command.textContent = `latentwalk directions load ${model.name} ${direction.name}`;
  line.append(`${direction.name} is not loaded: `, command);
  return line;
}

// -- what else one can do -------------------------------------------------------------------------------------------

function roll() {
  const many = Math.max(1, at("pictures").childElementCount);
  const drawn = crypto.getRandomValues(new Uint32Array(many));
  at("seeds").value = [...drawn].map((one) => one % 1_000_000).join(",");
  move();
}

function reset() {
  for (const slider of [...sliders, truncation]) slider?.go(slider.rest);
  move();
}

async function save() {
  try {
    const file = await (await ask("POST", "picture", position())).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${model.name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    say("bad", failure.message);
  }
}

async function copy(button) {
  const code = at(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code); // where a page may not copy, it is one key away
    return;
  }
  button.textContent = "Copied";
  await pause(1500);
  button.textContent = "Copy";
}

function reopen() {
  viewer = null; // how pictures travel is said once for a stream
  move();
}

function listen() {
  at("seeds").addEventListener("change", move);
  at("dice").addEventListener("click", roll);
  at("any-class").addEventListener("change", () => { suit(); move(); });
  at("reset").addEventListener("click", reset);
  at("save").addEventListener("click", save);
  at("encoding").addEventListener("change", reopen);
  for (const button of document.querySelectorAll("[data-copies]")) button.addEventListener("click", () => copy(button));
  window.addEventListener("resize", fit);
}

async function begin() {
  while (!model) {
    try {
      model = await askJson("GET", "model");
    } catch (failure) {
      await tell(failure);
    }
  }
  build();
  listen();
  move();
}

begin();
