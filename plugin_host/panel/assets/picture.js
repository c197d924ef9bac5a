// The spectrum in and out with the crossover and the generated band marked, and the spectrogram of the output below.
const LOWEST_HZ = 20, TOP_DB = 0, FLOOR_DB = -100, LEFT = 34, BOTTOM = 16, GRAB_PX = 10;
const MARKS = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];
let gestures = 0;

function name(hz) {
  return hz >= 1000 ? `${Number((hz / 1000).toPrecision(3))}k` : `${hz}`;
}

export default {
  template: `
    <div class="hb-picture">
      <div class="hb-legend" aria-hidden="true"><span class="hb-in">in</span><span class="hb-out">out</span>
        <span class="hb-band">generated</span><span>{{ label }}</span></div>
      <canvas ref="spectrum" class="hb-spectrum" role="img" :aria-label="'Spectrum of input and output. ' + label"
        @pointerdown="grab" @pointermove="move" @pointerup="release" @pointercancel="release"></canvas>
      <canvas ref="history" class="hb-history" role="img" aria-label="Spectrogram of the output"></canvas>
    </div>`,
  data: () => ({ label: "", held: null }),
  mounted() {
    this.frame = { in: [], out: [], rate: 48000, crossover: 0, ceiling: 0, moves: false };
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
      const to = frame.ceiling ? Math.min(frame.ceiling, frame.rate / 2) : frame.rate / 2;
      this.label = frame.crossover ? `Crossover ${name(frame.crossover)}Hz, generated to ${name(to)}Hz.` : "";
      this.paint();
      this.scroll();
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
      this.paint();
    },
    x(hz, width) {
      return LEFT + ((width - LEFT) * Math.log(hz / LOWEST_HZ)) / Math.log(this.frame.rate / 2 / LOWEST_HZ);
    },
    hz(x, width) {
      return LOWEST_HZ * Math.pow(this.frame.rate / 2 / LOWEST_HZ, (x - LEFT) / (width - LEFT));
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
      this.paintLine(pen, this.frame.out, "out", width, height, true);
      this.paintLine(pen, this.frame.in, "in", width, height, false);
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
      for (const hz of MARKS.filter((mark) => mark < this.frame.rate / 2)) {
        const x = this.x(hz, width);
        this.line(pen, x, 0, x, height - BOTTOM);
        if (x > LEFT + 8 && x < width - 10) pen.fillText(name(hz), x, height - 3);
      }
    },
    paintBand(pen, width, height) {
      const { crossover, ceiling, rate } = this.frame;
      if (!crossover) return;
      const from = this.x(crossover, width), to = this.x(Math.min(ceiling || rate / 2, rate / 2), width);
      pen.fillStyle = this.colour("band");
      if (to > from) pen.fillRect(from, 0, to - from, height - BOTTOM);
      pen.strokeStyle = this.colour("accent");
      pen.lineWidth = 2;
      this.line(pen, from, 0, from, height - BOTTOM);
    },
    paintLine(pen, levels, part, width, height, isFilled) {
      if (!levels.length) return;
      const last = levels.length, ratio = this.frame.rate / 2 / LOWEST_HZ;
      pen.beginPath();
      levels.forEach((db, band) => {
        const x = this.x(LOWEST_HZ * Math.pow(ratio, (band + 0.5) / last), width), y = this.y(db, height);
        if (band) pen.lineTo(x, y);
        else pen.moveTo(x, y);
      });
      pen.strokeStyle = this.colour(part);
      pen.lineWidth = isFilled ? 2 : 1.5;
      pen.stroke();
      if (!isFilled) return;
      pen.lineTo(width, height - BOTTOM);
      pen.lineTo(LEFT, height - BOTTOM);
      pen.globalAlpha = 0.14;
      pen.fillStyle = this.colour(part);
      pen.fill();
      pen.globalAlpha = 1;
    },
    line(pen, x1, y1, x2, y2) {
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
      pen.stroke();
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
    place(event) {
      const box = this.$refs.spectrum.getBoundingClientRect();
      return [event.clientX - box.left, box.width];
    },
    isNear(event) {
      const [x, width] = this.place(event);
      return this.frame.moves && this.frame.crossover && Math.abs(x - this.x(this.frame.crossover, width)) < GRAB_PX;
    },
    grab(event) {
      if (!this.isNear(event)) return;
      this.$refs.spectrum.setPointerCapture(event.pointerId);
      this.held = `picture ${++gestures} ${Date.now()}`;
    },
    move(event) {
      this.$refs.spectrum.style.cursor = this.held || this.isNear(event) ? "ew-resize" : "default";
      const now = performance.now();
      if (!this.held || now - (this.sentAt || 0) < 40) return;
      this.sentAt = now;
      const [x, width] = this.place(event);
      this.$emit("crossover", { value: Number(this.hz(x, width).toPrecision(3)), gesture: this.held });
    },
    release() {
      if (this.held) this.$emit("end", { gesture: this.held });
      this.held = null;
    },
  },
};
