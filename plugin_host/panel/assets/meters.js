// Levels in and out: root mean square as the bar, peak as a line, the highest peak held for two seconds, as a line and in
// figures, which nobody could read faster; a lamp that stays on after a clip until it is pressed, the highest true peak of
// 3 seconds, and the loudness over 0.4 and 3 seconds.
const FLOOR_DB = -60, HOLD_MS = 2000, TRUE_PEAK_MS = 3000, MARKS = [0, -6, -12, -24, -36, -48];

function share(db) {
  return `${(100 * Math.max(0, Math.min(1, 1 - (db ?? FLOOR_DB) / FLOOR_DB))).toFixed(1)}%`;
}

function lufs(value) {
  return value === null || value === undefined ? "–" : value.toFixed(1);
}

export default {
  template: `
    <div class="hb-meters">
      <div v-for="side in sides" :key="side.name" class="hb-side">
        <div class="hb-meter-name">{{ side.name }}</div>
        <button type="button" class="hb-clip" :class="{ 'hb-over': side.isOver }" :disabled="!side.isOver"
          :aria-label="side.isOver ? side.name + ' has clipped; clear' : side.name + ' has not clipped'"
          :title="side.isOver ? 'clipped; press to clear' : 'no clip'" @click="clear(side.name)">clip</button>
        <div class="hb-meter" role="meter" :aria-label="side.name + ' level'"
          aria-valuemin="-60" aria-valuemax="0" :aria-valuenow="side.now" :aria-valuetext="side.text">
          <div class="hb-bars">
            <div v-for="(bar, index) in side.bars" :key="index" class="hb-bar">
              <div class="hb-rms" :style="{ '--at': bar.rms }"></div>
              <div class="hb-peak" :style="{ '--at': bar.peak }"></div>
              <div class="hb-hold" :class="{ 'hb-over': bar.isHot }" :style="{ '--at': bar.hold }"></div>
            </div>
          </div>
          <div class="hb-scale" aria-hidden="true">
            <span v-for="mark in marks" :key="mark.db" :style="{ '--at': mark.at }">{{ mark.db }}</span></div>
        </div>
        <div class="hb-meter-text">{{ side.text }}</div>
        <dl class="hb-lufs" title="Loudness in LUFS: momentary over 0.4 s, short-term over 3 s. Highest true peak of the last 3 s in dBTP.">
          <div><dt>M</dt><dd>{{ side.momentary }}</dd></div><div><dt>S</dt><dd>{{ side.short }}</dd></div>
          <div><dt>TP</dt><dd>{{ side.truePeak }}</dd></div>
        </dl>
      </div>
    </div>`,
  data: () => ({ sides: [], marks: MARKS.map((db) => ({ db, at: share(db) })) }),
  mixins: [window.highband.frames],
  created() {
    this.held = {};
    this.clipped = new Set();
    this.highest = {};
  },
  methods: {
    draw({ meters }) {
      const now = performance.now();
      if (meters.true_peak_over) this.clipped.add("out");
      this.sides = ["in", "out"].filter((side) => meters[side]).map((side) => this.side(side, meters[side], now));
    },
    clear(name) {
      this.clipped.delete(name);
      this.sides = this.sides.map((side) => (side.name === name ? { ...side, isOver: false } : side));
    },
    side(name, levels, now) {
      const highest = this.highest[name], truePeak = levels.true_peak_db ?? -120;
      if (!highest || truePeak >= highest.db || now > highest.until) this.highest[name] = { db: truePeak, until: now + TRUE_PEAK_MS };
      const peaks = levels.peak_db ?? [], rms = levels.rms_db ?? [], loudness = levels.lufs ?? {};
      const bars = peaks.map((peak, channel) => {
        const key = `${name} ${channel}`, before = this.held[key];
        if (!before || (peak ?? -999) >= before.db || now > before.until) {
          this.held[key] = { db: peak ?? -999, until: now + HOLD_MS };
        }
        const hold = this.held[key].db;
        return { rms: share(rms[channel]), peak: share(peak), hold: share(hold), db: hold, isHot: hold > -0.1 };
      });
      const top = Math.max(-999, ...bars.map((bar) => bar.db));
      if (top > 0) this.clipped.add(name);
      return {
        name, bars, text: top <= -120 ? "silent" : `${top.toFixed(1)} dB`,
        now: Math.max(FLOOR_DB, Math.min(0, Math.round(top))), isOver: this.clipped.has(name),
        momentary: lufs(loudness.momentary), short: lufs(loudness.short),
        truePeak: this.highest[name].db > -120 ? this.highest[name].db.toFixed(1) : "–",
      };
    },
  },
};
