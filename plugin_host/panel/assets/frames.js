// What the parts of the page that show the sound have in common: frames from the panel, and a canvas that follows its
// size and the theme. A page that is hidden or late asks for the next frame only when it has drawn this one.
window.highband = (() => {
  // The panel answers within two seconds, with an empty frame where there is none. A connection that is silent for longer
  // is dead, which a browser notices after minutes or never.
  const SILENT_MS = 5000, AGAIN_MS = 1000;
  function follow() {
    const socket = new WebSocket(new URL("frames", document.baseURI).href.replace(/^http/, "ws"));
    let watch;
    const wait = () => { watch = setTimeout(again, SILENT_MS); };
    const again = () => {
      clearTimeout(watch);
      socket.onmessage = socket.onclose = null;
      socket.close();
      setTimeout(follow, AGAIN_MS);
    };
    socket.onclose = again;
    socket.onmessage = ({ data }) => {
      clearTimeout(watch);
      requestAnimationFrame(() => { socket.send("next"); wait(); });
      if (data) window.dispatchEvent(new CustomEvent("highband-frame", { detail: JSON.parse(data) }));
    };
    wait();
  }
  follow();

  // A page that is cut off for a moment waits; its toolkit would load it again, and what was chosen in it would be lost,
  // or all of it where there is still no way to the panel.
  function bearBreaks() {
    socket.off("connect_error");
    socket.on("connect_error", ({ message }) => { if (message === "Implicit handshake failed") location.reload(); });
  }
  addEventListener("load", () => { socket.connected ? bearBreaks() : socket.once("connect", bearBreaks); });

  // The component's `draw` is called with each frame.
  const frames = {
    mounted() {
      this.receive = ({ detail }) => this.draw(detail);
      window.addEventListener("highband-frame", this.receive);
    },
    beforeUnmount() { window.removeEventListener("highband-frame", this.receive); },
  };

  // The component's `paint` draws on `$refs.canvas`; `fit` is called where its size changes.
  const canvas = {
    mixins: [frames],
    mounted() {
      this.watcher = new ResizeObserver(() => this.fit());
      this.watcher.observe(this.$el);
      this.themes = new MutationObserver(() => this.paint());
      this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    },
    beforeUnmount() {
      this.watcher.disconnect();
      this.themes.disconnect();
    },
    methods: {
      // Where the element has another size now, the canvas gets it, which empties it.
      resize() {
        const canvas = this.$refs.canvas, scale = window.devicePixelRatio || 1;
        const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
        if (!width || !height || (canvas.width === width && canvas.height === height)) return false;
        [canvas.width, canvas.height] = [width, height];
        return true;
      },
      // A clean canvas to draw on, in pixels of the page, and the theme's colours by name.
      clean() {
        const canvas = this.$refs.canvas, scale = window.devicePixelRatio || 1, style = getComputedStyle(this.$el);
        const width = canvas.width / scale, height = canvas.height / scale, pen = canvas.getContext("2d");
        pen.setTransform(scale, 0, 0, scale, 0, 0);
        pen.clearRect(0, 0, width, height);
        pen.font = "11px system-ui, sans-serif";
        return { pen, width, height, colour: (part) => style.getPropertyValue(`--hb-${part}`).trim() };
      },
    },
  };
  return { frames, canvas };
})();
