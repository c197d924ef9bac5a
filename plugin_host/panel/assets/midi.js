// The map of the controller: which of its controls moves which knob; every cell can be changed. A number has a value to
// begin with and no other: news of the map must not take away what is being typed.
const SOURCES = { cc: "CC", cc14: "CC 14 bit", nrpn: "NRPN", note: "note" };
const KINDS = { absolute: "knob or fader", toggle: "button", hold: "button, held", twos_complement: "encoder 1/127",
  binary_offset: "encoder 65/63", sign_magnitude: "encoder 1/65" };

export default {
  template: `
    <div class="hb-midi">
      <p v-if="!midi">This host plays without a controller; start it with highband live --midi.</p>
      <template v-else>
        <p>{{ midi.port ? "Plays from " + midi.port : "Waits for a controller" }}, map {{ midi.map }}.</p>
        <ul class="hb-bindings" aria-label="Bindings">
          <li v-for="(one, index) in midi.bindings" :key="refused + one.control + one.source + index" class="hb-binding"
            :aria-label="one.source + ' moves ' + name(one.control)">
            <span class="hb-file-name">{{ name(one.control) }}</span>
            <select :value="source(one)" :aria-label="'Message for ' + name(one.control)"
              @change="send(one, { source: $event.target.value })">
              <option v-for="(text, kind) in sources" :value="kind">{{ text }}</option></select>
            <input type="number" min="0" max="16382" :defaultValue="one[source(one)]"
              :aria-label="'Number for ' + name(one.control)" @change="send(one, { number: Number($event.target.value) })" />
            <select :value="one.channel ?? 0" :aria-label="'Channel for ' + name(one.control)"
              @change="send(one, { channel: Number($event.target.value) || null })">
              <option :value="0">any channel</option>
              <option v-for="channel in 16" :value="channel">channel {{ channel }}</option></select>
            <select :value="one.kind" :aria-label="'Kind of control for ' + name(one.control)"
              @change="send(one, { kind: $event.target.value })">
              <option v-for="(text, kind) in kinds" :value="kind">{{ text }}</option></select>
            <label><input type="checkbox" :checked="one.takeover" @change="send(one, { takeover: $event.target.checked })"
              :aria-label="'Soft takeover for ' + name(one.control)" /> soft takeover</label>
            <label><input type="checkbox" :checked="one.feedback" @change="send(one, { feedback: $event.target.checked })"
              :aria-label="'Feedback for ' + name(one.control)" /> shown on the controller</label>
            <button type="button" class="hb-plain" :aria-label="'Remove the binding of ' + name(one.control)"
              @click="$emit('unbind', { knob: one.control })">remove</button>
          </li>
        </ul>
        <p v-if="!midi.bindings.length">Nothing is bound yet.</p>
        <div class="hb-binding">
          <select v-model="chosen" aria-label="Knob to bind">
            <option v-for="knob in knobs" :value="knob.id">{{ knob.name }}</option></select>
          <button type="button" class="hb-plain" :disabled="!chosen" @click="$emit('learn', { knob: chosen })">learn</button>
          <label>CC <input type="number" min="0" max="119" v-model.number="number" aria-label="CC to bind" /></label>
          <button type="button" class="hb-plain" :disabled="!chosen" @click="add">bind</button>
        </div>
      </template>
    </div>`,
  props: { midi: Object, knobs: Array, refused: Number },
  data: () => ({ sources: SOURCES, kinds: KINDS, chosen: "amount", number: 70 }),
  methods: {
    name(id) { return this.knobs.find((knob) => knob.id === id)?.name ?? id; },
    source(one) { return Object.keys(SOURCES).find((kind) => one[kind] !== undefined); },
    send(one, change) {
      const { control, channel, kind, step, takeover, feedback } = { ...one, ...change };
      const source = change.source ?? this.source(one), number = change.number ?? one[this.source(one)];
      const binding = { control, [source]: number, channel, kind, step, takeover, feedback };
      // What is changed next must go on from here, though the host has not answered yet.
      Object.keys(SOURCES).forEach((name) => delete one[name]);
      Object.assign(one, binding);
      this.$emit("bind", { binding });
    },
    add() {
      const isSwitch = this.knobs.find((knob) => knob.id === this.chosen)?.curve === "switch";
      this.$emit("bind", { binding: { control: this.chosen, cc: this.number, kind: isSwitch ? "toggle" : "absolute" } });
    },
  },
};
