"use strict";
// A, B and X play in step all the time; switching is a cross-fade of their gains, so that nothing clicks or jumps.
const FADE_S = 0.005;
const element = (id) => document.getElementById(id);
const slots = [...document.querySelectorAll("[data-slot]")];
const choices = [...document.querySelectorAll("[data-choice]")];
const test = { session: "", trial: 0, trials: 0, began: 0, isReady: false };
const player = { context: null, buffers: {}, voices: {}, slot: "a", isPlaying: false };

async function ask(address, body) {
  const answer = await fetch(address, { method: "POST", body: JSON.stringify(body) });
  const state = await answer.json();
  if (!answer.ok) throw new Error(state.refused);
  return state;
}

async function attempt(work) {
  element("refusal").textContent = "";
  try {
    await work();
  } catch (error) {
    const isOut = error instanceof TypeError;
    element("refusal").textContent = isOut ? "The test has been ended; start highband listen again." : error.message;
  }
}

function glide(gain, value) {
  const now = player.context.currentTime;
  gain.cancelScheduledValues(now);
  gain.setValueAtTime(gain.value, now);
  gain.linearRampToValueAtTime(value, now + FADE_S);
}

function play() {
  const start = player.context.currentTime + 0.02;
  for (const [slot, buffer] of Object.entries(player.buffers)) {
    const source = new AudioBufferSourceNode(player.context, { buffer, loop: true });
    const gain = new GainNode(player.context, { gain: slot === player.slot ? 1 : 0 });
    source.connect(gain).connect(player.context.destination);
    source.start(start);
    player.voices[slot] = { source, gain };
  }
  player.isPlaying = true;
  show();
}

function stop() {
  for (const { source, gain } of Object.values(player.voices)) {
    glide(gain.gain, 0);
    source.stop(player.context.currentTime + 2 * FADE_S);
  }
  player.voices = {};
  player.isPlaying = false;
  show();
}

function change(slot) {
  player.slot = slot;
  for (const [name, { gain }] of Object.entries(player.voices)) glide(gain.gain, name === slot ? 1 : 0);
  if (!player.isPlaying && test.isReady) play();
  show();
}

function show() {
  for (const button of slots) button.setAttribute("aria-pressed", String(button.dataset.slot === player.slot));
  for (const button of [...choices, ...slots, element("play")]) button.disabled = !test.isReady;
  element("play").setAttribute("aria-pressed", String(player.isPlaying));
  element("play").textContent = player.isPlaying ? "Stop" : "Play";
  element("progress").textContent = `Trial ${test.trial + 1} of ${test.trials}`;
}

async function load() {
  const address = (slot) => `sessions/${test.session}/${test.trial}/${slot}`;
  const decode = async (slot) => {
    const answer = await fetch(address(slot));
    if (!answer.ok) throw new Error((await answer.json()).refused);
    const data = await answer.arrayBuffer();
    // At the file's own rate nothing is converted before it is played.
    player.context ??= new AudioContext({ sampleRate: new DataView(data).getUint32(24, true) });
    return [slot, await player.context.decodeAudioData(data)];
  };
  const first = await decode("a");
  player.buffers = Object.fromEntries([first, await decode("b"), await decode("x")]);
  player.slot = "a";
  await player.context.resume();
  test.isReady = true;
  test.began = performance.now();
  play();
}

async function answer(choice) {
  if (!test.isReady) return;
  test.isReady = false;
  const seconds = (performance.now() - test.began) / 1000;
  let state;
  try {
    state = await ask(`sessions/${test.session}`, { trial: test.trial, choice, seconds });
  } catch (error) {
    test.isReady = true;
    show();
    throw error;
  }
  if (player.isPlaying) stop();
  test.trial = state.trial;
  if (state.results) finish(state);
  else await load();
}

function finish(state) {
  element("test").hidden = true;
  element("end").hidden = false;
  element("output").textContent = state.output;
  const percent = (rate) => `${Math.round(100 * rate)} %`;
  for (const one of state.results) {
    const row = element("end").querySelector("tbody").insertRow();
    const texts = [one.pair.join(" / "), `${one.correct} of ${one.trials}`, one.p_value.toPrecision(2),
      `${percent(one.low)} to ${percent(one.high)}`];
    for (const text of texts) row.insertCell().textContent = text;
  }
  element("end").querySelector("h2").focus();
}

element("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const { session, trial, trials } = await ask("sessions", { name: element("name").value.trim() });
    Object.assign(test, { session, trial, trials });
    element("begin").hidden = true;
    element("test").hidden = false;
    show();
    await load();
  });
});
const toggle = () => (player.isPlaying ? stop() : play());
element("play").addEventListener("click", toggle);
for (const button of slots) button.addEventListener("click", () => change(button.dataset.slot));
for (const button of choices) button.addEventListener("click", () => attempt(() => answer(button.dataset.choice)));
document.addEventListener("keydown", (event) => {
  if (!test.isReady || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if ("abx".includes(key)) change(key);
  else if (key === "1" || key === "2") attempt(() => answer(key === "1" ? "A" : "B"));
  else if (key === " ") toggle();
  else return;
  event.preventDefault();
});
