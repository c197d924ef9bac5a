// The effects before and after the model as a row: add, bypass, move, remove.
export default {
  template: `
    <div class="hb-chain" :aria-busy="busy">
      <template v-for="side in ['before', 'after']" :key="side">
        <div v-if="side === 'after'" class="hb-stage hb-model">Extender</div>
        <div v-for="(effect, index) in sides[side]" :key="side + index" class="hb-stage" role="group"
          :aria-label="effect.title + ', ' + side + ' the extender'" :class="{ 'hb-off': effect.bypass }">
          <button type="button" :disabled="busy" :aria-label="'Move ' + effect.title + ' earlier'" title="earlier"
            @click="edit('earlier', side, index)">‹</button>
          <button type="button" class="hb-stage-name" :disabled="busy" :aria-pressed="!effect.bypass"
            :title="effect.bypass ? 'bypassed' : 'heard'" @click="edit('bypass', side, index)">{{ effect.title }}</button>
          <button type="button" :disabled="busy" :aria-label="'Move ' + effect.title + ' later'" title="later"
            @click="edit('later', side, index)">›</button>
          <button type="button" :disabled="busy" :aria-label="'Remove ' + effect.title" title="remove"
            @click="edit('remove', side, index)">×</button>
        </div>
        <select class="hb-add" :disabled="busy" :aria-label="'Add an effect ' + side + ' the extender'" value=""
          @change="add($event, side)">
          <option value="">+ {{ side }}</option>
          <option v-for="name in effects" :key="name" :value="name">{{ name }}</option>
        </select>
      </template>
    </div>`,
  props: { chain: Array, effects: Array, busy: Boolean },
  computed: {
    sides() {
      const effects = (side) => this.chain.find((part) => part.name === side)?.effects ?? [];
      return { before: effects("before"), after: effects("after") };
    },
  },
  methods: {
    edit(act, side, index) { this.$emit("edit", { act, side, index, effect: "" }); },
    add(event, side) {
      this.$emit("edit", { act: "add", side, index: 0, effect: event.target.value });
      event.target.value = "";
    },
  },
};
