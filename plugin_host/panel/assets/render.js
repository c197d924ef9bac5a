// Drop files: they are rendered with what plays now, compared by ear before and after, and downloaded.
const POLL_MS = 250, STEP_MS = 200, APART_S = 0.012;

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
        <label class="hb-option"><input type="checkbox" v-model="matched" @change="level" /> play before and after equally loud</label></div>
      <div class="hb-rendering"><span role="status">{{ words }}</span>
        <button v-if="busy" type="button" class="hb-plain" @click="stop">cancel</button>
        <a v-if="done > 1 && !busy" :href="'render/' + id + '/zip'" download="highband.zip">download all</a></div>
      <progress v-if="busy" :value="share" max="1" aria-label="All files"></progress>
      <div v-for="(file, index) in files" :key="id + index" class="hb-file">
        <span class="hb-file-name">{{ file.name }}</span>
        <progress v-if="state === 'rendering' && !file.done" :value="file.share" max="1"
          :aria-label="file.name"></progress>
        <span class="hb-caption" :class="{ 'hb-fault': file.fault }">{{ about(file) }}</span>
        <template v-if="file.done">
          <button type="button" class="hb-plain" :aria-label="(playing === index ? 'Pause ' : 'Play ') + file.name"
            @click="play(index)">{{ playing === index ? "pause" : "play" }}</button>
          <button type="button" class="hb-plain" :aria-pressed="!wet" :aria-label="'Hear ' + file.name + ' before'"
            @click="listen(false)">before</button>
          <button type="button" class="hb-plain" :aria-pressed="wet" :aria-label="'Hear ' + file.name + ' after'"
            @click="listen(true)">after</button>
          <input type="range" class="hb-place" min="0" :max="lengths[index] || 1" step="0.01"
            :value="playing === index ? place : 0" :aria-label="'Place in ' + file.name"
            @input="seek(index, Number($event.target.value))" />
          <a :href="url(index, 'after')" :download="file.name.replace(/\\.[^.]*$/, '') + '.highband' + ending(index)"
            >download</a>
          <audio :ref="'before' + index" :src="url(index, 'before')" preload="auto" :muted="wet"></audio>
          <audio :ref="'after' + index" :src="url(index, 'after')" preload="auto" :muted="!wet"
            @loadedmetadata="lengths[index] = $event.target.duration" @ended="stopPlaying"></audio>
          <img v-if="file.picture" :src="url(index, 'picture')" :alt="'Spectrograms of ' + file.name" loading="lazy" />
        </template>
      </div>
    </div>`,
  data: () => ({ over: false, id: "", state: "", said: "", files: [], playing: null, wet: true, place: 0, lengths: {},
    artifact: "studio", matched: true }),
  computed: {
    busy() { return this.state === "sending" || this.state === "rendering"; },
    done() { return this.files.filter((file) => file.done).length; },
    share() { return this.files.reduce((sum, file) => sum + file.share, 0) / (this.files.length || 1); },
    words() {
      const count = this.files.length ? `${this.done} of ${this.files.length} files` : "";
      return [this.state, count, this.said].filter(Boolean).join(", ");
    },
  },
  beforeUnmount() {
    clearTimeout(this.timer);
    clearInterval(this.keeper);
  },
  methods: {
    url(index, side) { return `render/${this.id}/${index}/${side}`; },
    ending(index) { return /\.flac$/i.test(this.files[index].name) ? ".flac" : ".wav"; },
    async ask(method, place, body) {
      const reply = await fetch(`render/${place}`, { method, body });
      const answer = await reply.json();
      if (answer.refused) throw new Error(answer.refused);
      return answer;
    },
    drop(event) {
      this.over = false;
      if (!this.busy) this.send([...event.dataTransfer.files]);
    },
    async send(files) {
      if (!files.length) return;
      this.stopPlaying();
      Object.assign(this, { id: "", state: "sending", said: "", files: [], lengths: {} });
      try {
        this.id = (await this.ask("POST", "")).id;
        for (const file of files) {
          if (this.state !== "sending") return;
          const job = await this.ask("PUT", `${this.id}?name=${encodeURIComponent(file.name)}`, file);
          if (this.state !== "sending") return;
          this.show(job, "sending");
        }
        const job = await this.ask("POST", `${this.id}?artifact=${this.artifact}`);
        if (this.state !== "sending") return;
        this.show(job);
        this.poll();
      } catch (error) {
        if (this.busy) Object.assign(this, { state: "failed", said: error.message });
      }
    },
    show(job, state) { Object.assign(this, { state: state ?? job.state, said: job.said, files: job.files }); },
    poll() {
      this.timer = setTimeout(async () => {
        try {
          this.show(await this.ask("GET", this.id));
        } catch (error) {
          this.said = error.message;
        }
        // The picture of the last file comes a moment after it.
        if (this.state === "rendering") this.poll();
      }, POLL_MS);
    },
    async stop() {
      this.state = "stopped";
      if (this.id) this.show(await this.ask("DELETE", this.id));
    },
    about(file) {
      if (file.fault) return `failed: ${file.fault}`;
      if (!file.done) return this.state === "rendering" ? (file.share ? "rendering" : "waiting") : this.state;
      const loudness = file.lufs_before !== null && file.lufs_after !== null
        ? `${file.lufs_before.toFixed(1)} → ${file.lufs_after.toFixed(1)} LUFS` : "too short or silent to measure";
      const from = file.generated_from_hz ? `generated from ${(file.generated_from_hz / 1000).toFixed(1)} kHz` : "";
      return [loudness, from].filter(Boolean).join(", ");
    },
    // The louder of the two is turned down, as louder passes for better.
    level() {
      const file = this.files[this.playing];
      if (!file) return;
      const more = this.matched ? (file.lufs_after ?? 0) - (file.lufs_before ?? 0) : 0;
      const [before, after] = this.pair(this.playing);
      before.volume = Math.min(1, 10 ** (more / 20));
      after.volume = Math.min(1, 10 ** (-more / 20));
    },
    pair(index) { return [this.$refs[`before${index}`][0], this.$refs[`after${index}`][0]]; },
    stopPlaying() {
      clearInterval(this.keeper);
      if (this.playing !== null) this.pair(this.playing).forEach((player) => player.pause());
      this.playing = null;
    },
    async play(index) {
      const was = this.playing;
      this.stopPlaying();
      if (was === index) return;
      const [before, after] = this.pair(index);
      before.currentTime = after.currentTime;
      this.playing = index;
      this.keeper = setInterval(this.keep, STEP_MS);
      this.level();
      await Promise.allSettled([before.play(), after.play()]);
    },
    keep() {
      const [before, after] = this.pair(this.playing), audible = this.wet ? after : before;
      this.place = audible.currentTime;
      this.align();
    },
    align() {
      // The two are rendered to the same sample; their players may drift apart. Only the one that is silent is moved.
      const [before, after] = this.pair(this.playing);
      const [audible, silent] = this.wet ? [after, before] : [before, after];
      if (!silent.seeking && Math.abs(audible.currentTime - silent.currentTime) > APART_S) {
        silent.currentTime = audible.currentTime;
      }
    },
    seek(index, place) {
      this.pair(index).forEach((player) => { player.currentTime = place; });
      if (this.playing === index) this.place = place;
      else this.play(index);
    },
    listen(wet) {
      if (this.playing !== null) this.align();
      this.wet = wet;
    },
  },
};
