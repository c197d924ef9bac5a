// Drop files: a part is selected on the wave to be tried first, then all are rendered with what plays now; before, after
// and what was added are compared by ear, and downloaded.
const POLL_MS = 250, STEP_MS = 200, APART_S = 0.012, USUAL_S = 8, SIDES = ["before", "after", "added"];

export default {
  template: `
    <div class="hb-render" @dragover.prevent="over = true" @dragleave="over = false" @drop.prevent="drop"
      :class="{ 'hb-drop': over }">
      <label class="hb-files">Drop files here, or choose them: they are rendered with the present settings
        <input type="file" multiple accept="audio/*,.wav,.flac,.aif,.aiff,.ogg,.mp3" :disabled="busy"
          @change="send([...$event.target.files]); $event.target.value = ''" /></label>
      <div class="hb-rendering"><label class="hb-option">Model
          <select v-model="artifact" :disabled="busy"><option value="studio">studio: the best for files</option>
            <option value="live">live: no latency</option><option value="">the one that plays</option></select></label>
        <label class="hb-option"><input type="checkbox" v-model="matched" @change="level" /> play before and after equally loud</label>
        <button v-if="state === 'waiting'" type="button" class="hb-plain hb-go" @click="render">
          render {{ files.length > 1 ? "all " + files.length + " files" : "the file" }}</button>
        <span role="status">{{ words }}</span>
        <button v-if="busy && !ends" type="button" class="hb-plain" @click="stop">cancel</button>
        <a v-if="done > 1 && (ends || !busy)" :href="'render/' + id + '/zip'" download="highband.zip">download all</a></div>
      <progress v-if="busy && !ends" :value="share" max="1" aria-label="All files"></progress>
      <div v-for="row in rows" :key="row.key" class="hb-file">
        <span class="hb-file-name">{{ row.title }}</span>
        <progress v-if="row.state === 'rendering' && !row.done" :value="row.share" max="1" :aria-label="row.name"></progress>
        <span class="hb-caption" :class="{ 'hb-fault': row.fault }">{{ about(row) }}</span>
        <div v-if="row.outline" class="hb-region">
          <div class="hb-wave" :title="'Drag over ' + row.name + ' to select the part to try'" @pointerdown="grab($event, row)"
            @pointermove="drag($event, row)" @pointerup="held = null" @pointercancel="held = null">
            <svg :viewBox="'0 -1 ' + row.outline.peaks.length + ' 2'" preserveAspectRatio="none" aria-hidden="true">
              <path :d="row.outline.path" /></svg>
            <div class="hb-selected" :style="selected(row)"></div></div>
          <label>from <input type="number" min="0" step="0.1" :max="row.outline.seconds" v-model.number="row.part.start"
            :aria-label="'Part of ' + row.name + ' from, in seconds'" /> s</label>
          <label>for <input type="number" min="0.5" step="0.1" max="60" v-model.number="row.part.seconds"
            :aria-label="'Length of the part of ' + row.name + ', in seconds'" /> s</label>
          <button type="button" class="hb-plain" :disabled="busy || trying" :aria-label="'Try the part of ' + row.name"
            @click="tryPart(row)">try this part</button>
        </div>
        <template v-if="row.done">
          <button type="button" class="hb-plain" :aria-label="(playing === row.key ? 'Pause ' : 'Play ') + row.title"
            @click="play(row.key)">{{ playing === row.key ? "pause" : "play" }}</button>
          <span class="hb-choice" role="group" :aria-label="'What plays of ' + row.title">
            <button v-for="one in sides" :key="one" type="button" class="hb-plain" :aria-pressed="side === one"
              :aria-label="'Hear ' + row.title + ' ' + one" @click="listen(one)">{{ one }}</button></span>
          <input type="range" class="hb-place" min="0" :max="lengths[row.key] || 1" step="0.01"
            :value="playing === row.key ? place : 0" :aria-label="'Place in ' + row.title"
            @input="seek(row.key, Number($event.target.value))" />
          <a v-if="!row.isPart" :href="url(row, 'after')" :download="row.name.replace(/\\.[^.]*$/, '') + '.highband' + ending(row)"
            >download</a>
          <audio v-for="one in sides" :key="one" :ref="one + row.key" :src="url(row, one)" preload="auto" :muted="side !== one"
            @loadedmetadata="lengths[row.key] = $event.target.duration" @ended="stopPlaying"></audio>
          <img v-if="row.picture" :src="url(row, 'picture')" :alt="'Spectrograms of ' + row.title" loading="lazy" />
        </template>
      </div>
    </div>`,
  data: () => ({ over: false, id: "", state: "", said: "", files: [], playing: null, side: "after", place: 0, lengths: {},
    artifact: "studio", matched: true, sides: SIDES, outlines: {}, parts: {}, part: null, tries: 0, held: null }),
  computed: {
    busy() { return this.state === "sending" || this.state === "rendering"; },
    trying() { return this.part?.state === "rendering"; },
    // All can be played and fetched; what is left is a picture.
    ends() { return this.state === "rendering" && this.done === this.files.length; },
    done() { return this.files.filter((file) => file.done).length; },
    share() { return this.files.reduce((sum, file) => sum + file.share, 0) / (this.files.length || 1); },
    words() {
      const count = this.files.length ? `${this.done} of ${this.files.length} files` : "";
      const word = this.ends ? "done, the last picture is drawn" : this.state;
      return [this.state === "waiting" ? "ready: try a part, or render" : word, count, this.said].filter(Boolean).join(", ");
    },
    // Each file, and below it the part of it that is tried.
    rows() {
      const rows = this.files.map((file, index) => ({ ...file, key: `${this.id} ${index}`, id: this.id, index, title: file.name,
        state: this.state, outline: this.state === "sending" ? null : this.outlines[index], part: this.parts[index] }));
      if (!this.part?.files.length) return rows;
      const { id, of, from, files: [file], state } = this.part, name = this.files[of]?.name ?? file.name;
      const title = `${name} from ${from.start} s for ${from.seconds} s`;
      rows.splice(of + 1, 0, { ...file, key: `${id} ${this.tries}`, id, index: 0, title, name, state, isPart: true });
      return rows;
    },
  },
  beforeUnmount() {
    clearTimeout(this.timer);
    clearInterval(this.keeper);
  },
  methods: {
    url(row, side) { return `render/${row.id}/${row.index}/${side}${row.isPart ? `?${this.tries}` : ""}`; },
    ending(row) { return /\.flac$/i.test(row.name) ? ".flac" : ".wav"; },
    async ask(method, place, body) {
      const reply = await fetch(`render/${place}`, { method, body });
      const answer = await reply.json();
      if (answer.refused) throw new Error(answer.refused);
      return answer;
    },
    async attempt(work) {
      try {
        await work();
      } catch (error) {
        Object.assign(this, { state: this.busy ? "failed" : this.state, said: error.message });
      }
    },
    drop(event) {
      this.over = false;
      if (!this.busy) this.send([...event.dataTransfer.files]);
    },
    async send(files) {
      if (!files.length) return;
      this.stopPlaying();
      Object.assign(this, { id: "", state: "sending", said: "", files: [], lengths: {}, outlines: {}, parts: {}, part: null });
      await this.attempt(async () => {
        this.id = (await this.ask("POST", "")).id;
        for (const file of files) {
          if (this.state !== "sending") return;
          const job = await this.ask("PUT", `${this.id}?name=${encodeURIComponent(file.name)}`, file);
          if (this.state !== "sending") return;
          this.show(job, "sending");
        }
        this.state = "waiting";
        await Promise.allSettled(this.files.map((_, index) => this.look(index)));
      });
    },
    async look(index) {
      const { seconds, peaks } = await this.ask("GET", `${this.id}/${index}/outline`);
      const top = peaks.map((peak, i) => `L ${i} ${-peak}`), under = peaks.map((peak, i) => `L ${i} ${peak}`).reverse();
      this.outlines[index] = { seconds, peaks, path: `M 0 0 ${[...top, ...under].join(" ")} Z` };
      this.parts[index] = { start: 0, seconds: Math.min(USUAL_S, Number(seconds.toFixed(1))) };
    },
    async render() {
      await this.attempt(async () => {
        this.state = "rendering";
        this.show(await this.ask("POST", `${this.id}?artifact=${this.artifact}`));
        this.poll();
      });
    },
    show(job, state) { Object.assign(this, { state: state ?? job.state, said: job.said, files: job.files }); },
    poll() {
      this.timer = setTimeout(async () => {
        await this.attempt(async () => {
          if (this.state === "rendering") this.show(await this.ask("GET", this.id));
          if (this.trying) Object.assign(this.part, await this.ask("GET", this.part.id));
        });
        if (this.part?.said) this.said = this.part.said;
        // The picture of the last file comes a moment after it.
        if (this.state === "rendering" || this.trying) this.poll();
      }, POLL_MS);
    },
    async tryPart(row) {
      this.stopPlaying();
      Object.assign(this, { said: "", part: null });
      await this.attempt(async () => {
        const { start, seconds } = row.part;
        const { id } = await this.ask("POST", `${this.id}/${row.index}/part?start=${start}&seconds=${seconds}`);
        const job = await this.ask("POST", `${id}?artifact=${this.artifact}`);
        this.tries += 1;
        this.part = { id, of: row.index, from: { start, seconds }, ...job };
        this.poll();
      });
    },
    selected({ part, outline }) {
      return { left: `${(100 * part.start) / outline.seconds}%`, width: `${(100 * part.seconds) / outline.seconds}%` };
    },
    secondsAt(event, row) {
      const box = event.currentTarget.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * row.outline.seconds;
    },
    grab(event, row) {
      event.currentTarget.setPointerCapture(event.pointerId);
      this.held = this.secondsAt(event, row);
    },
    drag(event, row) {
      if (this.held === null) return;
      const ends = [this.held, this.secondsAt(event, row)].sort((a, b) => a - b);
      const seconds = Math.min(60, Math.max(0.5, ends[1] - ends[0]));
      Object.assign(row.part, { start: Number(ends[0].toFixed(1)), seconds: Number(seconds.toFixed(1)) });
    },
    async stop() {
      this.state = "stopped";
      if (this.id) this.show(await this.ask("DELETE", this.id));
    },
    about(row) {
      if (row.fault) return `failed: ${row.fault}`;
      if (row.state === "waiting") return "";
      if (!row.done) return row.state === "rendering" ? (row.share ? "rendering" : "waiting") : row.state;
      const loudness = row.lufs_before !== null && row.lufs_after !== null
        ? `${row.lufs_before.toFixed(1)} → ${row.lufs_after.toFixed(1)} LUFS` : "too short or silent to measure";
      const from = row.generated_from_hz ? `generated from ${(row.generated_from_hz / 1000).toFixed(1)} kHz` : "";
      return [loudness, from].filter(Boolean).join(", ");
    },
    // The louder of the two is turned down, as louder passes for better; what was added plays as it is in the mix.
    level() {
      const row = this.rows.find((one) => one.key === this.playing);
      if (!row) return;
      const more = this.matched ? (row.lufs_after ?? 0) - (row.lufs_before ?? 0) : 0, after = Math.min(1, 10 ** (-more / 20));
      this.players(row.key).forEach((player, at) => { player.volume = at ? after : Math.min(1, 10 ** (more / 20)); });
    },
    players(key) { return SIDES.map((side) => this.$refs[side + key][0]); },
    stopPlaying() {
      clearInterval(this.keeper);
      if (this.playing !== null) this.players(this.playing).forEach((player) => player.pause());
      this.playing = null;
    },
    async play(key) {
      const was = this.playing;
      this.stopPlaying();
      if (was === key) return;
      const players = this.players(key), audible = players[SIDES.indexOf(this.side)];
      players.forEach((player) => { if (player !== audible) player.currentTime = audible.currentTime; });
      this.playing = key;
      this.keeper = setInterval(this.keep, STEP_MS);
      this.level();
      await Promise.allSettled(players.map((player) => player.play()));
    },
    keep() {
      this.place = this.players(this.playing)[SIDES.indexOf(this.side)].currentTime;
      this.align();
    },
    align() {
      // All are rendered to the same sample; their players may drift apart. Only those that are silent are moved.
      const players = this.players(this.playing), audible = players[SIDES.indexOf(this.side)];
      for (const player of players) {
        if (player !== audible && !player.seeking && Math.abs(audible.currentTime - player.currentTime) > APART_S) {
          player.currentTime = audible.currentTime;
        }
      }
    },
    seek(key, place) {
      this.players(key).forEach((player) => { player.currentTime = place; });
      if (this.playing === key) this.place = place;
      else this.play(key);
    },
    listen(side) {
      if (this.playing !== null) this.align();
      this.side = side;
    },
  },
};
