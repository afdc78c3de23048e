// Runs in the page under test, before its own scripts: what only the page itself can measure. Answers are read by page-speed.ts.
globalThis.everflameTest = (() => {
  const longTasks = [];
  let shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasks.push(entry.duration);
  }).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });

  /** When the last picture was drawn. */
  const drawn = () => performance.getEntriesByName('everflame-drawn').at(-1)?.startTime ?? 0;
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  /** From `act` until the picture that it leads to is painted, ms; null when there is none within five seconds. */
  async function untilPicture(act) {
    const before = drawn();
    const start = performance.now();
    act();
    while (drawn() === before) {
      if (performance.now() - start > 5000) return null;
      await pause(1);
    }
    await painted();
    return performance.now() - start;
  }

  return {
    longTasks: () => longTasks,
    shifts: () => shifts,
    async firstPicture() {
      for (;;) {
        const arrived = performance.getEntriesByName('everflame-tree-arrived')[0]?.startTime ?? Infinity;
        const first = performance.getEntriesByName('everflame-drawn').find((entry) => entry.startTime > arrived);
        if (first !== undefined) return first.startTime - arrived;
        await pause(20);
      }
    },
    key: (key) =>
      untilPicture(() =>
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })),
      ),
    click(nth) {
      const frames = [...document.querySelectorAll('.flame-box g.frame')].filter(
        (frame) => frame.getBoundingClientRect().width > 3,
      );
      const frame = frames[nth % frames.length];
      if (frames.length === 0) return null;
      return untilPicture(() => frame.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })));
    },
    /** d3-flame-graph given the whole tree, as nested objects, with its own option for small frames. */
    async wholeTree({ parent, row, names, value }) {
      const nodes = parent.map((_, node) => ({ name: names[row[node]], value: value[node], children: [] }));
      for (let node = 1; node < nodes.length; node++) nodes[parent[node]].children.push(nodes[node]);
      const noTip = Object.assign(() => undefined, { show: () => undefined, hide: () => undefined });
      const chart = whole.flamegraph().width(1400).transitionDuration(0).minFrameSize(1).inverted(true).tooltip(noTip);
      let start = performance.now();
      whole.select('#chart').datum(nodes[0]).call(chart);
      await painted();
      const first = performance.now() - start;
      const zooms = [];
      for (let i = 0; i < 12; i++) {
        const frames = [...document.querySelectorAll('g.frame')].filter(
          (frame) => frame.getBoundingClientRect().width > 3,
        );
        // Every third click leads back to the whole, as in the page's own measurement.
        const frame = i % 3 === 2 ? frames[0] : frames[(i * 7 + 1) % frames.length];
        start = performance.now();
        frame.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        await painted();
        zooms.push(performance.now() - start);
      }
      return { first, zoom: zooms.sort((a, b) => a - b)[zooms.length >> 1] };
    },
  };
})();
