// A knob: drag up and down (shift for fine), wheel, arrow keys, double click for the default, or type a value; the page's
// menu for all else, by right-click, a long press or the context-menu key.
const ARC = 270, FIRST = -135, DRAG_PX = 220, SEND_MS = 40, PAUSE_MS = 500, LONG_PRESS_MS = 550, STILL_PX = 8;
let gestures = 0;
const page = Math.random().toString(36).slice(2, 8);

function point(angle, radius) {
  const turn = ((angle - 90) * Math.PI) / 180;
  return `${(32 + radius * Math.cos(turn)).toFixed(2)} ${(32 + radius * Math.sin(turn)).toFixed(2)}`;
}

function arc(from, to) {
  const [low, high] = from < to ? [from, to] : [to, from];
  const angles = [low, high].map((part) => FIRST + ARC * part);
  return `M ${point(angles[0], 26)} A 26 26 0 ${angles[1] - angles[0] > 180 ? 1 : 0} 1 ${point(angles[1], 26)}`;
}

export default {
  template: `
    <div class="hb-knob" :class="{ 'hb-away': away, 'hb-learning': learning, 'hb-large': large }" @contextmenu.prevent="openMenu($event)">
      <div class="hb-knob-name" :title="knob.about">{{ knob.label }}<span v-if="locked" class="hb-lock" aria-hidden="true"
        title="Locked against presets">locked</span></div>
      <svg ref="dial" viewBox="0 0 64 64" role="slider" tabindex="0" aria-orientation="vertical"
        :aria-label="knob.name" :aria-valuemin="knob.low" :aria-valuemax="knob.high"
        :aria-valuenow="now" :aria-valuetext="setting.text" :aria-disabled="away" :aria-description="[waiting, locked && 'Locked against presets.'].filter(Boolean).join(' ') || null"
        @pointerdown="grab" @pointermove="move" @pointerup="release" @pointercancel="release"
        @dblclick="toDefault" @wheel.prevent="roll" @keydown="press" @blur="finish">
        <title>{{ tip }}</title>
        <path class="hb-track" :d="track" />
        <path class="hb-value" :d="filled" />
        <line class="hb-default" v-bind="tick" />
        <path v-if="ghost !== null" class="hb-ghost" d="M 32 2 l 4 -2 l -8 0 z M 32 3 L 32 9"
          :transform="'rotate(' + ghostAngle + ' 32 32)'" />
        <path v-if="found" class="hb-found-mark" d="M 32 3 L 32 9"
          :transform="'rotate(' + (first + arc * toPosition(found)) + ' 32 32)'" />
        <circle class="hb-cap" cx="32" cy="32" r="19" />
        <line class="hb-hand" x1="32" y1="15" x2="32" y2="25" :transform="'rotate(' + angle + ' 32 32)'" />
      </svg>
      <div v-if="poles.length" class="hb-poles"><span v-for="pole in poles" :key="pole">{{ pole }}</span></div>
      <input v-if="typing" ref="field" class="hb-knob-text" v-model="typed" :aria-label="knob.name + ' value'"
        @keydown.enter.prevent="accept" @keydown.esc.prevent="leave" @blur="typing = false" />
      <button v-else class="hb-knob-text" type="button" :disabled="away" :aria-label="'Type a value for ' + knob.name"
        @click="type('')">{{ setting.text }}<span v-if="found" class="hb-found"> {{ hertz(found) }}</span></button>
    </div>`,
  props: {
    knob: Object, setting: Object, away: Boolean, learning: Boolean, source: String,
    ghost: { type: Number, default: null }, large: Boolean, locked: Boolean, poles: { type: Array, default: () => [] },
    // Where a knob that is automatic stands now, in its unit; 0 for a knob that is set.
    found: { type: Number, default: 0 },
  },
  data: () => ({ first: FIRST, arc: ARC, held: null, shown: null, typing: false, typed: "", gesture: null, sentAt: 0 }),
  computed: {
    position() { return this.shown ?? this.setting.position; },
    angle() { return FIRST + ARC * this.position; },
    // "auto" lies below the range, and the range is what a screen reader reads.
    now() { return Math.min(this.knob.high, Math.max(this.knob.low, this.setting.value)); },
    origin() { return this.knob.low < 0 && this.knob.high > 0 ? this.toPosition(0) : 0; },
    ghostAngle() { return FIRST + ARC * (this.ghost ?? 0); },
    waiting() {
      return this.ghost === null ? "" : `The controller waits at ${Math.round(100 * this.ghost)} percent of the way.`;
    },
    tip() {
      const source = this.source && `Moved by ${this.source}.`;
      return [this.knob.about, source, this.waiting, "Right-click or hold for more."].filter(Boolean).join(" ");
    },
    track() { return arc(0, 1); },
    filled() { return Math.abs(this.position - this.origin) < 0.002 ? "" : arc(this.origin, this.position); },
    tick() {
      const angle = FIRST + ARC * this.toPosition(this.knob.default);
      const [x1, y1] = point(angle, 29).split(" "), [x2, y2] = point(angle, 31.5).split(" ");
      return { x1, y1, x2, y2 };
    },
  },
  watch: {
    setting() { if (this.gesture === null) this.shown = null; },
  },
  methods: {
    hertz(hz) { return hz >= 1000 ? `${Number((hz / 1000).toPrecision(3))} kHz` : `${Math.round(hz)} Hz`; },
    toPosition(value) {
      const { low, high, curve, automatic } = this.knob;
      if (automatic && value === 0) return 0;
      const part = curve === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
      return Math.min(1, Math.max(0, part));
    },
    toValue(position, fine) {
      const { low, high, curve, automatic } = this.knob;
      if (automatic && position <= 0) return 0;
      let value = curve === "log" ? low * Math.pow(high / low, position) : low + (high - low) * position;
      const size = curve === "log" ? value / 100 : (high - low) / 400;
      const step = Math.pow(10, Math.floor(Math.log10(size)) - (fine ? 1 : 0));
      value = Number((Math.round(value / step) * step).toPrecision(12));
      return Math.min(high, Math.max(low, value));
    },
    begin() { this.gesture ??= `${page} ${++gestures}`; },
    turnTo(position, fine) {
      this.shown = Math.min(1, Math.max(0, position));
      this.wanted = this.toValue(this.shown, fine);
      const rest = this.sentAt + SEND_MS - performance.now();
      if (!this.timer) this.timer = setTimeout(this.send, Math.max(0, rest));
    },
    send() {
      clearTimeout(this.timer);
      this.timer = null;
      if (this.wanted === undefined) return;
      this.sentAt = performance.now();
      this.$emit("turn", { value: this.wanted, gesture: this.gesture });
      this.wanted = undefined;
    },
    finish() {
      clearTimeout(this.pause);
      if (this.gesture === null) return;
      this.send();
      this.$emit("end", { gesture: this.gesture });
      this.gesture = this.held = null;
      // The host's answer is on its way; until it is there the hand stays where it was put.
      clearTimeout(this.settle);
      this.settle = setTimeout(() => { if (this.gesture === null) this.shown = null; }, 250);
    },
    finishSoon() {
      clearTimeout(this.pause);
      this.pause = setTimeout(this.finish, PAUSE_MS);
    },
    grab(event) {
      if (this.away || event.button !== 0) return;
      this.finish();
      this.$refs.dial.setPointerCapture(event.pointerId);
      this.held = { y: event.clientY, position: this.position };
      if (event.pointerType !== "mouse") this.pressing = setTimeout(() => this.openMenu(event), LONG_PRESS_MS);
    },
    move(event) {
      if (this.held === null) return;
      const way = this.held.y - event.clientY;
      if (way === 0 || (this.gesture === null && event.pointerType !== "mouse" && Math.abs(way) < STILL_PX)) return;
      clearTimeout(this.pressing);
      this.begin();
      this.held = { y: event.clientY, position: this.held.position + way / (event.shiftKey ? 10 * DRAG_PX : DRAG_PX) };
      this.turnTo(this.held.position, event.shiftKey);
    },
    release() {
      clearTimeout(this.pressing);
      this.held = null;
      this.finish();
    },
    toDefault() {
      if (this.away) return;
      this.finish();
      this.shown = null;
      this.$emit("turn", { value: this.knob.default, gesture: null });
    },
    step(by, fine) {
      this.begin();
      const from = this.wanted === undefined ? this.position : this.shown;
      let to = from + by;
      // A step that rounding would swallow must still be one.
      if (this.toValue(to, fine) === this.setting.value) to += by;
      this.turnTo(to, fine);
      this.finishSoon();
    },
    roll(event) {
      if (this.away) return;
      const way = -Math.sign(event.deltaY || event.deltaX);
      if (way) this.step(way * (event.shiftKey ? 0.002 : 0.02), event.shiftKey);
    },
    press(event) {
      if (this.away || event.ctrlKey || event.metaKey || event.altKey) return;
      const small = event.shiftKey ? 0.001 : 0.01;
      const steps = { ArrowUp: small, ArrowRight: small, ArrowDown: -small, ArrowLeft: -small,
        PageUp: 0.1, PageDown: -0.1, Home: -2, End: 2 };
      if (event.key in steps) this.step(steps[event.key], event.shiftKey);
      else if (event.key === "Delete" || event.key === "Backspace") this.toDefault();
      else if (event.key === "Enter") this.type("");
      else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.openMenu(null);
      else if (/^[-+0-9.]$/.test(event.key)) this.type(event.key);
      else return;
      event.preventDefault();
    },
    openMenu(event) {
      if (this.away) return;
      this.release();
      const box = this.$refs.dial.getBoundingClientRect();
      this.$refs.dial.focus({ preventScroll: true });
      const place = event?.clientX ? event : { clientX: box.left + 8, clientY: box.bottom };
      this.$emit("menu", { clientX: place.clientX, clientY: place.clientY });
    },
    type(first) {
      this.finish();
      this.typed = first || this.setting.text;
      this.typing = true;
      this.$nextTick(() => { this.$refs.field.focus(); if (!first) this.$refs.field.select(); });
    },
    accept() {
      this.shown = null;
      // Half of the world writes 6,3 for 6.3.
      this.$emit("turn", { value: this.typed.replace(/(\d),(\d)/, "$1.$2"), gesture: null });
      this.leave();
    },
    leave() {
      this.typing = false;
      this.$nextTick(() => this.$refs.dial.focus());
    },
  },
  beforeUnmount() {
    [this.timer, this.pause, this.settle, this.pressing].forEach(clearTimeout);
  },
};
