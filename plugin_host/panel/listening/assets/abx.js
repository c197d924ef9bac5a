"use strict";
const slots = [...document.querySelectorAll("[data-slot]")];
const choices = [...document.querySelectorAll("[data-choice]")];

function show() {
  showPlayer(slots);
  for (const button of [...choices, ...slots, element("play")]) button.disabled = !test.isReady;
}

function finish(state) {
  const percent = (rate) => `${Math.round(100 * rate)} %`;
  for (const one of state.results) {
    addRow([one.pair.join(" / "), `${one.correct} of ${one.trials}`, one.p_value.toPrecision(2),
      `${percent(one.low)} to ${percent(one.high)}`]);
  }
}

const choose = (choice) => attempt(() => answer({ choice }, show, finish));
whenBegun(show);
for (const button of slots) button.addEventListener("click", () => change(button.dataset.slot));
for (const button of choices) button.addEventListener("click", () => choose(button.dataset.choice));
document.addEventListener("keydown", (event) => {
  if (!test.isReady || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if ("abx".includes(key)) change(key);
  else if (key === "1" || key === "2") choose(key === "1" ? "A" : "B");
  else if (key === " ") toggle();
  else return;
  event.preventDefault();
});
