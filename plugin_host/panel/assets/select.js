// A choice of one of some texts; the browser's own list, which fingers, keys and screen readers know.
export default {
  template: `
    <label class="hb-select"><span>{{ label }}</span>
      <select :value="value" @change="$emit('choose', { value: $event.target.value })">
        <option v-for="one in options" :key="one" :value="one">{{ one || any }}</option></select></label>`,
  props: { label: String, options: Array, value: String, any: { type: String, default: "" } },
};
