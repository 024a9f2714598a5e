// Over the hill, without drawing: hilladam.OverTheHill of two variables, one gradient at a time.
//
// `guide` does the operations of hilladam/optim/_trek.py in the same order, so that it decides with the same bits; the
// powers β₁ᵗ and β₂ᵗ are products here. Directions come from outside: frames that the package has drawn.

const [FIRST_GROWTH, GROWTH] = [2, 1.05]; // of λ a step of a descent: before the first rise, after it
const LOWER = 1e-4; // of the height of the hills: how much deeper a bottom must be to count as a new one
const [LONGER, SHORTER] = [2, 0.5]; // of the first stride: after a lower bottom, after a direction in vain
const NEAR = 0.03; // below this part of the height of the hills a walk's steps grow as in four steps
const FASTER = 1.2;
const FINER = 0.5; // of δ after a round of directions in vain
const LONGEST = 60; // steps of a walk
const ROUNDS = 3; // under noise walks end at the first top, pass one, pass two, and so on in turn

/** What the rule remembers at the beginning: hilladam.optim.Trek, where each is explained. */
export const TREK = {
  ...{ scale: 1, growth: FIRST_GROWTH, probing: true, moved: false, start_loss: NaN, high: -Infinity },
  ...{ lowest: Infinity, drift: 0, spread: 0, low: Infinity, rate: 1, hill: 0, room: 2, fineness: 1, stride: 0 },
  ...{ pace: 0, walked: 0, rises: 0, frame: 0, tried: -1, crested: false, told: false, homing: false, pitch: 0 },
  ...{ climb: 0, valley: 0, passed: 0, vain: 0 },
};

/**
 * hilladam.optim.guide: what the parameters do next, except that `trek` changes in place: four hundred balls ask at every
 * frame. Returns { walking, move, reason, rose }, where move and reason are the words of MOVES and TREK_REASONS, and an
 * empty word stands for "none".
 */
export function guide(trek, walking, loss, slope, bend, { delta, kappa, directions }) {
  let [move, reason, rose, failed, over, lower, height] = ["descend", "", false, false, false, false, 0];
  const finite = Number.isFinite(loss) && (Number.isFinite(slope + bend) || !(walking || trek.moved));
  if (walking) {
    trek.walked += 1;
    if (finite) {
      trek.high = Math.max(trek.high, loss);
      if (kappa > 0) {
        const half = ((slope - trek.pitch) / 2) * trek.pace;
        trek.pitch = slope;
        trek.climb = trek.climb + slope * trek.pace - half;
        trek.valley = Math.min(trek.valley, trek.climb);
        height = trek.climb;
        trek.drift += slope * trek.pace;
        trek.spread += half * half;
        const back = trek.drift <= -kappa * Math.sqrt(trek.spread);
        if (back || trek.drift > 0) trek.drift = trek.spread = 0;
        over = back && trek.climb > trek.valley;
        lower = back && trek.climb < -NEAR * trek.hill;
      } else {
        over = slope <= 0 && trek.rises >= 2;
        trek.rises = slope > 0 ? trek.rises + 1 : 0;
        lower = loss < trek.low;
        height = loss - trek.low;
      }
    }
    if (over) {
      if (!trek.told) trek.hill = trek.high - trek.low;
      trek.crested = trek.told = true;
      trek.passed += 1;
      trek.valley = trek.climb;
      over = kappa === 0 || trek.passed > trek.vain % ROUNDS;
    }
    if (over || lower) {
      [walking, reason] = [false, "crest"];
      Object.assign(trek, { moved: true, scale: trek.pace, lowest: loss, drift: 0, spread: 0 });
    } else if (!finite || loss > trek.low + trek.room * trek.hill || trek.walked >= LONGEST) {
      failed = true;
      if (!trek.told && finite) {
        // A run may begin near a bottom, and then knows of no height.
        const seen = trek.high - trek.low;
        trek.hill = trek.hill > 0 ? Math.min(seen, 2 * trek.hill) : seen;
      }
    } else {
      move = "walk";
      trek.pace *= height < NEAR * trek.hill ? FASTER * FASTER * FASTER * FASTER : FASTER;
    }
  } else if (!finite) {
    if (trek.moved) trek.scale /= 4;
    move = "retry";
  } else if (trek.probing && trek.moved && !(loss < trek.start_loss) && (slope !== 0 || bend !== 0)) {
    // A step too short to change anything is short enough. Over a kink its slopes cancel, and it has a bend.
    trek.scale /= 4;
    move = "retry";
  } else {
    trek.high = Math.max(trek.high, loss);
    trek.lowest = Math.min(trek.lowest, loss);
    let still = false;
    if (trek.moved) {
      trek.probing = false;
      trek.drift += slope;
      trek.spread += bend * bend;
      const back = trek.drift > kappa * Math.sqrt(trek.spread) || (slope === 0 && bend !== 0);
      if (back || trek.drift <= 0) trek.drift = trek.spread = 0;
      if (back) {
        trek.scale /= 2;
        trek.growth = GROWTH;
        rose = true;
      } else trek.scale *= trek.growth;
      still = Math.abs(slope) + Math.abs(bend) <= delta * trek.fineness * (trek.high - trek.lowest);
    } else {
      if (trek.probing) trek.start_loss = loss;
      trek.moved = true;
    }
    if (still) {
      [walking, reason] = [true, "bottom"];
      const first = trek.low === Infinity;
      if (first || loss < trek.low - LOWER * trek.hill) {
        trek.hill = Math.max(trek.hill, first ? trek.start_loss - loss : trek.high - loss);
        if (!first) trek.stride = LONGER * Math.max(trek.stride, trek.scale);
        Object.assign(trek, { low: loss, rate: trek.scale, frame: trek.frame + 1, tried: -1, crested: false, vain: 0 });
        move = "onward";
      } else if (trek.homing) {
        move = loss < trek.low ? "renew" : "next";
        Object.assign(trek, { low: Math.min(trek.low, loss), rate: trek.scale });
      } else {
        failed = true;
        trek.hill = Math.max(trek.hill, Math.min(trek.high - trek.low, trek.room * trek.hill));
      }
      trek.homing = false;
    }
  }
  if (failed) {
    trek.stride *= SHORTER;
    trek.tried += 1;
    [walking, move] = [true, "next"];
    if (trek.tried >= directions) {
      Object.assign(trek, { frame: trek.frame + 1, tried: 0, fineness: FINER * trek.fineness, vain: trek.vain + 1 });
      if (!trek.crested) trek.room *= 2;
      trek.crested = false;
      [walking, move, trek.homing] = [false, "home", true];
      reason = reason === "bottom" ? "" : "round";
      Object.assign(trek, { scale: trek.rate, moved: false, high: trek.low + trek.hill, lowest: trek.low, drift: 0, spread: 0 }); // prettier-ignore
    }
  }
  if (walking && move !== "descend" && move !== "walk" && move !== "retry") {
    Object.assign(trek, { pace: Math.max(trek.rate, trek.stride), walked: 0, rises: 0, high: trek.low });
    Object.assign(trek, { drift: 0, spread: 0, pitch: 0, climb: 0, valley: 0, passed: 0 });
  }
  return { walking, move, reason, rose };
}

/**
 * A run of hilladam.OverTheHill from a place [x, y]. `frames` holds pairs of directions whose largest entry is ±1, taken
 * in turn. After each `step`: `climbs`, whether that step walks; `reason`, why the last walk or descent ended; `momentum`,
 * Adam's average of gradients in that step of a descent, zero in one of a walk; `from`, where the step began, if that was
 * not the place that was judged.
 */
export class OverTheHill {
  constructor(place, { lr, beta1, beta2, noise = 0 }, frames) {
    Object.assign(this, { lr, beta1, beta2, frames, trek: { ...TREK }, climbs: false, reason: "", momentum: [0, 0] });
    Object.assign(this, { place, previous: place, centre: place, gradient: [0, 0], way: [0, 0], from: null });
    this.rule = { delta: 3e-3, kappa: noise > 0 ? 0.5 : 0, directions: 4 };
    this.forget();
  }

  forget() {
    this.power1 = this.power2 = 1;
    this.mean = [0, 0];
    this.square = [0, 0];
  }

  /** From where it is, with the loss and the gradient there, to the next place. */
  step(loss, gradient) {
    this.place = this.next(this.place, loss, gradient);
    return this.place;
  }

  next(place, loss, gradient) {
    const [dx, dy] = [place[0] - this.previous[0], place[1] - this.previous[1]];
    const [[ax, ay], [bx, by]] = [this.gradient, gradient];
    const slope = this.climbs ? (bx * this.way[0] + by * this.way[1]) * this.lr : ((ax + bx) * dx + (ay + by) * dy) / 2;
    const bend = this.climbs ? 0 : ((bx - ax) * dx + (by - ay) * dy) / 2;
    const advice = guide(this.trek, this.climbs, loss, slope, bend, this.rule);
    this.climbs = advice.walking;
    this.reason = advice.reason;
    this.momentum = [0, 0];
    let { move } = advice;
    if (advice.reason || move !== "descend") this.forget();
    else if (advice.rose) this.mean = [0, 0];
    if (move === "onward" && !this.lookAhead(place)) move = "renew";
    if (move === "next" || move === "renew") this.lookRound();
    if (move === "onward" || move === "renew") this.centre = place;
    const origin = move === "next" || move === "home" ? this.centre : move === "retry" ? this.previous : place;
    this.from = origin === place ? null : origin;
    if (move === "home") {
      this.previous = origin;
      this.gradient = [0, 0];
      return origin;
    }
    if (move !== "descend" && move !== "retry") {
      const length = this.trek.pace * this.lr;
      return [origin[0] + length * this.way[0], origin[1] + length * this.way[1]];
    }
    if (move === "descend") {
      this.previous = place;
      this.gradient = gradient;
    }
    return this.descend(origin, this.gradient);
  }

  /** Adam's step, without ε. */
  descend(place, gradient) {
    const { beta1, beta2, mean, square, momentum } = this;
    const [length, next] = [-this.trek.scale * this.lr, [0, 0]];
    this.power1 *= beta1;
    this.power2 *= beta2;
    for (let k = 0; k < 2; k++) {
      const g = gradient[k];
      mean[k] += (1 - beta1) * (g - mean[k]);
      square[k] = beta2 * square[k] + (1 - beta2) * g * g;
      momentum[k] = mean[k] / (1 - this.power1);
      const ratio = square[k] > 0 ? momentum[k] / Math.sqrt(square[k] / (1 - this.power2)) : 0;
      next[k] = place[k] + length * ratio;
    }
    return next;
  }

  /** Let the way lead on from the centre through a place; say whether there is one. */
  lookAhead(place) {
    const [x, y] = [(place[0] - this.centre[0]) / this.lr, (place[1] - this.centre[1]) / this.lr];
    const most = Math.max(Math.abs(x), Math.abs(y));
    if (!(most > 0 && most < Infinity)) return false;
    this.way = [x / most, y / most];
    return true;
  }

  /** Let the way be the next direction of the frame. */
  lookRound() {
    const { frame, tried } = this.trek;
    const number = Math.max(tried, 0);
    const direction = this.frames[frame % this.frames.length][Math.floor(number / 2) % 2];
    const sign = number % 2 ? -1 : 1;
    this.way = [sign * direction[0], sign * direction[1]];
  }
}
