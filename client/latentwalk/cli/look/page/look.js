// The newest position goes out as soon as the one before has left; the newest picture comes in as soon as the one
// before is shown. In between there is nothing to wait in line: what is overtaken is never seen.

import { Failure, ask, askJson } from "./asking.js";
import { decoded, fit } from "./pictures.js";
import { Slider } from "./slider.js";

const at = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const LOST_PAUSE = 2000;
const SLOW = 400; // milliseconds, after which one is told that a picture takes its time

let model = null;
let truncation = null;
const sliders = [];
const banks = []; // of sliders, each with a line that counts them

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
  for (const bank of banks) bank.count();
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

function refit() {
  fit(at("pictures"), model.width, model.height);
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
  refit();
  const left = leftAt.get(answer.sequence);
  for (const number of leftAt.keys()) if (number <= answer.sequence) leftAt.delete(number);
  say("good", left ? `Seen ${Math.round(performance.now() - left)} ms after the move` : "Seen");
}

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
    truncation = new Slider("truncation", told, null, move);
    truncation.suit(null, false);
    at("sliders").append(truncation.element);
  }
  const [alone, banks] = [[], []];
  for (const direction of model.directions) (direction.sliders.length === 1 ? alone : banks).push(direction);
  at("sliders").append(several(alone.map((one) => buildSlider(one, one.sliders[0], one.name))));
  for (const direction of banks) at("sliders").append(direction.ready ? buildBank(direction) : buildUnready(direction));
  if (!model.directions.length) at("sliders").append(buildNone());
  at("legend").hidden = !sliders.length && !truncation;
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
  const slider = new Slider(label, told, direction, move);
  sliders.push(slider);
  return slider;
}

function several(rows) {
  const list = document.createElement("div");
  list.className = "several";
  list.append(...rows.map((slider) => slider.element));
  return list;
}

function buildBank(direction) {
  const [bank, summary, counted] = ["details", "summary", "span"].map((name) => document.createElement(name));
  const own = direction.sliders.map((told) => buildSlider(direction, told, told.name));
  bank.open = own.length < FOLDED_FROM || model.directions.length === 1;
  summary.append(direction.name, counted);
  bank.append(summary, several(own));
  banks.push({
    // Folded, it still tells that there is something in it that moves the pictures.
    count: () => {
      const moved = own.filter((slider) => slider.isMoved && !slider.isOff).length;
      counted.textContent = ` · ${own.length} sliders${moved ? `, ${moved} moved` : ""}`;
    },
  });
  return bank;
}

const buildUnready = ({ name }) => advice(`${name} is not loaded: `, `latentwalk directions load ${model.name} ${name}`);

const buildNone = () => advice("It has no directions yet. To train one: ", `latentwalk train edit ${model.name} zoom --edit zoom`);

function advice(words, command) {
  const [line, code] = ["p", "code"].map((name) => document.createElement(name));
  line.className = "advice";
  code.textContent = command;
  line.append(words, code);
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
  window.addEventListener("resize", refit);
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
