// Levels in and out: root mean square as the bar, peak as the line above it, the highest peak held for two seconds.
const FLOOR_DB = -60, HOLD_MS = 2000;

function share(db) {
  return `${100 * Math.max(0, Math.min(1, 1 - (db ?? FLOOR_DB) / FLOOR_DB))}%`;
}

export default {
  template: `
    <div class="hb-meters">
      <div v-for="side in sides" :key="side.name" class="hb-meter" role="meter" :aria-label="side.name + ' level'"
        aria-valuemin="-60" aria-valuemax="0" :aria-valuenow="side.now" :aria-valuetext="side.text">
        <div class="hb-meter-name">{{ side.name }}</div>
        <div class="hb-bars">
          <div v-for="(bar, index) in side.bars" :key="index" class="hb-bar">
            <div class="hb-rms" :style="{ height: bar.rms }"></div>
            <div class="hb-peak" :style="{ bottom: bar.peak }"></div>
            <div class="hb-hold" :class="{ 'hb-over': bar.isHot }" :style="{ bottom: bar.hold }"></div>
          </div>
        </div>
        <div class="hb-meter-text" :class="{ 'hb-over': side.isOver }">{{ side.isOver ? "over" : side.text }}</div>
      </div>
    </div>`,
  data: () => ({ sides: [] }),
  created() { this.held = {}; },
  methods: {
    draw(meters) {
      const now = performance.now();
      if (meters.true_peak_over) this.overUntil = now + HOLD_MS;
      this.sides = ["in", "out"].filter((side) => meters[side]).map((side) => this.side(side, meters[side], now));
    },
    side(name, levels, now) {
      const peaks = levels.peak_db ?? [], rms = levels.rms_db ?? [];
      const bars = peaks.map((peak, channel) => {
        const key = `${name} ${channel}`, before = this.held[key];
        if (!before || (peak ?? -999) >= before.db || now > before.until) {
          this.held[key] = { db: peak ?? -999, until: now + HOLD_MS };
        }
        const hold = this.held[key].db;
        return { rms: share(rms[channel]), peak: share(peak), hold: share(hold), isHot: hold > -0.1 };
      });
      const top = Math.max(-999, ...peaks.map((peak) => peak ?? -999));
      const text = top <= -120 ? "silent" : `${top.toFixed(1)} dB`;
      const isOver = name === "out" && now < (this.overUntil ?? 0);
      return { name, bars, text, now: Math.max(FLOOR_DB, Math.min(0, Math.round(top))), isOver };
    },
  },
};
