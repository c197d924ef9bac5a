"use strict";
// The sounds of a trial play in step all the time; switching is a cross-fade of their gains, so that nothing clicks or jumps.
const FADE_S = 0.005;
const element = (id) => document.getElementById(id);
const test = { session: "", trial: 0, trials: 0, slots: [], began: 0, isReady: false };
const player = { context: null, buffers: {}, voices: {}, slot: "", isPlaying: false };

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
  const decoded = [];
  for (const slot of test.slots) decoded.push(await decode(slot));
  player.buffers = Object.fromEntries(decoded);
  player.slot = test.slots[0];
  await player.context.resume();
  test.isReady = true;
  test.began = performance.now();
  play();
}

// Send an answer, then go on: `finish` shows the results, `begin` the next trial.
async function answer(words, begin, finish) {
  if (!test.isReady) return;
  test.isReady = false;
  const seconds = (performance.now() - test.began) / 1000;
  let state;
  try {
    state = await ask(`sessions/${test.session}`, { trial: test.trial, seconds, ...words });
  } catch (error) {
    test.isReady = true;
    show();
    throw error;
  }
  if (player.isPlaying) stop();
  if (state.results) {
    element("test").hidden = true;
    element("end").hidden = false;
    element("output").textContent = state.output;
    finish(state);
    element("end").querySelector("h2").focus();
    return;
  }
  Object.assign(test, { trial: state.trial, slots: state.slots });
  begin();
  await load();
}

function addRow(texts) {
  const row = element("end").querySelector("tbody").insertRow();
  for (const text of texts) row.insertCell().textContent = text;
}

// The form with the listener's name begins the test.
function whenBegun(begin) {
  element("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const { session, trial, trials, slots } = await ask("sessions", { name: element("name").value.trim() });
      Object.assign(test, { session, trial, trials, slots });
      element("begin").hidden = true;
      element("test").hidden = false;
      begin();
      show();
      await load();
    });
  });
}

function showPlayer(buttons) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.slot === player.slot));
  element("play").setAttribute("aria-pressed", String(player.isPlaying));
  element("play").textContent = player.isPlaying ? "Stop" : "Play";
  element("progress").textContent = `Trial ${test.trial + 1} of ${test.trials}`;
}

const toggle = () => (player.isPlaying ? stop() : play());
element("play").addEventListener("click", toggle);
