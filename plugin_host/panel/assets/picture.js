// The spectra in, out and added, on an axis that gives the generated band half of the width. Crossover and ceiling are
// handles that a hand can drag; below is the spectrogram of the output.
const LOWEST_HZ = 20, TOP_DB = 0, FLOOR_DB = -100, LEFT = 34, BOTTOM = 16;
const MARKS = [50, 100, 200, 500, 1000, 2000, 3000, 5000, 7000, 10000, 12000, 15000, 20000], APART_PX = 30;
// What rises shows at once, what falls lingers, as on a meter; the axis follows a moving crossover slowly.
const RISE = 0.7, FALL = 0.22, FOLLOW = 0.12, SEND_MS = 40;
let gestures = 0;

function name(hz) {
  return hz >= 1000 ? `${Number((hz / 1000).toPrecision(3))}k` : `${Math.round(hz)}`;
}

export default {
  template: `
    <div class="hb-picture">
      <div class="hb-legend" aria-hidden="true"><span class="hb-in">in</span><span class="hb-out">out</span>
        <span class="hb-added">added</span><span>{{ label }}</span></div>
      <div class="hb-stack">
        <canvas ref="spectrum" class="hb-spectrum" role="img"
          :aria-label="'Spectrum of input and output. ' + label"></canvas>
        <div v-for="handle in handles" :key="handle.knob" class="hb-handle" aria-hidden="true" :data-knob="handle.knob"
          :class="{ 'hb-auto': handle.isAuto, 'hb-held': held?.knob === handle.knob }" :style="{ left: handle.left }"
          :title="handle.title" @pointerdown.prevent="grab($event, handle.knob)" @pointermove="move"
          @pointerup="release" @pointercancel="release" @dblclick="reset(handle.knob)"><span>{{ handle.text }}</span></div>
      </div>
      <canvas ref="history" class="hb-history" role="img" aria-label="Spectrogram of the output"></canvas>
    </div>`,
  data: () => ({ label: "", held: null, handles: [] }),
  mounted() {
    this.frame = { in: [], out: [], rate: 48000, crossover: 0, ceiling: 0, moves: {} };
    this.smooth = { in: [], out: [], added: [] };
    this.axis = null;
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(this.$el);
    this.themes = new MutationObserver(() => this.paint());
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    this.fit();
  },
  beforeUnmount() {
    this.watcher.disconnect();
    this.themes.disconnect();
  },
  methods: {
    draw(frame) {
      this.frame = frame;
      const to = this.top();
      this.label = frame.crossover ? `Crossover ${name(frame.crossover)}Hz, generated to ${name(to)}Hz.` : "";
      for (const part of ["in", "out"]) this.smooth[part] = this.settle(this.smooth[part], frame[part]);
      this.smooth.added = this.smooth.out.map((db, band) => this.more(db, this.smooth.in[band], band));
      this.follow();
      this.paint();
      this.scroll();
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
      for (const canvas of [this.$refs.spectrum, this.$refs.history]) {
        const scale = window.devicePixelRatio || 1;
        const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
        if (width && height && (canvas.width !== width || canvas.height !== height)) {
          canvas.width = width;
          canvas.height = height;
        }
      }
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
      const canvas = this.$refs.spectrum;
      if (!canvas) return;
      const scale = window.devicePixelRatio || 1, width = canvas.width / scale, height = canvas.height / scale;
      const pen = canvas.getContext("2d"), style = getComputedStyle(this.$el);
      this.colour = (part) => style.getPropertyValue(`--hb-${part}`).trim();
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      this.paintGrid(pen, width, height);
      this.paintBand(pen, width, height);
      this.paintLine(pen, this.smooth.in, "in", width, height);
      this.paintLine(pen, this.smooth.out, "out", width, height);
      this.paintLine(pen, this.smooth.added, "added", width, height);
      this.placeHandles(width);
    },
    paintGrid(pen, width, height) {
      pen.font = "11px system-ui, sans-serif";
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
        this.line(pen, x, 0, x, height - BOTTOM);
        if (x - last < APART_PX || x > width - 12) continue;
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
    line(pen, x1, y1, x2, y2) {
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
      pen.stroke();
    },
    placeHandles(width) {
      const at = { crossover: this.frame.crossover, ceiling: this.frame.ceiling };
      this.handles = Object.keys(at).filter((knob) => at[knob] && this.frame.moves[knob]).map((knob) => {
        const hz = this.held?.knob === knob ? this.held.hz : at[knob], isAuto = knob === "crossover" && this.frame.is_auto;
        const text = `${isAuto ? "auto " : ""}${name(hz)}`;
        const left = `${this.x(Math.min(hz, this.frame.rate / 2), width).toFixed(1)}px`;
        return { knob, left, isAuto, text, title: `Drag the ${knob}; a double click puts it back to its default` };
      });
    },
    scroll() {
      const canvas = this.$refs.history, levels = this.frame.out;
      if (!canvas || !canvas.width || !levels.length) return;
      const pen = canvas.getContext("2d"), column = 2, height = canvas.height / levels.length;
      pen.drawImage(canvas, -column, 0);
      levels.forEach((db, band) => {
        const part = Math.max(0, Math.min(1, (db - FLOOR_DB) / (TOP_DB - FLOOR_DB)));
        pen.fillStyle = `hsl(${265 + 140 * part} 85% ${4 + 66 * part}%)`;
        pen.fillRect(canvas.width - column, canvas.height - (band + 1) * height, column, height + 1);
      });
    },
    grab(event, knob) {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      this.held = { knob, hz: this.frame[knob], gesture: `picture ${++gestures} ${Date.now()}`, start: event.clientX };
    },
    move(event) {
      if (!this.held || (this.held.start !== null && Math.abs(event.clientX - this.held.start) < 3)) return;
      const box = this.$refs.spectrum.getBoundingClientRect(), [low, high] = this.frame.moves[this.held.knob];
      const hz = Math.min(high, Math.max(low, this.hz(event.clientX - box.left, box.width)));
      this.held = { ...this.held, hz: Number(hz.toPrecision(3)), start: null };
      this.timer ??= setTimeout(this.send, SEND_MS);
      this.paint();
    },
    send() {
      clearTimeout(this.timer);
      this.timer = null;
      if (this.held?.start === null) this.$emit(this.held.knob, { value: this.held.hz, gesture: this.held.gesture });
    },
    release() {
      if (!this.held) return;
      this.send();
      if (this.held.start === null) this.$emit("end", { gesture: this.held.gesture });
      this.held = null;
    },
    reset(knob) { this.$emit(knob, { value: this.frame.moves[knob][2], gesture: null }); },
  },
};
