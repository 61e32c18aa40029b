/** What differs between two texts, line by line. */

/** So many pairs of lines are compared at most: of more, all of the part between what is the same is changed. */
const MOST = 4_000_000;
const CONTEXT = 3;

/** @typedef {{sign: " "|"-"|"+", text: string, no: number}} Line `no`: its number in its text */

/** @param {string} before @param {string} after @returns {Line[]} */
export function diffOf(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let first = 0;
  while (first < old.length && first < now.length && old[first] === now[first]) first += 1;
  let last = 0;
  while (last < old.length - first && last < now.length - first && old[old.length - 1 - last] === now[now.length - 1 - last]) last += 1;
  const same = (/** @type {number} */ from, /** @type {number} */ to) => now.slice(from, to).map((text, at) => /** @type {Line} */ ({ sign: " ", text, no: from + at + 1 }));
  return [...same(0, first), ...changed(old, now, first, last), ...same(now.length - last, now.length)];
}

/** The lines between what is the same, by their longest common subsequence. @param {string[]} old @param {string[]} now @param {number} first @param {number} last @returns {Line[]} */
function changed(old, now, first, last) {
  const [rows, columns] = [old.length - last - first, now.length - last - first];
  const isShort = rows * columns <= MOST;
  const width = columns + 1;
  const lengths = new Uint32Array(isShort ? (rows + 1) * width : 0);
  for (let row = rows - 1; isShort && row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = old[first + row] === now[first + column] ? lengths[(row + 1) * width + column + 1] + 1 : Math.max(lengths[(row + 1) * width + column], lengths[row * width + column + 1]);
    }
  }
  /** @type {Line[]} */
  const lines = [];
  for (let row = 0, column = 0; row < rows || column < columns;) {
    if (isShort && row < rows && column < columns && old[first + row] === now[first + column]) {
      lines.push({ sign: " ", text: now[first + column], no: first + column + 1 });
      row += 1;
      column += 1;
    } else if (row < rows && (column >= columns || !isShort || lengths[(row + 1) * width + column] >= lengths[row * width + column + 1])) {
      lines.push({ sign: "-", text: old[first + row], no: first + row + 1 });
      row += 1;
    } else {
      lines.push({ sign: "+", text: now[first + column], no: first + column + 1 });
      column += 1;
    }
  }
  return lines;
}

/** The lines near to what differs; a number stands for how many were left out. @param {Line[]} lines @returns {(Line|number)[]} */
export function near(lines) {
  const kept = new Uint8Array(lines.length);
  lines.forEach((line, at) => line.sign !== " " && kept.fill(1, Math.max(0, at - CONTEXT), at + CONTEXT + 1));
  /** @type {(Line|number)[]} */
  const found = [];
  let left = 0;
  lines.forEach((line, at) => {
    if (!kept[at]) left += 1;
    else {
      if (left) found.push(left);
      left = 0;
      found.push(line);
    }
  });
  return left ? [...found, left] : found;
}
