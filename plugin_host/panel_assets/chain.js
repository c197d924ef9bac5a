// The effects before and after the model as a row: add, bypass, move, set, remove; plug-ins among them.
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
          <label v-for="option in effect.options" :key="option.key" class="hb-option">{{ option.name }}
            <select v-if="option.values" :disabled="busy" :value="option.values.indexOf(option.value)"
              :aria-label="effect.title + ' ' + option.name"
              @change="set(side, index, option, option.values[$event.target.value])">
              <option v-for="(value, place) in option.values" :key="place" :value="place">{{ word(value) }}</option></select>
            <input v-else type="number" step="any" :disabled="busy" :min="option.low" :max="option.high"
              :value="option.value" :aria-label="effect.title + ' ' + option.name + ' ' + option.unit"
              @change="set(side, index, option, Number($event.target.value))" />
          </label>
          <button type="button" :disabled="busy" :aria-label="'Move ' + effect.title + ' later'" title="later"
            @click="edit('later', side, index)">›</button>
          <button type="button" :disabled="busy" :aria-label="'Remove ' + effect.title" title="remove"
            @click="edit('remove', side, index)">×</button>
        </div>
        <select class="hb-add" :disabled="busy" :aria-label="'Add an effect ' + side + ' the extender'" value=""
          @change="add($event, side)">
          <option value="">+ {{ side }}</option>
          <optgroup label="Effects">
            <option v-for="name in effects" :key="name" :value="name">{{ name }}</option></optgroup>
          <optgroup v-if="plugins.length" label="Installed plug-ins">
            <option v-for="one in plugins" :key="one.id" :value="one.id">{{ one.name }}</option></optgroup>
        </select>
      </template>
    </div>`,
  props: { chain: Array, effects: Array, plugins: Array, busy: Boolean },
  computed: {
    sides() {
      const effects = (side) => this.chain.find((part) => part.name === side)?.effects ?? [];
      return { before: effects("before"), after: effects("after") };
    },
  },
  methods: {
    word(value) { return value === true ? "on" : value === false ? "off" : value; },
    edit(act, side, index) { this.$emit("edit", { act, side, index }); },
    set(side, index, option, value) { this.$emit("edit", { act: "set", side, index, key: option.key, value }); },
    add(event, side) {
      this.$emit("edit", { act: "add", side, index: 0, effect: event.target.value });
      event.target.value = "";
    },
  },
};
