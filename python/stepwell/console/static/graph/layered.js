/**
 * A layered layout (Sugiyama): ranks from top to bottom, few crossings, long edges straight. It is that of
 * `stepwell/graph/layered.py`, so that the two drawings agree.
 *
 * A link with a label gets a box of its own for it, in a rank between its ends, and a box of no width in each other
 * rank that it crosses. So no line and no label meets a box.
 */

/**
 * @typedef {{width: number, height: number, x: number, y: number, rank: number, top: number, bottom: number, isBend: boolean}} Box
 *   `x` and `y`: its middle, and its top, after the layout
 * @typedef {{source: number, target: number, kind: string, label: [number, number]|null, bends: number[], labelBox: number|null, isReversed: boolean}} Link
 */

const SWEEPS = 8;
/** By index of a box: its place in its rank, and the middle of its neighbours; what a layout leaves there is not read. @type {number[]} */
const places = [];
/** @type {number[]} */
const middles = [];
const BETWEEN = { boxes: 26, bends: 14, ranks: 34 };

/** @param {number} width @param {number} height @returns {Box} */
export const box = (width, height, rank = 0, isBend = false) => ({ width, height, x: 0, y: 0, rank, top: 0, bottom: 0, isBend });
/** @param {Link} link @returns {[number, number]} */
export const ends = (link) => (link.isReversed ? [link.target, link.source] : [link.source, link.target]);

/** Place the boxes, of which the first is the uppermost, and add those of labels and bends. @param {Box[]} boxes @param {Link[]} links @returns {[number, number]} the size */
export function layOut(boxes, links) {
  const real = links.filter((link) => link.source !== link.target);
  turnBackLinks(boxes.length, real);
  rank(boxes, real);
  addBends(boxes, real);
  const [above, below] = neighbours(boxes, real);
  const ranks = ordered(boxes, above, below);
  align(boxes, ranks, above, below);
  return put(boxes, ranks);
}

/** Mark the links that close a circle, found by a search from the first box on. @param {number} count @param {Link[]} links */
function turnBackLinks(count, links) {
  const leaving = Array.from({ length: count }, () => /** @type {Link[]} */ ([]));
  for (const link of links) leaving[link.source].push(link);
  const state = new Uint8Array(count); // 1: open, 2: done
  for (let root = 0; root < count; root += 1) {
    if (state[root]) continue;
    const stack = [[root, 0]];
    state[root] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1];
      const link = leaving[top[0]][top[1]];
      top[1] += 1;
      if (!link) {
        state[top[0]] = 2;
        stack.pop();
      } else if (state[link.target] === 1) {
        link.isReversed = true;
      } else if (!state[link.target]) {
        state[link.target] = 1;
        stack.push([link.target, 0]);
      }
    }
  }
}

/** Give each box the length of the longest way to it; a link with a label is two ranks long. @param {Box[]} boxes @param {Link[]} links */
function rank(boxes, links) {
  const below = boxes.map(() => /** @type {[number, number][]} */ ([]));
  const waiting = boxes.map(() => 0);
  for (const link of links) {
    const [upper, lower] = ends(link);
    below[upper].push([lower, link.label ? 2 : 1]);
    waiting[lower] += 1;
  }
  const ready = boxes.flatMap((_, index) => (waiting[index] ? [] : [index]));
  while (ready.length) {
    const upper = /** @type {number} */ (ready.pop());
    for (const [lower, length] of below[upper]) {
      boxes[lower].rank = Math.max(boxes[lower].rank, boxes[upper].rank + length);
      waiting[lower] -= 1;
      if (!waiting[lower]) ready.push(lower);
    }
  }
}

/** Add boxes where links cross ranks: the first of each is its own, from there on those to a target share theirs. @param {Box[]} boxes @param {Link[]} links */
function addBends(boxes, links) {
  /** @type {Map<string, Map<number, number>>} */
  const trunks = new Map();
  for (const link of links) {
    const [upper, lower] = ends(link);
    const first = boxes[upper].rank + 1;
    const last = boxes[lower].rank;
    const own = link.isReversed ? last - 1 : first;
    const key = `${link.target} ${link.kind} ${link.isReversed}`;
    const trunk = trunks.get(key) ?? new Map();
    trunks.set(key, trunk);
    for (let at = first; at < last; at += 1) {
      if (at !== own && trunk.has(at)) {
        link.bends.push(trunk.get(at));
        continue;
      }
      const [width, height] = at === own && link.label ? link.label : [0, 0];
      link.bends.push(boxes.length);
      if (at !== own) trunk.set(at, boxes.length);
      else if (link.label) link.labelBox = boxes.length;
      boxes.push(box(width, height, at, true));
    }
  }
}

/** @param {Box[]} boxes @param {Link[]} links */
function neighbours(boxes, links) {
  const above = boxes.map(() => /** @type {number[]} */ ([]));
  const below = boxes.map(() => /** @type {number[]} */ ([]));
  for (const link of links) {
    const [upper, lower] = ends(link);
    const chain = [upper, ...link.bends, lower];
    for (let at = 1; at < chain.length; at += 1) {
      if (below[chain[at - 1]].includes(chain[at])) continue;
      below[chain[at - 1]].push(chain[at]);
      above[chain[at]].push(chain[at - 1]);
    }
  }
  return [above, below];
}

/** The boxes of each rank in the order with the fewest crossings that some sweeps find. @param {Box[]} boxes @param {number[][]} above @param {number[][]} below */
function ordered(boxes, above, below) {
  const ranks = Array.from({ length: Math.max(...boxes.map((each) => each.rank)) + 1 }, () => /** @type {number[]} */ ([]));
  for (const index of depthFirst(boxes, below)) ranks[boxes[index].rank].push(index);
  let best = ranks.map((each) => [...each]);
  let fewest = crossings(ranks, below);
  for (let sweep = 0; sweep < SWEEPS && fewest; sweep += 1) {
    const down = sweep % 2 === 0;
    for (let step = 1; step < ranks.length; step += 1) {
      const at = down ? step : ranks.length - 1 - step;
      sortByMiddle(ranks[at], ranks[down ? at - 1 : at + 1], down ? above : below);
    }
    const count = crossings(ranks, below);
    if (count < fewest) [best, fewest] = [ranks.map((each) => [...each]), count];
  }
  return best;
}

/** @param {Box[]} boxes @param {number[][]} below */
function depthFirst(boxes, below) {
  const found = new Set();
  const roots = boxes.map((_, index) => index).sort((one, other) => boxes[one].rank - boxes[other].rank);
  for (const root of roots) {
    const stack = [root];
    while (stack.length) {
      const index = /** @type {number} */ (stack.pop());
      if (found.has(index)) continue;
      found.add(index);
      stack.push(...[...below[index]].reverse());
    }
  }
  return found;
}

/** @param {number[]} row @param {number[]} fixed @param {number[][]} near */
function sortByMiddle(row, fixed, near) {
  if (row.length < 2) return;
  fixed.forEach((index, place) => { places[index] = place; });
  row.forEach((index, place) => {
    let sum = 0;
    for (const other of near[index]) sum += places[other];
    middles[index] = near[index].length ? sum / near[index].length : (place * fixed.length) / row.length;
  });
  row.sort((one, other) => middles[one] - middles[other]);
}

/** @param {number[][]} ranks @param {number[][]} below */
function crossings(ranks, below) {
  let total = 0;
  for (let at = 1; at < ranks.length; at += 1) {
    if (ranks[at].length < 2 || ranks[at - 1].length < 2) continue;
    ranks[at].forEach((index, place) => { places[index] = place; });
    const values = ranks[at - 1].flatMap((index) => below[index].map((other) => places[other]).sort((one, other) => one - other));
    total += inversions(values, ranks[at].length);
  }
  return total;
}

/** How many pairs stand in the wrong order, by a Fenwick tree. @param {number[]} values @param {number} most */
function inversions(values, most) {
  const tree = new Uint32Array(most + 1);
  let total = 0;
  values.forEach((value, seen) => {
    let smaller = 0;
    for (let at = value + 1; at > 0; at -= at & -at) smaller += tree[at];
    total += seen - smaller;
    for (let at = value + 1; at <= most; at += at & -at) tree[at] += 1;
  });
  return total;
}

/** Move each box towards the middle of those that it is linked to, as far as its rank lets it. @param {Box[]} boxes @param {number[][]} ranks @param {number[][]} above @param {number[][]} below */
function align(boxes, ranks, above, below) {
  for (const row of ranks) spread(boxes, row, row.map(() => 0));
  for (let sweep = 0; sweep < 2 * SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    for (let step = 1; step < ranks.length; step += 1) {
      const row = ranks[down ? step : ranks.length - 1 - step];
      spread(boxes, row, row.map((index) => wanted(boxes, index, (down ? above : below)[index])));
    }
  }
}

/** @param {Box[]} boxes @param {number} index @param {number[]} near */
function wanted(boxes, index, near) {
  if (!near.length) return boxes[index].x;
  if (near.length === 1) return boxes[near[0]].x;
  const places = near.map((other) => boxes[other].x).sort((one, other) => one - other);
  const half = places.length >> 1;
  return places.length % 2 ? places[half] : (places[half - 1] + places[half]) / 2;
}

/** The places nearest to what is wanted that keep the order and the distances (pooled violators). @param {Box[]} boxes @param {number[]} row @param {number[]} targets */
function spread(boxes, row, targets) {
  let offset = 0;
  const offsets = row.map((index, place) => {
    if (place) {
      const before = boxes[row[place - 1]];
      offset += (before.width + boxes[index].width) / 2 + (before.isBend && boxes[index].isBend ? BETWEEN.bends : BETWEEN.boxes);
    }
    return offset;
  });
  /** @type {number[][]} the sum, the weight and the number of members of each block */
  const blocks = [];
  row.forEach((index, place) => {
    const weight = boxes[index].isBend && !boxes[index].width ? 4 : 1;
    blocks.push([(targets[place] - offsets[place]) * weight, weight, 1]);
    for (let [before, last] = blocks.slice(-2); last && before[0] / before[1] > last[0] / last[1]; [before, last] = blocks.slice(-2)) {
      blocks.pop();
      last.forEach((value, part) => { before[part] += value; });
    }
  });
  let place = 0;
  for (const [total, weight, members] of blocks) {
    for (let count = 0; count < members; count += 1, place += 1) boxes[row[place]].x = total / weight + offsets[place];
  }
}

/** @param {Box[]} boxes @param {number[][]} ranks @returns {[number, number]} */
function put(boxes, ranks) {
  const left = Math.min(...boxes.map((each) => each.x - each.width / 2));
  let top = 0;
  for (const row of ranks) {
    const height = Math.max(...row.map((index) => boxes[index].height));
    for (const each of row.map((index) => boxes[index])) {
      each.x -= left;
      if (each.isBend) each.height = height; // its line goes straight through the whole rank
      each.y = top + (height - each.height) / 2;
      [each.top, each.bottom] = [top, top + height];
    }
    top += height + BETWEEN.ranks;
  }
  return [Math.max(...boxes.map((each) => each.x + each.width / 2)), top - BETWEEN.ranks];
}
