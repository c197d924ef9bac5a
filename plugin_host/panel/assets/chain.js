// The effects before and after the model as a row: add, bypass, move, set, remove; plug-ins among them.
export default {
  template: `
    <div class="hb-chain" :aria-busy="busy">
      <template v-for="side in ['before', 'after']" :key="side">
        <div v-if="side === 'after'" class="hb-stage hb-model">Extender</div>
        <div v-for="(effect, index) in sides[side]" :key="side + index" class="hb-stage" role="group"
          :aria-label="effect.title + ', ' + side + ' the extender'" :class="{ 'hb-off': effect.bypass }">
          <button type="button" :aria-disabled="busy" :aria-label="'Move ' + effect.title + ' earlier'" title="earlier"
            @click="edit('earlier', side, index)">‹</button>
          <button type="button" class="hb-stage-name" :aria-disabled="busy" :aria-pressed="!effect.bypass"
            :title="effect.bypass ? 'bypassed' : 'playing'" @click="edit('bypass', side, index)">{{ effect.title }}</button>
          <label v-for="option in effect.options" :key="option.key" class="hb-option">{{ option.name }}
            <select v-if="option.values" :aria-disabled="busy" :value="option.values.indexOf(option.value)"
              :aria-label="effect.title + ' ' + option.name"
              @change="set(side, index, option, option.values[$event.target.value])">
              <option v-for="(value, place) in option.values" :key="place" :value="place">{{ word(value) }}</option></select>
            <input v-else type="number" step="any" :aria-disabled="busy" :min="option.low" :max="option.high"
              :value="option.value" :aria-label="effect.title + ' ' + option.name + ' ' + option.unit"
              @change="set(side, index, option, Number($event.target.value))" />
          </label>
          <button type="button" :aria-disabled="busy" :aria-label="'Move ' + effect.title + ' later'" title="later"
            @click="edit('later', side, index)">›</button>
          <button type="button" :aria-disabled="busy" :aria-label="'Remove ' + effect.title" title="remove"
            @click="edit('remove', side, index)">×</button>
        </div>
        <div class="hb-adding" role="group" :aria-label="'Add ' + side + ' the extender'">
          <select v-model="chosen[side]" class="hb-add" :aria-label="'Effect to add ' + side + ' the extender'">
            <option value="">{{ side }}</option>
            <optgroup label="Effects">
              <option v-for="name in effects" :key="name" :value="name">{{ name }}</option></optgroup>
            <optgroup v-if="plugins.length" label="Installed plug-ins">
              <option v-for="one in plugins" :key="one.id" :value="one.id">{{ one.name }}</option></optgroup>
          </select>
          <button type="button" class="hb-add" :disabled="!chosen[side]" :aria-disabled="busy || !chosen[side]"
            :aria-label="'Add the effect ' + side + ' the extender'" @click="add(side)">+</button>
        </div>
      </template>
    </div>`,
  props: { chain: Array, effects: Array, plugins: Array, busy: Boolean },
  // A list acts on no choice by itself: with arrow keys one walks through all of them.
  data: () => ({ chosen: { before: "", after: "" } }),
  computed: {
    sides() {
      const effects = (side) => this.chain.find((part) => part.name === side)?.effects ?? [];
      return { before: effects("before"), after: effects("after") };
    },
  },
  methods: {
    word(value) { return value === true ? "on" : value === false ? "off" : value; },
    // What is busy keeps the focus and does nothing: a button that is disabled would lose it.
    edit(act, side, index, more) { if (!this.busy) this.$emit("edit", { act, side, index, ...more }); },
    set(side, index, option, value) { this.edit("set", side, index, { key: option.key, value }); },
    add(side) {
      this.edit("add", side, 0, { effect: this.chosen[side] });
      this.chosen[side] = "";
    },
  },
};
