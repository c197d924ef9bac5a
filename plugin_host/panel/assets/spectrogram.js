// The spectrogram of the input, of the output, or of what is added, over time: linear in frequency, so that the generated
// band is large, with its axes; it can be frozen to look at.
const LEFT = 34, BOTTOM = 16, PX_A_SECOND = 40, STEP_PX = 2, TOP_DB = -10, FLOOR_DB = -100, LOWEST_HZ = 20, STEP_HZ = 4000, STEP_S = 5;
const SHADES = Array.from({ length: 101 }, (_, i) => `hsl(${265 + 1.4 * i} 85% ${4 + 0.66 * i}%)`);
const SOURCES = { in: "input", out: "output", added: "added" };

export default {
  template: `
    <div class="hb-spectrogram">
      <div class="hb-rows"><span class="hb-caption">Spectrogram</span>
        <span class="hb-choice" role="group" aria-label="Spectrogram of">
          <button v-for="(text, key) in sources" :key="key" type="button" class="hb-plain" :aria-pressed="source === key"
            @click="source = key; paint()">{{ text }}</button></span>
        <button type="button" class="hb-plain" :aria-pressed="frozen" @click="frozen = !frozen">freeze</button></div>
      <canvas ref="canvas" class="hb-history" role="img"
        :aria-label="'Spectrogram of the ' + (source === 'added' ? 'added band' : sources[source])"></canvas>
    </div>`,
  data: () => ({ sources: SOURCES, source: "out", frozen: false }),
  mixins: [window.highband.canvas],
  mounted() {
    this.layers = {};
    this.at = 0;
    this.frame = { in: [], out: [], rate: 48000, crossover: 0 };
    this.fit();
  },
  methods: {
    fit() {
      if (!this.resize()) return;
      const { width, height } = this.$refs.canvas, scale = window.devicePixelRatio || 1;
      for (const key of Object.keys(SOURCES)) {
        const layer = document.createElement("canvas"), before = this.layers[key];
        [layer.width, layer.height] = [Math.max(1, width - Math.round(LEFT * scale)), Math.max(1, height - Math.round(BOTTOM * scale))];
        if (before) this.unroll(layer.getContext("2d"), before, layer.width - before.width, layer.height, 1);
        this.layers[key] = layer;
      }
      // Each layer is a ring: the column that comes next is the oldest.
      this.at = 0;
      this.paint();
    },
    draw(frame) {
      const now = performance.now(), scale = window.devicePixelRatio || 1;
      this.frame = frame;
      if (this.frozen || !frame.out.length) { this.last = now; return; }
      this.owed = Math.min(30, (this.owed ?? 0) + ((now - (this.last ?? now)) * PX_A_SECOND * scale) / 1000);
      this.last = now;
      const columns = Math.floor(this.owed);
      // Steps of one pixel would cost twice as much and look the same.
      if (columns < STEP_PX * scale) return;
      this.owed -= columns;
      const added = frame.out.map((db, band) =>
        this.middle(band) < frame.crossover ? -200 : 10 * Math.log10(Math.max(1e-20, 10 ** (db / 10) - 10 ** ((frame.in[band] ?? -200) / 10))));
      const levels = { in: frame.in, out: frame.out, added: frame.crossover ? added : added.map(() => -200) };
      for (const key of Object.keys(SOURCES)) this.write(this.layers[key], levels[key], columns);
      this.at = (this.at + columns) % (this.layers.out?.width ?? 1);
      this.paint();
    },
    middle(band) { return this.edge(band + 0.5); },
    edge(band) { return LOWEST_HZ * Math.pow(this.frame.rate / 2 / LOWEST_HZ, band / this.frame.out.length); },
    unroll(pen, layer, x, height, scale) {
      const old = layer.width - this.at;
      if (old) pen.drawImage(layer, this.at, 0, old, layer.height, x, 0, old * scale, height);
      if (this.at) pen.drawImage(layer, 0, 0, this.at, layer.height, x + old * scale, 0, this.at * scale, height);
    },
    write(layer, levels, columns) {
      if (!layer) return;
      const pen = layer.getContext("2d"), height = layer.height;
      levels.forEach((db, band) => {
        const part = Math.max(0, Math.min(1, (db - FLOOR_DB) / (TOP_DB - FLOOR_DB)));
        const top = height * (1 - this.edge(band + 1) / (this.frame.rate / 2)), end = height * (1 - this.edge(band) / (this.frame.rate / 2));
        pen.fillStyle = SHADES[Math.round(100 * part)];
        pen.fillRect(this.at, Math.floor(top), columns, Math.ceil(end) - Math.floor(top));
        if (this.at + columns > layer.width) pen.fillRect(this.at - layer.width, Math.floor(top), columns, Math.ceil(end) - Math.floor(top));
      });
    },
    paint() {
      const layer = this.layers[this.source];
      if (!this.$refs.canvas || !layer) return;
      const { pen, width, height, colour } = this.clean();
      pen.fillStyle = "#0b0a12";
      pen.fillRect(LEFT, 0, width - LEFT, height - BOTTOM);
      this.unroll(pen, layer, LEFT, height - BOTTOM, (width - LEFT) / layer.width);
      pen.fillStyle = colour("faint");
      pen.textAlign = "right";
      for (let hz = STEP_HZ; hz < this.frame.rate / 2; hz += STEP_HZ) {
        const y = (height - BOTTOM) * (1 - hz / (this.frame.rate / 2));
        if (y > 8) pen.fillText(`${hz / 1000}k`, LEFT - 5, y + 4);
        pen.fillRect(LEFT - 3, y, 3, 1);
      }
      for (let s = 0; s * PX_A_SECOND < width - LEFT - 30; s += STEP_S) {
        const x = width - s * PX_A_SECOND;
        pen.textAlign = s ? "center" : "right";
        pen.fillText(s ? `-${s} s` : "now", x, height - 3);
        if (s) pen.fillRect(x, height - BOTTOM, 1, 3);
      }
    },
  },
};
