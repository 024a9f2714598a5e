// The state of explorers as the last part of a page's address, after the "#", without drawing:
//
//     #fig-hill:lr=0.02&optimizers=Adam,NAdam&hide=delta,gamma;fig-series:t=5
//
// A value is read for what the trait may be, or not at all. What is read is a setting, never a result.

const LONGEST = 8000; // characters of an address
const ITEMS = 200; // of a list that has no limit of its own
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** So that no character of a value means something else in an address, nor ends it where it stands in a text. */
const escape = (text) =>
  encodeURIComponent(text).replace(/[!'()*~]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a "%" that begins nothing
  }
}

/** What an address says of each explorer: a Map name → Map key → text, not decoded yet. Empty where it names none. */
export function readAddress(hash) {
  const found = new Map();
  if (hash.length > LONGEST) return found;
  for (const part of hash.replace(/^#/, "").split(";")) {
    const [, name, words] = part.match(/^([\w.-]+):(.*)$/) ?? [];
    if (!name) continue;
    const pairs = words.split("&").map((word) => word.split(/=(.*)/s));
    found.set(name, new Map(pairs.filter(([key, text]) => key && text !== undefined)));
  }
  return found;
}

/** The address that `readAddress` reads so: "" where nothing is to be said. */
export function writeAddress(explorers) {
  const parts = [...explorers]
    .filter(([, words]) => words.size)
    .map(([name, words]) => `${name}:${[...words].map(([key, text]) => `${key}=${text}`).join("&")}`);
  return parts.length ? `#${parts.join(";")}` : "";
}

const items = (text) => (text === "" ? [] : text.split(","));

/** The value of a trait that a text stands for, undefined where the trait may not have it: see `Explorer.settings`. */
export function valueOf(text, { type, min = -Infinity, max, values, keys, of, longest = ITEMS }) {
  const plain = unescape(text);
  if (plain === undefined) return undefined;
  const whole = (list) => (list.includes(undefined) ? undefined : list);
  if (type === "number" || type === "integer") {
    if (plain === "inf" && type === "number" && max === undefined) return null; // as JSON has it
    const value = NUMBER.test(plain) ? Number(plain) : NaN;
    const fits = Number.isFinite(value) && value >= min && value <= (max ?? Infinity);
    return fits && (type === "number" || Number.isSafeInteger(value)) ? value : undefined;
  }
  if (type === "boolean") return { true: true, false: false }[plain];
  if (type === "choice") return values.find((value) => String(value) === plain);
  if (type === "text") return plain.length <= 500 ? plain : undefined;
  const texts = items(text);
  if (type === "list") return texts.length > longest ? undefined : whole(texts.map((each) => valueOf(each, of)));
  if (type === "tuple") return texts.length !== of.length ? undefined : whole(texts.map((each, i) => valueOf(each, of[i])));
  if (type === "table") {
    const rows = texts.map((each) => each.split(":")).map(([key, word = ""]) => [unescape(key), valueOf(word, of)]);
    return rows.every(([key, value]) => keys.includes(key) && value !== undefined) ? Object.fromEntries(rows) : undefined;
  }
  return undefined;
}

/** The text that stands for a value: numbers with all their digits, so that a run has the same bits again. */
export function textOf(value) {
  if (value === null) return "inf";
  if (Array.isArray(value)) return value.map(textOf).join(",");
  if (typeof value !== "object") return escape(String(value));
  return Object.keys(value)
    .sort()
    .map((key) => `${escape(key)}:${textOf(value[key])}`)
    .join(",");
}

/** The names in a list such as hide=lr,delta that are settings. */
export const namesOf = (text, settings) => new Set(items(unescape(text ?? "") ?? "").filter((name) => name in settings));
