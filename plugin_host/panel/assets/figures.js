// The host's figures, each with its name. They change several times a second: as elements of the page's own, each a new
// one every time, they would leave a name in the page for ever.
export default {
  template: `
    <dl class="hb-strip"><div v-for="[name, value] in rows" :key="name"><dt>{{ name }}</dt><dd>{{ value }}</dd></div></dl>`,
  props: { rows: { type: Array, default: () => [] } },
};
