"use strict";
const reference = document.querySelector("[data-slot=reference]");
let sounds = [], sliders = {};

function addSound(slot) {
  const number = Number(slot), row = document.createElement("div");
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: `Sound ${number}` });
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100, value: 50 });
  const score = Object.assign(document.createElement("output"), { textContent: "not rated" });
  button.dataset.slot = slot;
  slider.setAttribute("aria-label", `Score of sound ${number}`);
  button.addEventListener("click", () => change(slot));
  for (const kind of ["focus", "pointerdown"]) slider.addEventListener(kind, () => test.isReady && change(slot));
  // A middle that is meant is a score as well: any touch of the slider counts.
  const rate = () => {
    score.textContent = slider.value;
    slider.dataset.isRated = "yes";
    show();
  };
  for (const kind of ["input", "click"]) slider.addEventListener(kind, rate);
  slider.addEventListener("keyup", (event) => /^(Arrow|Page|Home|End)/.test(event.key) && rate());
  row.append(button, slider, score);
  element("sounds").append(row);
  sliders[slot] = slider;
  sounds.push(button);
}

function begin() {
  element("sounds").replaceChildren();
  [sounds, sliders] = [[], {}];
  for (const slot of test.slots) if (slot !== "reference") addSound(slot);
  // The reference plays first.
  test.slots = ["reference", ...Object.keys(sliders)];
}

function show() {
  showPlayer([reference, ...sounds]);
  for (const part of [reference, ...sounds, ...Object.values(sliders), element("play")]) part.disabled = !test.isReady;
  element("next").disabled = !test.isReady || !Object.values(sliders).every((slider) => slider.dataset.isRated);
}

function finish(state) {
  for (const one of state.results) addRow([one.version, one.median, `${one.low} to ${one.high}`, one.count]);
  const out = state.left_out ? `, ${state.left_out} left out by the rules of BS.1534` : "";
  element("listeners").textContent = `${state.listeners} listeners${out}.`;
}

function next() {
  if (element("next").disabled) return;
  const scores = Object.fromEntries(Object.entries(sliders).map(([slot, slider]) => [slot, Number(slider.value)]));
  attempt(() => answer({ scores }, begin, finish));
}

whenBegun(begin);
reference.addEventListener("click", () => change("reference"));
element("next").addEventListener("click", next);
document.addEventListener("keydown", (event) => {
  if (!test.isReady || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const slot = event.key.padStart(2, "0");
  if (event.key === "0") change("reference");
  else if (slot in sliders) sliders[slot].focus();
  else if (event.key === " ") toggle();
  else if (event.key === "Enter" && event.target.type === "range") next();
  else return;
  event.preventDefault();
});
