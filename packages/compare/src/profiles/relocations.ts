import type { FunctionNames } from '../counts/side-counts.ts';

/**
 * Where the counts of each function go, by id: its own id, but for two kinds of functions.
 *
 * One that has no file goes to the only one of its name that has: whether an agent had read debugging information by then is no change of the program. A sample that
 * has both on its stack, as recursion may, would count twice; `CountsBuilder` bounds that by all samples.
 *
 * The other is a function that is on the before side alone while one of the same name and the same
 * file in another directory is on the after side alone. That is one function whose release, package or build lies elsewhere
 * (`/srv/app/1.0.0/cart.js`, `/srv/app/1.1.0/cart.js`), and it goes to the after side's id. Since each has samples where the other has none, adding
 * them up is exact. Where several fit nothing is decided. `before` and `after`: above 0 for each function that has samples there.
 */
export function relocationsOf({ name, file }: FunctionNames, before: Presence, after: Presence): Uint32Array {
  const places = Uint32Array.from(name, (_, id) => id);
  const groups = new Map<string, number[]>();
  /** By name: the one with a file, or undefined where there are several. */
  const filed = new Map<string, number | undefined>();
  const unfiled: number[] = [];
  for (let id = 0; id < name.length; id++) {
    const path = file[id] ?? '';
    if (!has(before, id) && !has(after, id)) continue;
    if (path === '') {
      unfiled.push(id);
      continue;
    }
    filed.set(name[id] ?? '', filed.has(name[id] ?? '') ? undefined : id);
    const key = `${name[id]}\0${path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [id]);
    else group.push(id);
  }
  for (const group of groups.values()) {
    const [one = 0, other = 0] = group;
    if (group.length !== 2) continue;
    const [from, to] = has(before, one) ? [one, other] : [other, one];
    if (has(before, from) && !has(after, from) && has(after, to) && !has(before, to)) places[from] = to;
  }
  for (const id of unfiled) {
    const to = filed.get(name[id] ?? '');
    if (to !== undefined) places[id] = to;
  }
  return places;
}

type Presence = ArrayLike<number>;

function has(present: Presence, id: number): boolean {
  return (present[id] ?? 0) > 0;
}
