// The spectra in, out and added, on an axis that gives the generated band half of the width. Crossover, ceiling and the
// nodes of the amount's curve are handles that a hand can drag.
const LOWEST_HZ = 20, TOP_DB = 0, FLOOR_DB = -100, LEFT = 34, BOTTOM = 16;
const MARKS = [50, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 11000, 12000, 13000, 14000, 15000,
  16000, 18000, 20000], APART_PX = 34;
// What rises shows at once, what falls lingers, as on a meter; the axis follows a moving crossover slowly.
const RISE = 0.7, FALL = 0.22, FOLLOW = 0.12, SEND_MS = 40;
// The curve's scale: its ends in dB stand so far from the middle of the picture, as a share of its height.
const CURVE_SHARE = 0.36, CURVE_STEP_PX = 4, PAUSE_MS = 500, SETTLE_MS = 250;
let gestures = 0;

function name(hz) {
  return hz >= 1000 ? `${Number((hz / 1000).toPrecision(3))}k` : `${Math.round(hz)}`;
}

function hertz(hz) { return `${name(hz)}Hz`.replace(/k?Hz$/, " $&"); }

export default {
  template: `
    <div class="hb-picture">
      <div class="hb-legend" aria-hidden="true"><span class="hb-in">in</span><span class="hb-out">out</span>
        <span class="hb-added">added</span><span v-if="nodes.length" class="hb-amount">amount here: drag up or down</span>
        <span>{{ label }}</span></div>
      <div class="hb-stack">
        <canvas ref="canvas" class="hb-spectrum" role="img"
          :aria-label="'Spectrum of input and output. ' + label"></canvas>
        <div v-for="handle in handles" :key="handle.knob" class="hb-handle" aria-hidden="true" :data-knob="handle.knob"
          :class="{ 'hb-auto': handle.isAuto, 'hb-held': held?.knob === handle.knob }" :style="{ left: handle.left }"
          :title="handle.title" @pointerdown.prevent="grab($event, handle.knob)" @pointermove="move"
          @pointerup="release" @pointercancel="release" @dblclick="reset(handle.knob)"><span>{{ handle.text }}</span></div>
        <div v-for="node in nodes" :key="node.id" class="hb-node" role="slider" tabindex="0" aria-orientation="vertical"
          :data-knob="node.id" :class="{ 'hb-held': held?.knob === node.id, 'hb-idle': !acts(node) }" :style="spots[node.id]"
          :aria-label="node.name" :aria-valuemin="node.low" :aria-valuemax="node.high" :aria-valuenow="gain(node)"
          :aria-valuetext="gainText(node)" :aria-disabled="away" :title="node.about + ' Drag it up and down, or use the arrow keys; a double click puts it back to 0 dB.'"
          @pointerdown.prevent="grab($event, node.id, node)" @pointermove="move" @pointerup="release"
          @pointercancel="release" @dblclick="reset(node.id, node)" @keydown="press($event, node)" @blur="release"
          @contextmenu.prevent="$emit('menu', { knob: node.id, clientX: $event.clientX, clientY: $event.clientY })"><span aria-hidden="true">{{ gainText(node) }}</span></div>
      </div>
    </div>`,
  // A node is a knob with its frequency and value: `hz`, `value` in dB.
  props: { nodes: { type: Array, default: () => [] }, away: Boolean },
  data: () => ({ label: "", held: null, handles: [], settling: null, spots: {}, band: [0, 0] }),
  watch: {
    nodes() { this.paint(); },
  },
  mixins: [window.highband.canvas],
  mounted() {
    this.frame = { in: [], out: [], rate: 48000, crossover: 0, ceiling: 0, moves: {} };
    this.smooth = { in: [], out: [], added: [] };
    this.axis = null;
    this.fit();
  },
  beforeUnmount() {
    [this.timer, this.pause, this.settled].forEach(clearTimeout);
  },
  methods: {
    draw(frame) {
      this.frame = frame;
      const to = this.top();
      const none = frame.is_auto && frame.out.length ? "No edge was found: nothing is generated." : "";
      this.label = frame.crossover ? `Crossover ${hertz(frame.crossover)}, generated to ${hertz(to)}.` : none;
      for (const part of ["in", "out"]) this.smooth[part] = this.settle(this.smooth[part], frame[part]);
      this.smooth.added = this.smooth.out.map((db, band) => this.more(db, this.smooth.in[band], band));
      this.follow();
      this.paint();
    },
    top() { return Math.min(this.frame.ceiling || this.frame.rate / 2, this.frame.rate / 2); },
    settle(before, levels) {
      return levels.map((db, band) => {
        const was = before.length === levels.length ? before[band] : db;
        return was + (db > was ? RISE : FALL) * (db - was);
      });
    },
    // The power that is in the output beyond the input's, within the generated band.
    more(out, into, band) {
      const hz = this.middle(band);
      if (!this.frame.crossover || hz < this.frame.crossover || hz > this.top()) return FLOOR_DB;
      return 10 * Math.log10(Math.max(1e-12, 10 ** (out / 10) - 10 ** ((into ?? -200) / 10)));
    },
    middle(band) {
      return LOWEST_HZ * Math.pow(this.frame.rate / 2 / LOWEST_HZ, (band + 0.5) / this.frame.out.length);
    },
    follow() {
      const { crossover, rate } = this.frame, to = this.top();
      if (this.held) return;
      if (!crossover || to < 1.05 * crossover) {
        this.axis = null;
      } else if (!this.axis) {
        this.axis = [crossover, to];
      } else {
        this.axis = this.axis.map((hz, end) => hz * Math.pow([crossover, to][end] / hz, FOLLOW));
      }
      this.points = [[LOWEST_HZ, 0], ...this.stretch(rate / 2), [rate / 2, 1]];
    },
    stretch(highest) {
      if (!this.axis) return [];
      const isOpen = this.axis[1] < 0.98 * highest;
      return isOpen ? [[this.axis[0], 0.42], [this.axis[1], 0.92]] : [[this.axis[0], 0.5]];
    },
    fit() {
      this.resize();
      this.follow();
      this.paint();
    },
    // Between two points of the axis it is logarithmic.
    x(hz, width) {
      const next = Math.max(1, this.points.findIndex(([at]) => hz <= at));
      const [[low, from], [high, to]] = hz >= this.frame.rate / 2 ? this.points.slice(-2) : this.points.slice(next - 1);
      return LEFT + (width - LEFT) * (from + ((to - from) * Math.log(hz / low)) / Math.log(high / low));
    },
    hz(x, width) {
      const part = Math.min(1, Math.max(0, (x - LEFT) / (width - LEFT)));
      const next = Math.max(1, this.points.findIndex(([, at]) => part <= at));
      const [[low, from], [high, to]] = this.points.slice(next - 1);
      return low * Math.pow(high / low, (part - from) / (to - from));
    },
    y(db, height) {
      return ((height - BOTTOM) * (TOP_DB - Math.max(FLOOR_DB, Math.min(TOP_DB, db)))) / (TOP_DB - FLOOR_DB);
    },
    paint() {
      if (!this.$refs.canvas) return;
      const { pen, width, height, colour } = this.clean();
      this.colour = colour;
      this.paintGrid(pen, width, height);
      this.paintBand(pen, width, height);
      this.paintLine(pen, this.smooth.in, "in", width, height);
      this.paintLine(pen, this.smooth.out, "out", width, height);
      this.paintLine(pen, this.smooth.added, "added", width, height);
      this.paintCurve(pen, width, height);
      this.placeHandles(width);
      this.placeNodes(width, height);
    },
    paintGrid(pen, width, height) {
      pen.lineWidth = 1;
      pen.strokeStyle = this.colour("grid");
      pen.fillStyle = this.colour("faint");
      pen.textAlign = "right";
      for (let db = -20; db > FLOOR_DB; db -= 20) {
        this.line(pen, LEFT, this.y(db, height), width, this.y(db, height));
        pen.fillText(db, LEFT - 5, this.y(db, height) + 4);
      }
      pen.textAlign = "center";
      let last = LEFT - APART_PX / 2;
      for (const hz of MARKS.filter((mark) => mark < this.frame.rate / 2)) {
        const x = this.x(hz, width);
        if (x - last < APART_PX || x > width - 12) continue;
        this.line(pen, x, 0, x, height - BOTTOM);
        pen.fillText(name(hz), x, height - 3);
        last = x;
      }
    },
    paintBand(pen, width, height) {
      if (!this.frame.crossover) return;
      const from = this.x(this.frame.crossover, width), to = this.x(this.top(), width);
      pen.fillStyle = this.colour("band");
      if (to > from) pen.fillRect(from, 0, to - from, height - BOTTOM);
    },
    // Levels of 1/6 octave, each eased by its neighbours, as a curve through the middles between them.
    paintLine(pen, levels, part, width, height) {
      if (!levels.length) return;
      const last = levels.length - 1, isArea = part === "added";
      const points = levels.map((db, band) => {
        const eased = 0.25 * levels[Math.max(0, band - 1)] + 0.5 * db + 0.25 * levels[Math.min(last, band + 1)];
        return [this.x(this.middle(band), width), this.y(isArea ? db : eased, height)];
      });
      pen.beginPath();
      pen.moveTo(...points[0]);
      for (let i = 1; i < last; i++) {
        const [x, y] = points[i], [nextX, nextY] = points[i + 1];
        pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      }
      pen.lineTo(...points[last]);
      if (isArea) {
        pen.lineTo(points[last][0], height - BOTTOM);
        pen.lineTo(points[0][0], height - BOTTOM);
        pen.globalAlpha = 0.4;
        pen.fillStyle = this.colour("out");
        pen.fill();
        pen.globalAlpha = 1;
        return;
      }
      pen.strokeStyle = this.colour(part);
      pen.lineWidth = part === "out" ? 2.2 : 1.4;
      pen.stroke();
    },
    gain(node) { return [this.held, this.settling].find((one) => one?.knob === node.id)?.value ?? node.value; },
    gainText(node) {
      const gain = this.gain(node);
      return `${gain > 0 ? "+" : ""}${Number(gain.toFixed(2))} dB`;
    },
    // A node whose neighbours on both sides lie outside of the generated band changes nothing in it.
    acts(node) {
      const at = this.nodes.indexOf(node), [low, high] = this.band;
      return !low || ((this.nodes[at + 1]?.hz ?? Infinity) > low && (this.nodes[at - 1]?.hz ?? 0) < high);
    },
    // The cubic between two nodes that models/extender/gains.py plays.
    curve(hz) {
      const next = this.nodes.findIndex((node) => hz <= node.hz);
      if (next < 1) return this.gain(this.nodes[next ? this.nodes.length - 1 : 0]);
      const [low, high] = [this.nodes[next - 1], this.nodes[next]];
      const way = Math.log(hz / low.hz) / Math.log(high.hz / low.hz), share = way * way * (3 - 2 * way);
      return this.gain(low) + share * (this.gain(high) - this.gain(low));
    },
    yOfGain(db, height) {
      const { low, high } = this.nodes[0];
      return (height - BOTTOM) * (0.5 + CURVE_SHARE - (2 * CURVE_SHARE * (db - low)) / (high - low));
    },
    paintCurve(pen, width, height) {
      if (!this.nodes.length || !this.frame.crossover) return;
      pen.beginPath();
      const to = this.x(this.top(), width);
      for (let x = this.x(this.frame.crossover, width); x <= to; x += CURVE_STEP_PX) {
        pen.lineTo(x, this.yOfGain(this.curve(this.hz(x, width)), height));
      }
      pen.strokeStyle = this.colour("text");
      pen.lineWidth = 1.2;
      pen.stroke();
    },
    placeNodes(width, height) {
      this.band = [this.frame.crossover, this.top()];
      const place = (node) => ({
        left: `${this.x(Math.min(node.hz, this.frame.rate / 2), width).toFixed(1)}px`,
        top: `${this.yOfGain(this.gain(node), height).toFixed(1)}px`,
      });
      this.spots = Object.fromEntries(this.nodes.map((node) => [node.id, place(node)]));
    },
    line(pen, x1, y1, x2, y2) {
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
      pen.stroke();
    },
    placeHandles(width) {
      const at = { crossover: this.frame.crossover, ceiling: this.frame.ceiling };
      this.handles = Object.keys(at).filter((knob) => at[knob] && this.frame.moves[knob]).map((knob) => {
        const hz = this.held?.knob === knob ? this.held.value : at[knob], isAuto = knob === "crossover" && this.frame.is_auto;
        const text = `${isAuto ? "auto " : ""}${name(hz)}`;
        const left = `${this.x(Math.min(hz, this.frame.rate / 2), width).toFixed(1)}px`;
        return { knob, left, isAuto, text, title: `Drag the ${knob}; a double click puts it back to its default` };
      });
    },
    begin(knob, node, value) {
      this.finish();
      this.held = { knob, node, value, gesture: `picture ${++gestures} ${Date.now()}`, start: null };
    },
    grab(event, knob, node = null) {
      if (event.button !== 0 || this.away) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      if (node) event.currentTarget.focus();
      this.begin(knob, node, node ? this.gain(node) : this.frame[knob]);
      this.held.start = [event.clientX, event.clientY];
    },
    move(event) {
      const held = this.held, start = held?.start;
      if (!held?.start && !event.buttons) return;
      if (!held || (start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < 3)) return;
      const box = this.$refs.canvas.getBoundingClientRect();
      this.hold(held.node ? this.gainAt(event.clientY - box.top, box.height) : this.hertzAt(event.clientX - box.left, box.width));
    },
    hertzAt(x, width) {
      const [low, high] = this.frame.moves[this.held.knob];
      return Number(Math.min(high, Math.max(low, this.hz(x, width))).toPrecision(3));
    },
    gainAt(y, height) {
      const { low, high } = this.held.node, way = (0.5 + CURVE_SHARE - y / (height - BOTTOM)) / (2 * CURVE_SHARE);
      return this.toGain(low + way * (high - low));
    },
    toGain(db) {
      const { low, high } = this.held.node;
      return Number(Math.min(high, Math.max(low, db)).toFixed(1));
    },
    hold(value) {
      this.held = { ...this.held, value, start: null };
      this.timer ??= setTimeout(this.send, SEND_MS);
      this.paint();
    },
    send() {
      clearTimeout(this.timer);
      this.timer = null;
      if (this.held?.start === null) this.$emit(this.held.knob, { value: this.held.value, gesture: this.held.gesture });
    },
    release() { this.finish(); },
    finish() {
      clearTimeout(this.pause);
      if (!this.held) return;
      this.send();
      if (this.held.start === null) this.$emit("end", { gesture: this.held.gesture });
      // The host's answer is on its way; until it is there the node stays where it was put.
      this.settling = this.held.start === null ? this.held : null;
      this.held = null;
      clearTimeout(this.settled);
      this.settled = setTimeout(() => { this.settling = null; this.paint(); }, SETTLE_MS);
    },
    // Presses in a row are one step of undo.
    press(event, node) {
      if (this.away || event.ctrlKey || event.metaKey || event.altKey) return;
      const small = event.shiftKey ? 0.1 : 0.5;
      const steps = { ArrowUp: small, ArrowRight: small, ArrowDown: -small, ArrowLeft: -small,
        PageUp: 3, PageDown: -3, Home: -1000, End: 1000 };
      if (event.key in steps) {
        if (this.held?.knob !== node.id) this.begin(node.id, node, this.gain(node));
        this.hold(this.toGain(this.held.value + steps[event.key]));
        clearTimeout(this.pause);
        this.pause = setTimeout(this.finish, PAUSE_MS);
      } else if (event.key === "Delete" || event.key === "Backspace") this.reset(node.id, node);
      else return;
      event.preventDefault();
    },
    reset(knob, node = null) {
      if (this.away) return;
      this.finish();
      this.settling = null;
      this.$emit(knob, { value: node ? node.default : this.frame.moves[knob][2], gesture: null });
    },
  },
};
