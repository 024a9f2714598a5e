// The networks of Experiment 1 on a polynomial of their output, without drawing.
//
// Training does the operations of `networks` in hilladam/experiments/_compiled_arithmetic.py in the same order: without an
// activation and with ReLU it has the same bits in every browser and in Python, with tanh and the sigmoid up to rounding.
// tests/widgets/test_training_explorer.py runs both.

import { decide, evaluate } from "./dynamics.js";

export function activate(z, activation) {
  if (activation === "tanh") return Math.tanh(z);
  if (activation === "sigmoid") return 1 / (1 + Math.exp(-z));
  if (activation === "relu") return z <= 0 ? 0 : z;
  return z;
}

/** The derivative of an activation, in terms of what it returned. */
export function activationSlope(y, activation) {
  if (activation === "tanh") return 1 - y * y;
  if (activation === "sigmoid") return y * (1 - y);
  if (activation === "relu") return y > 0 ? 1 : 0;
  return 1;
}

/**
 * One network of these sizes, with an input of ones, before its first step. Its weights are, for each layer, the matrix row
 * by row, and then the biases. With δ = 0 and γ = ∞ it is trained by Adam.
 *
 * Returns `advance(count)`, which takes so many steps more, up to `steps`, and `record`: `done`, how many there were; `x`,
 * the output before each; `climbs`; `best`, the lowest loss, `bestX` and `bestStep`; and `turns`.
 */
export function begin(loss, weights, settings) {
  const { sizes, steps, lr, delta, gamma, activation, scale, beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = settings;
  const layers = sizes.length - 1;
  const w = Float64Array.from(weights, (weight) => weight * scale);
  const [mean, square, g] = [0, 0, 0].map(() => new Float64Array(w.length));
  const hidden = sizes.map((size) => new Float64Array(size).fill(1)); // what goes into each layer, and what comes out
  const errors = sizes.map((size) => new Float64Array(size)); // the derivatives of the loss by what each layer adds up
  const record = { done: 0, x: new Float64Array(steps), climbs: new Uint8Array(steps), turns: 0 };
  Object.assign(record, { best: Infinity, bestX: NaN, bestStep: -1 });
  let [power1, power2, climbs, previous] = [1, 1, false, NaN];

  function forward() {
    let at = 0;
    for (let layer = 0; layer < layers; layer++) {
      const [columns, rows] = [sizes[layer], sizes[layer + 1]];
      const [input, output, bias] = [hidden[layer], hidden[layer + 1], at + rows * columns];
      for (let r = 0; r < rows; r++) {
        let total = w[bias + r];
        for (let c = 0; c < columns; c++) total += w[at + r * columns + c] * input[c];
        output[r] = layer < layers - 1 ? activate(total, activation) : total;
      }
      at = bias + rows;
    }
    return hidden[layers][0];
  }

  function backward(slope) {
    let at = w.length;
    errors[layers][0] = slope;
    for (let layer = layers - 1; layer >= 0; layer--) {
      const [columns, rows] = [sizes[layer], sizes[layer + 1]];
      const [input, error, bias] = [hidden[layer], errors[layer + 1], at - rows];
      at = bias - rows * columns;
      for (let r = 0; r < rows; r++) {
        g[bias + r] = error[r];
        for (let c = 0; c < columns; c++) g[at + r * columns + c] = error[r] * input[c];
      }
      if (layer === 0) return;
      for (let c = 0; c < columns; c++) {
        let total = 0;
        for (let r = 0; r < rows; r++) total += error[r] * w[at + r * columns + c];
        errors[layer][c] = total * activationSlope(input[c], activation);
      }
    }
  }

  function step() {
    const x = forward();
    const [value, slope] = evaluate(loss, x);
    const now = decide(value, climbs, previous, delta, gamma);
    ({ climbs, previous } = now);
    if (Number.isFinite(value) && value < record.best)
      Object.assign(record, { best: value, bestX: x, bestStep: record.done });
    record.x[record.done] = x;
    record.climbs[record.done] = climbs;
    if (now.reason) {
      record.turns += 1;
      [power1, power2] = [1, 1];
      mean.fill(0);
      square.fill(0);
    }
    backward(climbs ? -slope : slope);
    power1 *= beta1;
    power2 *= beta2;
    const [correction1, correction2] = [1 / (1 - power1), 1 / (1 - power2)];
    for (let k = 0; k < w.length; k++) {
      mean[k] = beta1 * mean[k] + (1 - beta1) * g[k];
      square[k] = beta2 * square[k] + (1 - beta2) * g[k] * g[k];
      w[k] -= (lr * (mean[k] * correction1)) / (Math.sqrt(square[k] * correction2) + eps);
    }
    record.done += 1;
  }

  return {
    record,
    advance(count) {
      for (const end = Math.min(record.done + count, steps); record.done < end; ) step();
    },
  };
}

/** The trainings of an experiment in the order in which its row fills: seed by seed, one after the other optimizer. */
function* trainings({ loss, weights, optimizers, ...settings }) {
  for (const [seed, first] of weights.entries())
    for (const [optimizer, rule] of Object.entries(optimizers))
      yield { seed, optimizer, ...begin(loss, first, { ...settings, ...rule }) };
}

/** What a worker does: it trains all that it is told of, and sends each record when it is complete. */
export function serve() {
  self.onmessage = ({ data }) => {
    for (const { seed, optimizer, record, advance } of trainings(data)) {
      advance(Infinity);
      self.postMessage({ seed, optimizer, record }, [record.x.buffer, record.climbs.buffer]);
    }
  };
}

/** A worker's script. It is made of the functions themselves, so that it needs no file, and no address. */
export const workerSource = () =>
  [decide, evaluate, activate, activationSlope, begin, trainings, serve, "serve();"].join("\n");

/**
 * Train in a worker, or where none can be made in slices of the page's own time. `tell({seed, optimizer, record})` is
 * called for each record, `end()` after the last; what is returned stops it.
 */
export function conduct(experiment, tell, end) {
  let [left, stopped] = [experiment.weights.length * Object.keys(experiment.optimizers).length, false];
  const got = (found) => {
    if (stopped) return;
    left -= 1;
    tell(found);
    if (left === 0) stop(end);
  };
  let stop = (then) => {
    stopped = true;
    then?.();
  };

  function inSlices() {
    const waiting = trainings(experiment);
    let training = null;
    const slice = () => {
      for (const until = performance.now() + 12; !stopped && performance.now() < until; ) {
        training ??= waiting.next().value;
        training.advance(200);
        if (training.record.done < experiment.steps) continue;
        got(training);
        training = null;
      }
      if (!stopped) setTimeout(slice, 4);
    };
    setTimeout(slice);
  }

  try {
    const address = URL.createObjectURL(new Blob([workerSource()], { type: "text/javascript" }));
    const worker = new Worker(address);
    const quit = () => {
      worker.terminate();
      URL.revokeObjectURL(address);
    };
    const halt = stop;
    let heard = false;
    stop = (then) => {
      quit();
      halt(then);
    };
    worker.onmessage = ({ data }) => {
      heard = true;
      got(data);
    };
    // A page may forbid workers, and some browsers say so only now.
    worker.onerror = (event) => {
      event.preventDefault();
      quit();
      if (!heard && !stopped) inSlices();
    };
    worker.postMessage(experiment);
  } catch {
    inSlices();
  }
  return () => stop();
}
