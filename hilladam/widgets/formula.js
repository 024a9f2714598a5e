// A loss as it is typed, read as _formula.py reads it, where the grammar is written out: the same texts, limits and words.

import { forward } from "./dynamics.js";

const [LONGEST, DEEPEST, HIGHEST] = [300, 20, 12];
const BITS = 1024n;
const [SMALLEST, LARGEST, APART] = [10n ** 10n, 10n ** 6n, 10n ** 10n]; // the first one is 1 / the smallest size
const FAR = 1000n;
const [EDGE, SAMPLES, VALLEYS, BREAKS] = [10, 4000, 60, 200];
const [STEEP, TALL] = [1e9, 1e9];

const FUNCTIONS = ["sin", "cos", "exp", "log", "sqrt", "abs"];
const SPELLINGS = { "−": "-", "·": "*", "×": "*", "⋅": "*", "**": "^", π: "pi" };
const TOKEN =
  /(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|sin|cos|exp|log|sqrt|abs|pi|[ex]|[A-Za-z]+|\*\*|[^ \t\n\r\u00a0\u2009\u202f]/gu;
const NUMBER = /^\.?[0-9]/;
const unbounded = `it needs a lowest point: an even highest power, 2 to ${HIGHEST}, with a positive number before it`;

/**
 * The loss that a text describes: a polynomial {coefficients, centre}, or a formula {program, points, rise, start}.
 *
 * Throws an Error that says what is wrong in a reader's words.
 */
export function lossOf(text) {
  const program = parse(text);
  const exact = coefficients(program);
  return exact ? { coefficients: exact.map(toNumber), centre: 0 } : survey(program);
}

/** The operations that a text describes: ["x"], ["number", value, text], ["+", i, j], ["^", i, power], ["sin", i], … */
export function parse(text) {
  const length = Array.from(text).length;
  if (length > LONGEST) throw new Error(`it has ${length} characters; expected at most ${LONGEST}`);
  const written = text.match(TOKEN) ?? [];
  const tokens = written.map((token) => (Object.hasOwn(SPELLINGS, token) ? SPELLINGS[token] : token));
  let next = 0;
  const program = [];
  const emit = (...operation) => program.push(operation) - 1;
  const left = () => next < tokens.length;
  const ahead = (...symbols) => left() && symbols.includes(tokens[next]);
  const take = () => {
    if (!left()) throw new Error("it ends too early");
    return tokens[next++];
  };
  const fail = () => {
    if (left()) throw new Error(`it has “${written[next]}” where that makes no sense`);
    take();
  };

  function whole(depth) {
    let total = product(depth);
    while (ahead("+", "-")) total = emit(take(), total, product(depth));
    return total;
  }

  function product(depth) {
    let total = power(depth);
    while (left() && !ahead("+", "-", ")")) {
      const sign = ahead("*", "/") ? take() : "";
      if (!sign && NUMBER.test(tokens[next])) fail();
      total = emit(sign || "*", total, power(depth));
    }
    return total;
  }

  function power(depth) {
    const base = atom(depth);
    if (ahead("²", "³")) return emit("^", base, take() === "²" ? 2 : 3);
    if (!ahead("^")) return base;
    take();
    const exponent = take();
    if (!/^[0-9]+$/.test(exponent) || Number(exponent) > HIGHEST)
      throw new Error(`it has the power “${exponent}”; expected a whole number from 0 to ${HIGHEST}`);
    return emit("^", base, Number(exponent));
  }

  function atom(depth) {
    if (depth > DEEPEST) throw new Error(`it has more than ${DEEPEST} parentheses and signs inside each other`);
    if (ahead("+", "-")) {
      const [sign, inside] = [take(), power(depth + 1)];
      return sign === "-" ? emit("minus", inside) : inside;
    }
    if (ahead("x", "pi", "e")) return emit(take());
    if (left() && NUMBER.test(tokens[next])) return number(take());
    const name = ahead(...FUNCTIONS) ? take() : "";
    if (name && !ahead("(")) throw new Error(`it has “${name}” without parentheses; expected ${name}(…)`);
    if (!ahead("(")) fail();
    take();
    const inside = whole(depth + 1);
    if (!ahead(")")) fail();
    take();
    return name ? emit(name, inside) : inside;
  }

  function number(token) {
    const value = Number(token);
    const exponent = token.split(/[eE]/)[1] ?? "0";
    if (Math.abs(Number(exponent)) > 30 || (value !== 0 && !(value >= 1e-30 && value <= 1e30)))
      throw new Error(`it has the number “${token}”; expected 0, or one from 1e-30 to 1e30`);
    return emit("number", value, token);
  }

  whole(0);
  if (left()) fail();
  return program;
}

// Exact fractions [numerator, denominator], in lowest terms, so that sums which cancel do so on both sides.

const size = (n) => (n < 0n ? -n : n);

function fraction(n, d) {
  let [a, b] = [size(n), d];
  while (b) [a, b] = [b, a % b];
  return [n / a, d / a];
}

const ZERO = [0n, 1n];
const plus = ([a, b], [c, d]) => (a === 0n ? [c, d] : c === 0n ? [a, b] : fraction(a * d + c * b, b * d));
const times = ([a, b], [c, d]) => (a === 0n || c === 0n ? ZERO : fraction(a * c, b * d));
const negative = ([a, b]) => [-a, b];
const below = ([a, b], [c, d]) => a * d < c * b; // of sizes

const CONSTANTS = {
  pi: [884279719003555n, 281474976710656n], // what Math.PI and Math.E are, exactly
  e: [6121026514868073n, 2251799813685248n],
};

/** A number as it is written, exactly. */
function exactly(text) {
  const [, whole, decimals, exponent] = /^([0-9]*)\.?([0-9]*)(?:[eE](.*))?$/.exec(text);
  const power = Number(exponent ?? 0) - decimals.length;
  const digits = BigInt(whole + decimals);
  return power < 0 ? fraction(digits, 10n ** BigInt(-power)) : [digits * 10n ** BigInt(power), 1n];
}

/** The float64 nearest to a fraction. */
function toNumber([n, d]) {
  if (n === 0n) return 0;
  const bits = (number) => number.toString(2).length;
  const shift = 66 - bits(size(n)) + bits(d);
  const [top, bottom] = shift > 0 ? [size(n) << BigInt(shift), d] : [size(n), d << BigInt(-shift)];
  const quotient = Number((top / bottom) | (top % bottom ? 1n : 0n)); // a last bit that breaks ties, far behind the 53rd
  return (n < 0n ? -1 : 1) * quotient * 2 ** -shift;
}

/** A polynomial's coefficients as fractions, highest power first; null for what is none. */
function coefficients(program) {
  const free = [];
  for (const operation of program) {
    free.push(operation[0] === "x" || operands(operation).some((i) => free[i]));
    if (FUNCTIONS.includes(operation[0]) || (operation[0] === "/" && free[operation[2]])) return null;
  }
  const results = [];
  for (const [name, i, j] of program) results.push(measured(expanded(name, i, j, results)));
  const whole = results.at(-1);
  const first = whole.findIndex(([n]) => n !== 0n);
  const terms = first < 0 ? [] : whole.slice(first);
  if (terms.length < 3 || terms.length % 2 === 0 || terms[0][0] < 0n) throw new Error(unbounded);
  const sizes = terms.filter(([n]) => n !== 0n).map(([n, d]) => [size(n), d]);
  const least = sizes.reduce((a, b) => (below(b, a) ? b : a));
  const most = sizes.reduce((a, b) => (below(a, b) ? b : a));
  const apart = below([least[0] * APART, least[1]], most);
  if (below(least, [1n, SMALLEST]) || below([LARGEST, 1n], most) || apart)
    throw new Error(
      `the numbers before its powers go from ${shortest(least)} to ${shortest(most)} in size; ` +
        "expected 1e-10 to 1e+6, and none 1e+10 times another",
    );
  // Fujiwara's bound on the roots of the derivative.
  const slope = terms.slice(0, -1).map(([n, d], i) => [size(n) * BigInt(terms.length - 1 - i), d]);
  const [[n, d]] = slope;
  if (slope.some((c, i) => below([(FAR / 2n) ** BigInt(i) * n, d], c)))
    throw new Error(`its hills and valleys need not lie between -${FAR} and ${FAR}`);
  return terms;
}

const shortest = (number) => toNumber(number).toExponential();

/** The places of what an operation takes. */
const operands = ([name, ...rest]) => (name === "number" ? [] : name === "^" ? rest.slice(0, 1) : rest);

function expanded(name, i, j, results) {
  if (name === "x") return [[1n, 1n], ZERO];
  if (name === "number") return [exactly(j)];
  if (name in CONSTANTS) return [CONSTANTS[name]];
  if (name === "^") return new Array(j).fill(results[i]).reduce(multiply, [[1n, 1n]]);
  if (name === "minus") return results[i].map(negative);
  const [left, right] = [results[i], results[j]];
  if (name === "*") return multiply(left, right);
  if (name === "+") return add(left, right);
  if (name === "-") return add(left, right.map(negative));
  const [[n, d]] = right;
  if (n === 0n) throw new Error("it divides by 0");
  return left.map((c) => times(c, n < 0n ? [-d, -n] : [d, n]));
}

function add(a, b) {
  const sum = new Array(Math.max(a.length, b.length)).fill(ZERO);
  for (const terms of [a, b])
    terms.forEach((c, i) => {
      const place = sum.length - terms.length + i;
      sum[place] = plus(sum[place], c);
    });
  return sum;
}

function multiply(a, b) {
  const product = new Array(a.length + b.length - 1).fill(ZERO);
  if (product.length > HIGHEST + 1) throw new Error(unbounded);
  a.forEach((c, i) => b.forEach((d, j) => (product[i + j] = plus(product[i + j], times(c, d)))));
  return measured(product);
}

function measured(terms) {
  if (terms.some(([n, d]) => size(n) >> BITS || d >> BITS))
    throw new Error("its numbers have too many digits when it is multiplied out");
  return terms;
}

// Where a formula that is no polynomial has its valleys.

const sign = ([value, slope]) => (Number.isFinite(value) ? Math.sign(slope) || 0 : 0);

/** The minima and maxima of a formula between −10 and 10; an Error if none is its lowest point, or it cannot be drawn. */
function survey(program) {
  const at = (x) => forward(program, x);
  const xs = Array.from({ length: SAMPLES + 1 }, (_, i) => (i - SAMPLES / 2) / (SAMPLES / (2 * EDGE)));
  const samples = xs.map(at);
  const values = samples.map(([value]) => value);
  const signs = samples.map(sign);
  const stands = (i) => Number.isFinite(values[i]);
  if (!values.some(Number.isFinite)) throw new Error(`it has no value between -${EDGE} and ${EDGE}`);

  const [points, ends] = [[], []];
  // The value at a place, −∞ where it falls steeply from the one before.
  const end = (x, before) => {
    const [value, slope] = at(x);
    if (!Number.isNaN(value)) ends.push(Math.abs(slope) > STEEP && value < before ? -Infinity : value);
  };
  const turn = (a, b) => {
    let [low, high] = [xs[a], xs[b]];
    for (let k = 0; k < 40; k++) {
      const middle = (low + high) / 2;
      const now = sign(at(middle));
      if (now !== -signs[a]) low = middle;
      if (now !== signs[a]) high = middle;
    }
    const x = (low + high) / 2;
    const [value, slope] = at(x);
    const [dips, down] = [signs[a] < 0, signs[a] < 0 ? 1 : -1];
    const depth = Math.min((values[a] - value) * down, (values[b] - value) * down);
    if (!Number.isFinite(value) || Math.abs(slope) > STEEP) ends.push(dips ? -Infinity : Infinity);
    else if (depth > 1e-12 * (1 + Math.abs(value))) points.push({ x, value, kind: dips ? "minimum" : "maximum" });
  };
  const shore = (a, b) => {
    let [dry, wet] = [xs[a], xs[b]];
    for (let k = 0; k < 40; k++) {
      const middle = (dry + wet) / 2;
      if (Number.isFinite(at(middle)[0])) dry = middle;
      else wet = middle;
    }
    end(dry, values[a]);
  };
  // A jump, which goes against the slope.
  const cliff = (a, b) => {
    let [low, high] = [xs[a], xs[b]];
    for (let k = 0; k < 40; k++) {
      const middle = (low + high) / 2;
      if ((at(middle)[0] - at(low)[0]) * signs[b] < 0) high = middle;
      else low = middle;
    }
    end(low, values[a]);
    end(high, values[a]);
  };

  const breaks = [];
  let last = -1;
  for (let i = 0; i <= SAMPLES; i++) {
    const before = i > 0 && stands(i - 1);
    if (i > 0 && stands(i) !== before) breaks.push(before ? [shore, i - 1, i] : [shore, i, i - 1]);
    if (!stands(i)) last = -1;
    else if (signs[i] !== 0) {
      if (last >= 0 && signs[last] !== signs[i]) breaks.push([turn, last, i]);
      else if (last >= 0 && last === i - 1 && (values[i] - values[last]) * signs[i] < 0) breaks.push([cliff, last, i]);
      last = i;
    }
  }
  if (breaks.length > BREAKS) throw new Error(`it turns or breaks off too often between -${EDGE} and ${EDGE}`);
  for (const [look, a, b] of breaks) look(a, b);
  for (const i of [0, SAMPLES]) if (stands(i)) ends.push(values[i]);
  return { program, points, ...judged(points, ends, values.filter(Number.isFinite), (x) => at(x)[0]) };
}

/** How high the picture goes and where a run starts, if what is lowest is one of the points, and they can be drawn. */
function judged(points, ends, values, at) {
  const minima = points.filter(({ kind }) => kind === "minimum");
  if (!minima.length)
    throw new Error(`it needs a lowest point between -${EDGE} and ${EDGE}, and has no valley there`);
  const lowest = lowestOf(minima);
  if (ends.some((value) => value < lowest.value - 1e-9 * (1 + Math.abs(lowest.value))))
    throw new Error(
      `it needs a lowest point between -${EDGE} and ${EDGE}, and is lower than its valleys at an end of its curve`,
    );
  if (minima.length > VALLEYS)
    throw new Error(`it has ${minima.length} valleys between -${EDGE} and ${EDGE}; expected at most ${VALLEYS}`);

  const hills = points.filter(({ kind }) => kind === "maximum").map(({ value }) => value);
  const walls = [at(lowest.x - 3), at(lowest.x + 3)].filter(Number.isFinite);
  const largest = (numbers) => numbers.reduce((a, b) => Math.max(a, b));
  const rise = (hills.length ? largest(hills) : walls.length ? Math.min(...walls) : largest(values)) - lowest.value;
  if (!(rise > 1e-9 * (1 + Math.abs(lowest.value)) && rise < TALL) || Math.abs(lowest.value) > TALL)
    throw new Error(
      `its lowest value is ${(lowest.value + 0).toExponential(3)} and its hills rise ${rise.toExponential(3)} above ` +
        "it; expected sizes up to 1e+9, and hills that can be told from level ground",
    );

  const valley = minima.length > 1 ? lowestOf(minima.filter((point) => point !== lowest)) : lowest;
  const away = ({ x }) => Math.abs(x - valley.x);
  const others = points.filter((point) => point !== valley);
  const hill = minima.length > 1 ? [(valley.x + others.reduce((a, b) => (away(b) < away(a) ? b : a)).x) / 2] : [];
  const start = [...hill, valley.x + 1, valley.x - 1].find((x) => Number.isFinite(at(x))) ?? valley.x;
  return { rise, start: Number(start.toPrecision(3)) };
}

/** The lowest point; of those that are equal but for rounding the one next to 0. */
const lowestOf = (points) =>
  points.reduce((best, point) => {
    const rounding = 1e-9 * (1 + Math.abs(best.value));
    const nearer = Math.abs(point.x) < Math.abs(best.x) - 1e-9 && point.value <= best.value + rounding;
    return nearer || point.value < best.value - rounding ? point : best;
  });
