// Drop files: they are rendered with what plays now, compared by ear before and after, and downloaded.
const POLL_MS = 500;

export default {
  template: `
    <div class="hb-render" @dragover.prevent="over = true" @dragleave="over = false" @drop.prevent="drop"
      :class="{ 'hb-drop': over }">
      <label class="hb-files">Drop files here, or choose them: they are rendered with the present settings
        <input type="file" multiple accept="audio/*,.wav,.flac,.aif,.aiff,.ogg,.mp3" :disabled="busy"
          @change="send([...$event.target.files]); $event.target.value = ''" /></label>
      <div class="hb-rendering" role="status">{{ words }}
        <button v-if="busy" type="button" class="hb-plain" @click="stop">cancel</button></div>
      <progress v-if="busy" :value="done" :max="files.length || 1" aria-label="Files rendered"></progress>
      <div v-for="(file, index) in files" :key="id + index" class="hb-file">
        <span class="hb-file-name">{{ file.name }}</span>
        <template v-if="file.done">
          <button type="button" class="hb-plain" :aria-label="(playing === index ? 'Pause ' : 'Play ') + file.name"
            @click="play(index)">{{ playing === index ? "pause" : "play" }}</button>
          <button type="button" class="hb-plain" :aria-pressed="!wet" :aria-label="'Hear ' + file.name + ' before'"
            @click="hear(false)">before</button>
          <button type="button" class="hb-plain" :aria-pressed="wet" :aria-label="'Hear ' + file.name + ' after'"
            @click="hear(true)">after</button>
          <a :href="url(index, 'after')" :download="file.name.replace(/\\.[^.]*$/, '') + '.highband' + ending(index)"
            >download</a>
          <audio :ref="'before' + index" :src="url(index, 'before')" preload="metadata" :muted="wet"></audio>
          <audio :ref="'after' + index" :src="url(index, 'after')" preload="metadata" :muted="!wet"
            @ended="playing = null"></audio>
          <img v-if="file.picture" :src="url(index, 'picture')" :alt="'Spectrograms of ' + file.name" loading="lazy" />
        </template>
      </div>
    </div>`,
  data: () => ({ over: false, id: "", state: "", told: "", files: [], playing: null, wet: true }),
  computed: {
    busy() { return this.state === "sending" || this.state === "rendering"; },
    done() { return this.files.filter((file) => file.done).length; },
    words() {
      const count = this.files.length ? `${this.done} of ${this.files.length} files` : "";
      return [this.state, count, this.told].filter(Boolean).join(", ");
    },
  },
  beforeUnmount() { clearTimeout(this.timer); },
  methods: {
    url(index, side) { return `render/${this.id}/${index}/${side}`; },
    ending(index) { return /\.flac$/i.test(this.files[index].name) ? ".flac" : ".wav"; },
    async ask(method, place, body) {
      const reply = await fetch(`render/${place}`, { method, body });
      const told = await reply.json();
      if (told.refused) throw new Error(told.refused);
      return told;
    },
    drop(event) {
      this.over = false;
      if (!this.busy) this.send([...event.dataTransfer.files]);
    },
    async send(files) {
      if (!files.length) return;
      Object.assign(this, { state: "sending", told: "", files: [], playing: null });
      try {
        this.id = (await this.ask("POST", "")).id;
        for (const file of files) {
          this.show(await this.ask("PUT", `${this.id}?name=${encodeURIComponent(file.name)}`, file), "sending");
        }
        this.show(await this.ask("POST", this.id));
        this.poll();
      } catch (error) {
        Object.assign(this, { state: "failed", told: error.message });
      }
    },
    show(job, state) { Object.assign(this, { state: state ?? job.state, told: job.told, files: job.files }); },
    poll() {
      this.timer = setTimeout(async () => {
        try {
          this.show(await this.ask("GET", this.id));
        } catch (error) {
          this.told = error.message;
        }
        if (this.state === "rendering") this.poll();
      }, POLL_MS);
    },
    async stop() { if (this.id) this.show(await this.ask("DELETE", this.id)); },
    pair(index) { return [this.$refs[`before${index}`][0], this.$refs[`after${index}`][0]]; },
    async play(index) {
      const was = this.playing;
      if (was !== null) this.pair(was).forEach((player) => player.pause());
      this.playing = was === index ? null : index;
      if (this.playing === null) return;
      const [before, after] = this.pair(index);
      before.currentTime = after.currentTime;
      await Promise.allSettled([before.play(), after.play()]);
    },
    hear(wet) {
      this.wet = wet;
      if (this.playing === null) return;
      const [before, after] = this.pair(this.playing);
      // The two are rendered to the same sample; their players may drift apart.
      if (Math.abs(before.currentTime - after.currentTime) > 0.02) before.currentTime = after.currentTime;
    },
  },
};
