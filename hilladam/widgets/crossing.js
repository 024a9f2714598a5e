// The λ that the sliders of crossing offer: two digits, close enough that no climb of one step more is missed.

export const RATES = Array.from(
  { length: 181 },
  (_, i) => (i < 70 ? 30 + i : i < 160 ? (i - 60) * 10 : (i - 150) * 100) / 1e4,
);
