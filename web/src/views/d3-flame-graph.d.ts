// d3-flame-graph ships no types; this is the part that Everflame uses.
declare module 'd3-flame-graph' {
  import type { Selection } from 'd3-selection';

  export interface FlameDatum {
    readonly value: number;
    readonly children?: readonly FlameDatum[];
    hide?: boolean;
    fade?: boolean;
  }
  export interface FlameNode<D extends FlameDatum> {
    readonly data: D;
    readonly x0: number;
    readonly x1: number;
    readonly depth: number;
  }
  export interface FlameTip<D extends FlameDatum> {
    (selection: Selection<SVGSVGElement, unknown, null, undefined>): void;
    show(event: MouseEvent, node: FlameNode<D>): void;
    hide(): void;
  }
  export interface FlameChart<D extends FlameDatum> {
    (selection: Selection<HTMLElement, D, null, undefined>): void;
    width(px: number): this;
    cellHeight(px: number): this;
    inverted(icicle: boolean): this;
    resetHeightOnZoom(on: boolean): this;
    transitionDuration(ms: number): this;
    tooltip(tip: FlameTip<D>): this;
    setColorMapper(mapper: (node: FlameNode<D>) => string): this;
    getName(name: (node: FlameNode<D>) => string): this;
    update(data?: D): this;
    destroy(): this;
  }
  export default function flamegraph<D extends FlameDatum>(): FlameChart<D>;
}
