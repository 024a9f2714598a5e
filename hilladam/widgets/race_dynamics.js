// Counts of runs, without drawing: rates and their differences with the intervals of hilladam.experiments.

const Z = 1.959963984540054; // the normal quantile of 95 %

/** Counts from the new successes at each place, which are numbers in a text. */
export function cumulate(news) {
  let count = 0;
  return news.split(" ").map((each) => (count += Number(each)));
}

/** Wilson's interval for the rate behind `successes` of so many runs: [low, high]. */
export function wilson(successes, runs) {
  const [p, z] = [successes / runs, (Z * Z) / runs];
  const middle = (p + z / 2) / (1 + z);
  const half = (Z / (1 + z)) * Math.sqrt((p * (1 - p)) / runs + z / (4 * runs));
  return [successes === 0 ? 0 : middle - half, successes === runs ? 1 : middle + half];
}

/** Tango's score interval for the difference of two rates on the same runs, from the runs of which one alone succeeded. */
function differenceInterval(onlyFirst, onlySecond, runs) {
  return [scoreLow(onlyFirst, onlySecond, runs), -scoreLow(onlySecond, onlyFirst, runs)];
}

function scoreLow(b, c, n) {
  let [low, high] = [-1, (b - c) / n];
  for (let i = 0; i < 60; i++) {
    const d = (low + high) / 2;
    const linear = (2 * n - b + c) * d - b - c;
    const share = (Math.sqrt(linear ** 2 + 8 * n * c * d * (1 - d)) - linear) / (4 * n);
    const variance = Math.max(n * (2 * share + d * (1 - d)), 0);
    if (b - c - n * d > Z * Math.sqrt(variance)) low = d;
    else high = d;
  }
  return low;
}

/** Two contenders after the same number of evaluations: rates with intervals, who alone succeeded, and by how much. */
export function versus(first, second, both, runs) {
  const [onlyFirst, onlySecond] = [first - both, second - both];
  const rate = (count) => ({ share: count / runs, interval: wilson(count, runs) });
  const difference = (first - second) / runs;
  const interval = differenceInterval(onlyFirst, onlySecond, runs);
  return { first: rate(first), second: rate(second), onlyFirst, onlySecond, difference, interval };
}

/** Heights for labels: near those given, within bounds, and nowhere closer than `least`; in their order. */
export function apart(heights, least, low, high) {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b] || a - b);
  const blocks = [];
  order.forEach((k, i) => {
    blocks.push([heights[k] - least * i, 1]);
    while (blocks.length > 1 && blocks.at(-2)[0] >= blocks.at(-1)[0]) {
      const [[mean, count], [before, many]] = [blocks.pop(), blocks.pop()];
      blocks.push([(mean * count + before * many) / (count + many), count + many]);
    }
  });
  const placed = blocks.flatMap(([mean, count]) => new Array(count).fill(mean));
  const last = heights.length - 1;
  const spread = new Array(heights.length);
  order.forEach((k, i) => {
    spread[k] = Math.max(Math.min(placed[i] + least * i, high - least * (last - i)), low + least * i);
  });
  return spread;
}

/** The place of the last number that is not above a value, in a list that rises. */
export function lastBelow(numbers, value) {
  const above = numbers.findIndex((each) => each > value);
  return above < 0 ? numbers.length - 1 : Math.max(above - 1, 0);
}
