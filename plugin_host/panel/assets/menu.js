// The menu of a knob or a switch, one for the page. Arrow keys walk, Enter chooses, Escape closes and gives the focus back.
// It does not ask where the focus is: a finger that opened it by a long press takes that along when it is lifted.
export default {
  template: `
    <div v-if="items.length" class="hb-menu" role="menu" :aria-label="name + ' menu'" ref="menu"
      :style="{ left: x + 'px', top: y + 'px' }" @contextmenu.prevent>
      <button v-for="item in items" :key="item.act" type="button" tabindex="-1" @click="choose(item.act)"
        :role="item.on === undefined ? 'menuitem' : 'menuitemcheckbox'" :aria-checked="item.on">
        <span aria-hidden="true">{{ item.on ? "✓" : "" }}</span>{{ item.text }}
        <kbd v-if="item.key" aria-hidden="true">{{ item.key }}</kbd></button>
    </div>`,
  data: () => ({ knob: "", name: "", items: [], x: -999, y: 0 }),
  mounted() {
    addEventListener("pointerdown", this.leave, true);
    addEventListener("keydown", this.press, true);
  },
  beforeUnmount() {
    removeEventListener("pointerdown", this.leave, true);
    removeEventListener("keydown", this.press, true);
  },
  methods: {
    open(menu) {
      // A key may ask twice, by itself and by the event that the browser makes of it.
      if (this.items.length && this.knob === menu.knob) return;
      this.before = document.activeElement;
      Object.assign(this, menu, { x: -999, y: 0 });
      this.$nextTick(() => {
        const box = this.$refs.menu.getBoundingClientRect();
        this.x = Math.max(4, Math.min(menu.x, innerWidth - box.width - 4));
        // Never under the finger that holds a knob: lifting it would choose.
        const below = menu.y + 4, above = menu.y - box.height - 4;
        this.y = Math.max(4, below + box.height > innerHeight - 4 ? above : below);
        this.buttons()[0].focus({ preventScroll: true });
      });
    },
    close(isBack) {
      this.items = [];
      if (isBack) this.before?.focus({ preventScroll: true });
    },
    buttons() { return [...this.$refs.menu.querySelectorAll("button")]; },
    choose(act) {
      this.close(true);
      this.$emit("choose", { knob: this.knob, act });
    },
    leave(event) { if (this.items.length && !this.$refs.menu?.contains(event.target)) this.close(false); },
    press(event) {
      if (!this.items.length) return;
      const all = this.buttons(), place = all.indexOf(document.activeElement), last = all.length - 1;
      const goals = { ArrowDown: place === last ? 0 : place + 1, ArrowUp: place <= 0 ? last : place - 1, Home: 0, End: last };
      if (event.key in goals) all[goals[event.key]].focus();
      else if (event.key === "Escape" || event.key === "Tab") this.close(true);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  },
};
